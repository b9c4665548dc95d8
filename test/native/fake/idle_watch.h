// A thread of the library's own that comes to a bad end while nobody calls it, as one in the NPU's driver does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace fake {

class IdleWatch {
 public:
  IdleWatch() = default;
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;
  ~IdleWatch();

  // Comes to this end when no call was made for so long, from now on or since the last call has returned.
  void Start(std::string how, std::chrono::milliseconds after);

  // A call begins, and ends. After a `hang` Pause() never returns: the thread has taken what the call needs.
  void Pause();
  void Resume();

 private:
  void Watch();

  std::string how_;
  std::chrono::milliseconds after_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool idle_ = false;  // guarded by mutex_, as all below
  bool stopping_ = false;
  std::chrono::steady_clock::time_point end_;
  std::thread thread_;
};

}  // namespace fake
