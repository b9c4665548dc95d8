#include "run_script.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "layout_checks.h"

namespace fake {
namespace {

constexpr std::int32_t kNormal = 0;
constexpr std::int32_t kWaiting = 1;
constexpr std::int32_t kFinish = 2;
constexpr std::int32_t kError = 3;

}  // namespace

int ScriptedRun::Play() {
  if (!script_.foreign_thread) return Prefill() ? Decode() : script_.abort_code;
  int code = 0;
  std::thread other([&] { code = Prefill() ? Decode() : script_.abort_code; });
  other.join();
  return code;
}

// False when it was aborted, which ends the run with FINISH like any other abort.
bool ScriptedRun::Prefill() const {
  const bool whole = Pause(std::chrono::milliseconds(script_.prefill_ms)) || !script_.abort_in_prefill;
  if (!whole && script_.finish) const_cast<ScriptedRun*>(this)->EmitBare(kFinish);
  return whole;
}

int ScriptedRun::Decode() {
  std::int64_t tokens = 0;
  for (std::int64_t round = 0; script_.repeat < 0 || round < script_.repeat; ++round) {
    for (const Piece& piece : reply_) {
      if (tokens > 0 && script_.token_us > 0) Pause(std::chrono::microseconds(script_.token_us));
      if (Stopping()) {
        if (script_.finish) EmitBare(kFinish);
        return script_.abort_code;
      }
      if (script_.error_after && tokens == *script_.error_after) {
        EmitBare(kError);
        return script_.run_code;
      }
      if (max_new_tokens_ >= 0 && tokens == max_new_tokens_) {
        if (script_.finish) EmitBare(kFinish);
        return script_.run_code;
      }
      if (script_.extra_state) EmitBare(*script_.extra_state);
      Emit(piece);
      ++tokens;
    }
  }
  if (script_.error_after) EmitBare(kError);
  if (script_.finish && !script_.error_after) EmitBare(kFinish);
  for (int i = 0; i < script_.after_finish; ++i) Emit({Piece::Kind::kText, "late", 1});
  return script_.run_code;
}

bool ScriptedRun::Stopping() {
  if (script_.abort_ignored || !aborted_.load(std::memory_order_relaxed)) return false;
  if (script_.abort_delay_ms == 0) return true;
  const auto now = std::chrono::steady_clock::now();
  if (abort_seen_ == std::chrono::steady_clock::time_point{}) abort_seen_ = now;
  return now - abort_seen_ >= std::chrono::milliseconds(script_.abort_delay_ms);
}

// False when an abort cut it short.
bool ScriptedRun::Pause(std::chrono::microseconds duration) const {
  const auto end = std::chrono::steady_clock::now() + duration;
  const bool deaf = script_.abort_ignored || !script_.abort_in_prefill;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return true;
    if (!deaf && aborted_) return false;
    std::this_thread::sleep_for(std::min(left, std::chrono::microseconds(1000)));
  }
}

void ScriptedRun::Emit(const Piece& piece) {
  if (piece.text.size() + 1 > text_.size()) text_.resize(piece.text.size() + 1);
  std::memcpy(text_.data(), piece.text.c_str(), piece.text.size() + 1);
  WriteAt<const char*>(result_, 0, piece.kind == Piece::Kind::kText ? text_.data() : nullptr);
  WriteAt<std::int32_t>(result_, 8, piece.id);
  callback_(result_, userdata_, piece.kind == Piece::Kind::kWaiting ? kWaiting : kNormal);
  std::memset(text_.data(), '#', piece.text.size() + 1);  // what was read later would show
}

void ScriptedRun::EmitBare(std::int32_t state) {
  const bool terminal = state == kFinish || state == kError;
  WriteAt<const char*>(result_, 0, nullptr);
  WriteAt<std::int32_t>(result_, 8, 0);
  callback_(terminal && script_.null_result ? nullptr : result_, userdata_, state);
}

}  // namespace fake
