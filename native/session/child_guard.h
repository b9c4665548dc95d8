// What becomes of the child processes of an environment that ends before them.
#pragma once

#include <sys/types.h>

#include <set>

namespace rkllm {

// libuv reaps the children of an environment, and forgets them when a worker thread ends: each would stay a zombie
// until the application ends. Here they are waited for in its place. One for each environment; JavaScript thread.
class ChildGuard {
 public:
  ChildGuard() = default;
  ChildGuard(const ChildGuard&) = delete;
  ChildGuard& operator=(const ChildGuard&) = delete;
  // The end of the environment: its handles are closed, so the children are leaving. They get a time limit, then they
  // are killed. What is stuck in the kernel even then is left to later calls of Add(), from any environment.
  ~ChildGuard();

  // One is about to be started: the thread may be terminated before its number is told.
  void Expect() { ++expected_; }
  // It has been started; 0: it could not be. What is no child of this process is never touched.
  void Add(pid_t pid);
  // libuv has reaped it.
  void Remove(pid_t pid);

 private:
  void ReapExpected();

  std::set<pid_t> pids_;
  int expected_ = 0;
};

}  // namespace rkllm
