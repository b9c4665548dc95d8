#include "idle_watch.h"

#include "ends.h"
#include "report.h"

namespace fake {

IdleWatch::~IdleWatch() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void IdleWatch::Start(std::string how, std::chrono::milliseconds after) {
  how_ = std::move(how);
  after_ = after;
  Resume();
  thread_ = std::thread([this] { Watch(); });
}

void IdleWatch::Pause() {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_ = false;
}

void IdleWatch::Resume() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_ = true;
    end_ = std::chrono::steady_clock::now() + after_;
  }
  changed_.notify_one();
}

void IdleWatch::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (!idle_) {
      changed_.wait(lock);
    } else if (std::chrono::steady_clock::now() < end_) {
      changed_.wait_until(lock, end_);
    } else {
      Trace("idle " + how_);
      // What exit() runs may call the library: only a hang keeps it from that.
      if (how_ != "hang") lock.unlock();
      ComeToAnEnd(how_);
    }
  }
}

}  // namespace fake
