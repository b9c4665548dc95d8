#include "questions.h"

#include <algorithm>
#include <cstring>

namespace rkllm {

bool Question::Answer(const void* values, std::size_t count) {
  static_assert(sizeof(std::int32_t) == sizeof(float));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kOpen) return false;
    if (count > 0) std::memcpy(target_, values, count * sizeof(float));
    count_ = count;
    state_ = State::kAnswered;
  }
  ended_.notify_one();
  return true;
}

bool Question::broken() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_ == State::kBroken;
}

Question::State Question::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [this] { return state_ != State::kOpen; });
  return state_;
}

bool Question::End(State state) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::kOpen) return false;
    state_ = state;
  }
  ended_.notify_one();
  return true;
}

Questions::Asking::Asking(Questions& all, std::shared_ptr<Question> question, const Run* run)
    : all_(all), question_(std::move(question)) {
  const std::lock_guard<std::mutex> lock(all_.mutex_);
  if (all_.closed_) question_->Break();
  all_.open_.push_back({question_, run});
}

Questions::Asking::~Asking() {
  question_->Break();  // if it is open still: from here on the runtime's memory is not ours to write
  const std::lock_guard<std::mutex> lock(all_.mutex_);
  auto& open = all_.open_;
  open.erase(
      std::remove_if(open.begin(), open.end(), [this](const Entry& entry) { return entry.question == question_; }),
      open.end());
}

bool Questions::Break(const Run& run) {
  const std::lock_guard<std::mutex> lock(mutex_);
  bool any = false;
  for (const Entry& entry : open_) {
    if (entry.run != &run) continue;
    entry.question->Break();
    any = any || entry.question->broken();  // not one that was answered, but is listed still
  }
  return any;
}

void Questions::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  for (const Entry& entry : open_) entry.question->Break();
}

}  // namespace rkllm
