#include "child_guard.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>

namespace rkllm {
namespace {

using Clock = std::chrono::steady_clock;

// A little more than a process of the runtime gives its runtime (leaveMs in host.ts).
constexpr std::chrono::milliseconds kLeaveLimit{2500};
constexpr std::chrono::milliseconds kKillLimit{100};
constexpr std::chrono::milliseconds kPollInterval{1};

// Process-wide: whichever environment is there when they end. Never destroyed, since workers may end during exit.
struct Orphans {
  std::mutex mutex;
  std::set<pid_t> pids;  // guarded by mutex; killed
};

Orphans& TheOrphans() {
  static Orphans& orphans = *std::make_unique<Orphans>().release();
  return orphans;
}

// Whether it is gone: now, before, or because it never was a child of this process.
bool IsReaped(pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; }

void Reap(std::set<pid_t>& pids) {
  for (auto pid = pids.begin(); pid != pids.end();) pid = IsReaped(*pid) ? pids.erase(pid) : std::next(pid);
}

// Asks again until it is so or the time is over.
template <typename Condition>
void WaitUntil(Condition holds, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!holds() && Clock::now() < deadline) std::this_thread::sleep_for(kPollInterval);
}

}  // namespace

ChildGuard::~ChildGuard() {
  const auto all_reaped = [this] {
    ReapExpected();
    Reap(pids_);
    return pids_.empty() && expected_ == 0;
  };
  WaitUntil(all_reaped, kLeaveLimit);
  // What has just been waited for in vain is a living child of ours: its number belongs to nobody else.
  for (const pid_t pid : pids_) kill(pid, SIGKILL);
  WaitUntil(all_reaped, kKillLimit);
  const std::lock_guard<std::mutex> lock(TheOrphans().mutex);
  TheOrphans().pids.merge(pids_);
}

// Those whose numbers are not known are among the children of this thread. Nobody else can wait for any of them now.
void ChildGuard::ReapExpected() {
  while (expected_ > 0) {
    const pid_t pid = waitpid(-1, nullptr, WNOHANG | __WNOTHREAD);
    if (pid == 0) return;
    if (pid < 0) {
      expected_ = 0;  // it was never started
    } else if (pids_.erase(pid) == 0) {
      --expected_;
    }
  }
}

void ChildGuard::Add(pid_t pid) {
  {
    const std::lock_guard<std::mutex> lock(TheOrphans().mutex);
    Reap(TheOrphans().pids);
  }
  expected_ = std::max(0, expected_ - 1);
  if (pid != 0) pids_.insert(pid);
}

void ChildGuard::Remove(pid_t pid) { pids_.erase(pid); }

}  // namespace rkllm
