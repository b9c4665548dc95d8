#include "inference_thread.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <system_error>
#include <utility>

namespace rkllm {

struct InferenceThread::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;  // guarded by mutex
  bool closed = false;   // guarded by mutex
  std::promise<void> left;
};

InferenceThread::InferenceThread() : queue_(std::make_shared<Queue>()), left_(queue_->left.get_future().share()) {}

InferenceThread::~InferenceThread() {
  Close();
  if (thread_.joinable()) thread_.detach();
}

bool InferenceThread::Start() {
  try {
    thread_ = std::thread([queue = queue_] { Main(queue); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

bool InferenceThread::Post(Job job) {
  {
    const std::lock_guard<std::mutex> lock(queue_->mutex);
    if (queue_->closed) return false;
    queue_->jobs.push_back(std::move(job));
  }
  queue_->changed.notify_one();
  return true;
}

void InferenceThread::Close() {
  {
    const std::lock_guard<std::mutex> lock(queue_->mutex);
    queue_->closed = true;
  }
  queue_->changed.notify_one();
}

// The limit is waited out on a future, not on a condition variable: its timed wait needs no symbol of a newer glibc
// (see glibc_compat.c) and keeps to the monotonic clock.
bool InferenceThread::Join(std::chrono::milliseconds limit) {
  if (left_.wait_for(limit) != std::future_status::ready) return false;
  const std::lock_guard<std::mutex> lock(thread_mutex_);
  if (thread_.joinable()) thread_.join();
  return true;
}

void InferenceThread::Main(const std::shared_ptr<Queue>& queue) {
  pthread_setname_np(pthread_self(), "rkllm-infer");
  for (;;) {
    Job job;
    {
      std::unique_lock<std::mutex> lock(queue->mutex);
      queue->changed.wait(lock, [&] { return queue->closed || !queue->jobs.empty(); });
      if (queue->jobs.empty()) break;
      job = std::move(queue->jobs.front());
      queue->jobs.pop_front();
    }
    try {
      job();
    } catch (...) {
      // Jobs report their own failures; this is the last fence, so that nothing ends the process from here.
    }
  }
  queue->left.set_value();
}

}  // namespace rkllm
