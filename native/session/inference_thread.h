// The only place that starts a thread: one per model, which makes every vendor call of that model in order.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

namespace rkllm {

class InferenceThread {
 public:
  using Job = std::function<void()>;

  InferenceThread();
  InferenceThread(const InferenceThread&) = delete;
  InferenceThread& operator=(const InferenceThread&) = delete;
  // Never waits: a thread that has not been joined by then goes on alone until its jobs are done.
  ~InferenceThread();

  // False when the system has no thread to give.
  bool Start();
  // Any thread. False after Close().
  bool Post(Job job);
  // Any thread. The jobs posted so far are still done; then the thread leaves.
  void Close();
  // Any thread but this one. False when the thread is still busy after `limit`; it is then left alone.
  bool Join(std::chrono::milliseconds limit);

 private:
  struct Queue;  // shared with the thread, which may outlive this object

  static void Main(const std::shared_ptr<Queue>& queue);

  std::shared_ptr<Queue> queue_;
  std::shared_future<void> left_;
  std::mutex thread_mutex_;  // guards thread_: the environment's and the process's exit may both join
  std::thread thread_;
};

}  // namespace rkllm
