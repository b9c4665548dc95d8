// The model's part in what the runtime asks of JavaScript: in the runtime's callback, so inside a call of ours, on
// whichever thread. No lock is held while it waits.
#include <string>
#include <vector>

#include "model.h"

namespace rkllm {

namespace {

constexpr std::int32_t kFailed = -1;

}  // namespace

std::int32_t Model::OnTokenize(std::string_view text, std::int32_t* ids, std::size_t room) noexcept {
  try {
    const auto question = std::make_shared<Question>(std::string(text), ids, room);
    return Ask(question) ? static_cast<std::int32_t>(question->count()) : kFailed;
  } catch (...) {
    FailCurrent("Out of memory for a question of the runtime.");
    return kFailed;
  }
}

bool Model::OnEmbed(const std::int32_t* ids, std::size_t tokens, void* floats, std::size_t bytes) noexcept {
  if (bytes % sizeof(float) != 0) {
    FailCurrent("The runtime wants embeddings that are not made of 32-bit floats.");
    return false;
  }
  try {
    std::vector<std::int32_t> token_ids(ids, ids + tokens);
    return Ask(std::make_shared<Question>(std::move(token_ids), floats, bytes / sizeof(float)));
  } catch (...) {
    FailCurrent("Out of memory for a question of the runtime.");
    return false;
  }
}

bool Model::Ask(const std::shared_ptr<Question>& question) {
  std::shared_ptr<Run> run;
  {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    run = current_;
  }
  const Questions::Asking asking(questions_, question, run.get());
  // After it has become one of the open questions: an abort before that has not found it.
  if (run && run->abort_requested()) {
    question->Break();
  } else {
    Say(Asked{question});
  }
  const Question::State end = question->Wait();
  if (end == Question::State::kAnswered) return true;
  bool in_flight = false;
  {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    in_flight = run && current_ == run;
    if (in_flight && end == Question::State::kRefused) {
      run->FailUnlessLimited("The runtime was not given what it asked for.");
    }
  }
  // What the runtime makes of a missing answer is not documented: it is told to stop, here where it is in flight.
  if (in_flight && end == Question::State::kBroken) adapter_->Abort();
  return false;
}

void Model::FailCurrent(const char* failure) noexcept {
  try {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    if (current_) current_->FailUnlessLimited(failure);
  } catch (...) {
    // Not even memory for the message: the runtime is told that there is no answer, and fails the run.
  }
}

}  // namespace rkllm
