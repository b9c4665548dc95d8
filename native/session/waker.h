// The way out of a session towards JavaScript, as the session sees it.
#pragma once

namespace rkllm {

// Both functions may be called on any thread.
class Waker {
 public:
  Waker() = default;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  virtual ~Waker() = default;

  // There is something to fetch.
  virtual void Wake() = 0;
  // JavaScript is going away: wake-ups have no effect any more.
  virtual void Close() = 0;
};

}  // namespace rkllm
