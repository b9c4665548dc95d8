// One generation: its prompt, its tokens on their way to JavaScript, and how it ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/adapter.h"
#include "token_batch.h"

namespace rkllm {

// One float per row and column.
struct Matrix {
  std::shared_ptr<const float[]> values;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

struct RunOutcome {
  enum class Kind { kCompleted, kLimited, kAborted, kFailed };
  Kind kind = Kind::kCompleted;
  std::string failure;            // of kFailed
  bool paused = false;            // the KV cache holds what the run has computed
  int code = 0;                   // what the vendor's run function returned
  double prefill_ms = -1;         // start to first token; negative: there was none
  double decode_ms = -1;          // first token to the end
  std::optional<PerfStats> perf;  // what the runtime itself measured, if it does
  Matrix matrix;                  // of a run that was asked for one
};

// Shared by the inference thread, which fills it, and the JavaScript thread, which drains it. All runs of a model
// share one mutex: they never run at the same time, and one lock covers the run and the question which run it is.
class Run {
 public:
  using Clock = std::chrono::steady_clock;

  Run(std::uint32_t id, RunParams params, std::shared_ptr<std::mutex> mutex)
      : id_(id),
        params_(std::move(params)),
        mutex_(std::move(mutex)),
        rows_(params_.rows.size()),
        open_rows_(params_.rows.size()) {}

  std::uint32_t id() const { return id_; }
  const RunParams& params() const { return params_; }

  // JavaScript thread. Swaps out all tokens so far, in exchange for an empty batch.
  void Drain(TokenBatch& batch);
  // JavaScript thread. False: nothing to read, the next token or the end will be announced. True: no need to wait.
  bool Arm();
  // Any thread. What the runtime still gives is dropped from now on.
  void RequestAbort();
  bool abort_requested() const;
  // Any thread. The runtime is told to abort from outside its callback.
  void MarkAborted();

  // What the inference thread has to do after an event.
  struct Reaction {
    bool abort_runtime = false;
    bool announce = false;
    Reply reply = Reply::kGoOn;
  };
  // The next six: the mutex is held by the caller (Model).
  Reaction TakeToken(const Token& token);
  Reaction TakeMatrix(const MatrixView& view);
  Reaction TakeFinish(const std::optional<PerfStats>& perf);
  Reaction TakeError();
  // A failure of ours, such as no memory.
  void Fail(const char* failure);
  // A question of the runtime has no answer: a failure, unless all tokens are there that were wanted.
  void FailUnlessLimited(const char* failure);

  // Inference thread, the vendor's run function is about to be entered. Twice when it is repeated.
  void Begin(bool runtime_limits);
  // Inference thread, it has returned. Whether nothing came of it, though nobody had wanted it to end.
  bool EndedWithoutCause(int code) const;
  RunOutcome Conclude(int code);

 private:
  enum class Told { kNothing, kPause, kAbort };

  struct Row {
    std::int64_t tokens = 0;
    bool over = false;  // it has ended or has its last token that was wanted
  };

  Reaction TakeRow(const Token& token);
  Reaction AfterToken();
  Reaction StopRuntime();
  bool IsLast(std::int64_t tokens) const { return params_.max_new_tokens && tokens >= *params_.max_new_tokens; }

  const std::uint32_t id_;
  const RunParams params_;
  const std::shared_ptr<std::mutex> mutex_;  // guards everything below
  TokenBatch batch_;
  std::int64_t tokens_ = 0;
  std::vector<Row> rows_;        // used when there are several
  std::size_t open_rows_;        // those that are not over
  bool cut_ = false;             // a row has reached the limit
  bool runtime_limits_ = false;  // the runtime itself stops at max_new_tokens
  bool armed_ = false;
  bool abort_requested_ = false;
  bool finished_ = false;       // the runtime said so before an abort was requested
  bool limited_ = false;        // the last token that was wanted has come
  Told told_ = Told::kNothing;  // what the runtime was told in order to end the run
  Matrix matrix_;
  std::string failure_;
  std::optional<PerfStats> perf_;
  Clock::time_point started_{};
  Clock::time_point first_token_{};
  Clock::time_point finish_{};
};

}  // namespace rkllm
