// Plays a script as the events of one run.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "script.h"

namespace fake {

// As in the vendor's header of 1.1.x, but with the result as plain bytes.
using Callback = void (*)(void* result, void* userdata, std::int32_t state);

// One call of rkllm_run.
class ScriptedRun {
 public:
  ScriptedRun(const Script& script, std::vector<Piece> reply, std::int64_t max_new_tokens, Callback callback,
              void* userdata, const std::atomic<bool>& aborted)
      : script_(script),
        reply_(std::move(reply)),
        max_new_tokens_(max_new_tokens),
        callback_(callback),
        userdata_(userdata),
        aborted_(aborted) {}

  // Returns what rkllm_run returns.
  int Play();

 private:
  bool Prefill() const;
  int Decode();
  bool Stopping();
  bool Pause(std::chrono::microseconds duration) const;
  void Emit(const Piece& piece);
  void EmitBare(std::int32_t state);

  const Script& script_;
  const std::vector<Piece> reply_;
  const std::int64_t max_new_tokens_;  // negative: no limit
  const Callback callback_;
  void* const userdata_;
  const std::atomic<bool>& aborted_;
  std::chrono::steady_clock::time_point abort_seen_{};
  std::vector<char> text_ = std::vector<char>(64);  // reused for every token, as the vendor does
  alignas(8) unsigned char result_[32] = {};
};

}  // namespace fake
