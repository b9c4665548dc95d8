// Plays a script as the events of one run.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "instance.h"

namespace fake {

// What was made of the arguments of a run.
struct RunSetup {
  const RunArguments* arguments = nullptr;
  void* userdata = nullptr;
  std::int64_t max_new_tokens = -1;         // negative: no limit
  std::vector<std::vector<Piece>> replies;  // of each row of the batch
  std::vector<std::vector<Token>> prompts;  // of each row, without history
  std::size_t prefilled = 0;                // positions that had to be computed
};

// One call of rkllm_run.
class ScriptedRun {
 public:
  ScriptedRun(Instance& instance, RunSetup setup);

  // Returns what rkllm_run returns.
  int Play();

 private:
  struct Row {
    const std::vector<Piece>* reply = nullptr;
    std::size_t next = 0;
    std::int64_t round = 0;
    bool ended = false;
    std::vector<char> text = std::vector<char>(64);  // reused for every token, as the vendor does
    std::size_t dirty = 0;                           // bytes of it that the last token has used
  };
  enum class Ending { kNone, kAborted, kPaused, kFailed };

  int PlayHere();
  bool Prefill() const;
  int Decode();
  int DeliverPayload();
  int EndAborted();
  int EndPaused();
  int EndFailed();
  int EndFinished();

  bool Stopping();
  bool Pause(std::chrono::microseconds duration) const;
  bool EmbedPrompts();
  bool Embed(std::vector<std::int32_t> ids);

  const Piece* Next(Row& row);
  // The next token of every row. False when none has one.
  bool Step();
  void Fill(Row& row, std::size_t index, const Piece* piece);
  void Emit(const Piece& piece);
  void EmitBare(std::int32_t state);
  void EmitFinish();
  void EmitPayload();
  void Deliver(void* result, std::int32_t state);

  Instance& instance_;
  const Script& script_;
  const RunSetup setup_;
  const bool silent_;
  const std::size_t result_size_;
  void* const userdata_;
  std::vector<unsigned char> results_;  // one for each row
  std::vector<unsigned char> bare_;     // the same for events without a token
  std::vector<Row> rows_;
  std::vector<float> payload_;
  std::int64_t repeat_;
  Piece eos_;
  std::int64_t decode_failure_after_ = -1;
  std::int64_t tokens_ = 0;
  std::int32_t state_ = 0;
  std::int32_t last_id_ = 0;
  Ending ending_ = Ending::kNone;
  bool context_full_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point first_token_{};
  std::chrono::steady_clock::time_point abort_seen_{};
};

}  // namespace fake
