#include "run.h"

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

Run::Reaction Run::Take(const RunEvent& event) {
  switch (event.kind) {
    case RunEvent::Kind::kToken:
      return TakeToken(event);
    case RunEvent::Kind::kFinish:
      if (finish_ == kNever) finish_ = Clock::now();
      if (!abort_requested_) finished_ = true;
      return {};
    case RunEvent::Kind::kError:
      if (finish_ == kNever) finish_ = Clock::now();
      if (!abort_requested_ && !limited_) Fail("The runtime reported an error during the run.");
      return {};
  }
  return {};
}

Run::Reaction Run::TakeToken(const RunEvent& event) {
  if (abort_requested_ || limited_ || !failure_.empty()) return {true, false};
  if (first_token_ == kNever) first_token_ = Clock::now();
  if (!batch_.Append(event.token_id, event.text)) {
    Fail("More than 4 GiB of generated text are waiting to be read.");
    return {true, false};
  }
  ++tokens_;
  limited_ = params_.max_new_tokens && tokens_ >= *params_.max_new_tokens;
  return {limited_, std::exchange(armed_, false)};
}

void Run::Fail(const char* failure) {
  if (failure_.empty()) failure_ = failure;
}

RunOutcome Run::Conclude(int code) {
  const std::lock_guard<std::mutex> lock(*mutex_);
  RunOutcome outcome;
  outcome.code = code;
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
  if (first_token_ != kNever) {
    if (finish_ == kNever) finish_ = Clock::now();
    outcome.prefill_ms = Milliseconds(first_token_ - started_);
    outcome.decode_ms = Milliseconds(finish_ - first_token_);
  }
  return outcome;
}

}  // namespace rkllm
