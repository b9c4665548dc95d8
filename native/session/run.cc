#include "run.h"

#include <algorithm>
#include <string>

namespace rkllm {
namespace {

double Milliseconds(Run::Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

constexpr Run::Clock::time_point kNever{};

}  // namespace

void Run::Drain(TokenBatch& batch) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  std::swap(batch, batch_);
}

bool Run::Arm() {
  const std::lock_guard<std::mutex> lock(*mutex_);
  armed_ = batch_.empty();
  return !armed_;
}

void Run::RequestAbort() {
  const std::lock_guard<std::mutex> lock(*mutex_);
  abort_requested_ = true;
}

bool Run::abort_requested() const {
  const std::lock_guard<std::mutex> lock(*mutex_);
  return abort_requested_;
}

void Run::MarkAborted() {
  const std::lock_guard<std::mutex> lock(*mutex_);
  told_ = Told::kAbort;
}

void Run::Begin(bool runtime_limits) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  runtime_limits_ = runtime_limits;
  started_ = Clock::now();
  finish_ = kNever;
  finished_ = false;
  perf_.reset();
}

Run::Reaction Run::TakeFinish(const std::optional<PerfStats>& perf) {
  if (finish_ == kNever) finish_ = Clock::now();
  if (perf) perf_ = perf;
  if (!abort_requested_) finished_ = true;
  return {};
}

Run::Reaction Run::TakeError() {
  if (finish_ == kNever) finish_ = Clock::now();
  if (!abort_requested_ && !limited_) Fail("The runtime reported an error during the run.");
  return {};
}

// A runtime that goes on after it was told to pause is aborted at its next token.
Run::Reaction Run::StopRuntime() {
  const bool pause = params_.stop_by_pause && told_ == Told::kNothing && failure_.empty();
  told_ = pause ? Told::kPause : Told::kAbort;
  return {!pause, false, pause ? Reply::kPause : Reply::kGoOn};
}

Run::Reaction Run::TakeToken(const Token& token) {
  if (abort_requested_ || limited_ || !failure_.empty()) return StopRuntime();
  // No text is wanted: releases differ in whether a token comes before the matrix, and in whether they go on after it.
  if (params_.mode != RunMode::kGenerate) return {matrix_.values != nullptr, false};
  if (first_token_ == kNever) first_token_ = Clock::now();
  if (rows_.size() > 1) return TakeRow(token);
  if (!batch_.Append(token.id, token.text)) {
    Fail("More than 4 GiB of generated text are waiting to be read.");
    return {true, false};
  }
  ++tokens_;
  limited_ = IsLast(tokens_);
  return AfterToken();
}

// Where the runtime stops by itself it is not told to: that an abort which it did not need leaves the next run alone is
// not documented.
Run::Reaction Run::AfterToken() {
  Reaction reaction = limited_ && !runtime_limits_ ? StopRuntime() : Reaction{};
  reaction.announce = std::exchange(armed_, false);
  return reaction;
}

// All rows advance together, so the run goes on until none is open. JavaScript learns of a row that has ended by one
// negative token id.
Run::Reaction Run::TakeRow(const Token& token) {
  Row& row = rows_.at(token.row);
  if (row.over) return {};
  const bool ended = token.id < 0;
  if (!batch_.AppendRow(static_cast<std::uint8_t>(token.row), ended ? -1 : token.id, token.text)) {
    Fail("More than 4 GiB of generated text are waiting to be read.");
    return {true, false};
  }
  const bool cut = !ended && IsLast(++row.tokens);
  row.over = ended || cut;
  cut_ = cut_ || cut;
  if (row.over) --open_rows_;
  limited_ = open_rows_ == 0 && cut_;
  return AfterToken();
}

// The last one counts. The one copy: JavaScript gets this very memory.
Run::Reaction Run::TakeMatrix(const MatrixView& view) {
  if (abort_requested_) return {true, false};
  const std::size_t count = view.rows * view.columns;
  const std::shared_ptr<float[]> values(new float[count]);
  std::copy_n(view.values, count, values.get());
  matrix_ = {values, view.rows, view.columns};
  return {false, false, Reply::kRelease};
}

void Run::Fail(const char* failure) {
  if (failure_.empty()) failure_ = failure;
}

void Run::FailUnlessLimited(const char* failure) {
  if (!limited_) Fail(failure);
}

bool Run::EndedWithoutCause(int code) const {
  const std::lock_guard<std::mutex> lock(*mutex_);
  return code == 0 && first_token_ == kNever && matrix_.values == nullptr && !abort_requested_ && failure_.empty();
}

RunOutcome Run::Conclude(int code) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  RunOutcome outcome;
  outcome.code = code;
  outcome.perf = perf_;
  outcome.paused = told_ == Told::kPause;
  if (!failure_.empty()) {
    outcome.kind = RunOutcome::Kind::kFailed;
    outcome.failure = failure_;
  } else if (limited_) {
    outcome.kind = RunOutcome::Kind::kLimited;
  } else if (abort_requested_ && !finished_) {
    outcome.kind = RunOutcome::Kind::kAborted;  // whatever the code: releases differ in what an aborted run returns
  } else if (code != 0) {
    outcome.kind = RunOutcome::Kind::kFailed;
    outcome.failure = "The runtime refused or failed the run and returned " + std::to_string(code) + ".";
  }
  if (params_.mode != RunMode::kGenerate && outcome.kind == RunOutcome::Kind::kCompleted) {
    outcome.matrix = std::move(matrix_);
    if (outcome.matrix.values == nullptr) {
      outcome.kind = RunOutcome::Kind::kFailed;
      outcome.failure = "The runtime gave no data in this mode.";
    }
  }
  if (first_token_ != kNever) {
    if (finish_ == kNever) finish_ = Clock::now();
    outcome.prefill_ms = Milliseconds(first_token_ - started_);
    outcome.decode_ms = Milliseconds(finish_ - first_token_);
  }
  return outcome;
}

}  // namespace rkllm
