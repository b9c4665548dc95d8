#include "child_guard.h"

#include <sys/wait.h>

#include <chrono>
#include <csignal>
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

// Returns when all are gone or the time is over.
void ReapWithin(std::set<pid_t>& pids, std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  for (Reap(pids); !pids.empty() && Clock::now() < deadline; Reap(pids)) std::this_thread::sleep_for(kPollInterval);
}

}  // namespace

ChildGuard::~ChildGuard() {
  ReapWithin(pids_, kLeaveLimit);
  // What has just been waited for in vain is a living child of ours: its number belongs to nobody else.
  for (const pid_t pid : pids_) kill(pid, SIGKILL);
  ReapWithin(pids_, kKillLimit);
  const std::lock_guard<std::mutex> lock(TheOrphans().mutex);
  TheOrphans().pids.merge(pids_);
}

void ChildGuard::Add(pid_t pid) {
  {
    const std::lock_guard<std::mutex> lock(TheOrphans().mutex);
    Reap(TheOrphans().pids);
  }
  pids_.insert(pid);
}

void ChildGuard::Remove(pid_t pid) { pids_.erase(pid); }

}  // namespace rkllm
