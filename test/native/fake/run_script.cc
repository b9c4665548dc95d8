#include "run_script.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "layout.h"
#include "memory.h"
#include "report.h"
#include "run_states.h"

namespace fake {

using std::chrono::steady_clock;

ScriptedRun::ScriptedRun(Instance& instance, RunSetup setup)
    : instance_(instance),
      script_(instance.script),
      setup_(std::move(setup)),
      silent_(script_.silent && instance.runs < script_.silent_runs.value_or(instance.runs + 1)),
      result_size_(Offset(Field::kResultSize)),
      userdata_(setup_.userdata),
      results_(result_size_ * setup_.replies.size()),
      bare_(results_.size()),
      repeat_(script_.repeat),
      start_(steady_clock::now()) {
  for (const auto& reply : setup_.replies) {
    rows_.emplace_back();
    rows_.back().reply = &reply;
  }
  for (const Failure& failure : script_.failures) {
    if (failure.place == "decode") decode_failure_after_ = failure.after;
  }
  const bool visible = !instance_.arguments.skip_special_token;
  eos_ = {script_.eos == "null" && !visible ? Piece::Kind::kNull : Piece::Kind::kText, visible ? "</s>" : "",
          script_.eos_id, 0};
  if (instance_.arguments.ignore_eos_token && setup_.max_new_tokens > 0) repeat_ = -1;
}

int ScriptedRun::Play() {
  if (!script_.foreign_thread) return PlayHere();
  int code = 0;
  std::thread other([&] { code = PlayHere(); });
  other.join();
  return code;
}

int ScriptedRun::PlayHere() {
  ReachPlace(script_, "prefill");
  if (!Prefill()) return EndAborted();
  if (silent_) return script_.run_code;
  if (script_.no_embedding && !EmbedPrompts()) {
    return ending_ == Ending::kAborted ? EndAborted() : script_.unanswered_code;
  }
  return setup_.arguments->mode == 0 ? Decode() : DeliverPayload();
}

// False when it was aborted, which ends the run with FINISH like any other abort.
bool ScriptedRun::Prefill() const {
  return Pause(std::chrono::milliseconds(script_.prefill_ms)) || !script_.abort_in_prefill;
}

int ScriptedRun::Decode() {
  for (;;) {
    if (tokens_ > 0 && script_.token_us > 0) Pause(std::chrono::microseconds(script_.token_us));
    if (Stopping()) return EndAborted();
    if (script_.error_after && tokens_ == *script_.error_after) return EndFailed();
    if (setup_.max_new_tokens >= 0 && tokens_ == setup_.max_new_tokens) break;
    if (!Step()) {
      if (script_.error_after) return EndFailed();
      break;
    }
    if (ending_ == Ending::kPaused) return EndPaused();
    if (ending_ == Ending::kAborted) return EndAborted();
    if (ending_ == Ending::kFailed) {
      if (script_.unanswered_code != 0) EmitBare(kError);
      return script_.unanswered_code;
    }
    if (tokens_ == decode_failure_after_) ReachPlace(script_, "decode");
    if (context_full_) break;
  }
  return EndFinished();
}

int ScriptedRun::EndFailed() {
  EmitBare(kError);
  return script_.run_code;
}

int ScriptedRun::EndFinished() {
  const bool payload = setup_.arguments->mode != 0;
  if (script_.finish && (!payload || script_.payload_finish)) EmitFinish();
  for (int i = 0; i < script_.after_finish; ++i) Emit({Piece::Kind::kText, "late", 1, 0});
  return script_.run_code;
}

int ScriptedRun::EndAborted() {
  for (int i = 0; i < script_.after_abort && !silent_; ++i) Emit({Piece::Kind::kText, "more", 1, 0});
  if (silent_) return script_.abort_code;
  if (script_.abort_error) {
    EmitBare(kError);
  } else if (script_.finish && script_.abort_finish) {
    EmitFinish();
  }
  return script_.abort_code;
}

int ScriptedRun::EndPaused() {
  instance_.paused = !setup_.arguments->keep_history;
  Details(instance_, "paused");
  if (script_.pause_finish) EmitFinish();
  return script_.run_code;
}

bool ScriptedRun::Stopping() {
  if (script_.abort_ignored || !instance_.aborted.load(std::memory_order_relaxed)) return false;
  if (script_.abort_delay_ms == 0) return true;
  const auto now = steady_clock::now();
  if (abort_seen_ == steady_clock::time_point{}) abort_seen_ = now;
  return now - abort_seen_ >= std::chrono::milliseconds(script_.abort_delay_ms);
}

// False when an abort cut it short.
bool ScriptedRun::Pause(std::chrono::microseconds duration) const {
  const auto end = steady_clock::now() + duration;
  const bool deaf = script_.abort_ignored || !script_.abort_in_prefill;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - steady_clock::now());
    if (left.count() <= 0) return true;
    if (!deaf && instance_.aborted) return false;
    std::this_thread::sleep_for(std::min(left, std::chrono::microseconds(1000)));
  }
}

const Piece* ScriptedRun::Next(Row& row) {
  if (row.ended) return nullptr;
  if (row.next == row.reply->size()) {
    row.next = 0;
    ++row.round;
  }
  if (row.reply->empty() || (repeat_ >= 0 && row.round >= repeat_)) {
    row.ended = true;
    return script_.eos.empty() ? nullptr : &eos_;
  }
  return &(*row.reply)[row.next++];
}

bool ScriptedRun::Step() {
  bool any = false;
  std::int32_t state = kNormal;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Piece* piece = Next(rows_[i]);
    if (piece != nullptr) {
      const bool waiting = piece->kind == Piece::Kind::kWaiting || piece->kind == Piece::Kind::kPartial;
      if (waiting && !any) state = kWaiting;
      any = true;
      last_id_ = piece->id;
      if (!instance_.kv[i].Append({piece->id, piece->word}, script_.context_shift)) context_full_ = true;
    }
    Fill(rows_[i], i, piece);
  }
  if (!any) return false;
  if (script_.extra_state) EmitBare(*script_.extra_state);
  if (tokens_++ == 0) first_token_ = steady_clock::now();
  Deliver(results_.data(), state);
  for (Row& row : rows_) std::memset(row.text.data(), '#', row.dirty);  // what was read later would show
  if (script_.no_embedding && ending_ == Ending::kNone) Embed({last_id_});
  return true;
}

}  // namespace fake
