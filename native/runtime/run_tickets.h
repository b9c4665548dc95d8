// Tells the events of the run in progress from those that come when their run has returned.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace rkllm {

// The runtime hands the userdata of a run back with each of its events: its address tells whose an event is.
class RunTickets {
 public:
  // `owner` is what OwnerOf() gives.
  explicit RunTickets(void* owner) : at_load_{this, owner} { tickets_.fill({this, owner}); }
  RunTickets(const RunTickets&) = delete;
  RunTickets& operator=(const RunTickets&) = delete;
  ~RunTickets() = default;

  // For a runtime that hands back what it got at load in place of what it got with the run.
  void* AtLoad() { return &at_load_; }
  // Inference thread: the userdata of the run that is about to start.
  void* Begin() {
    Ticket* const ticket = &tickets_.at(next_++ % tickets_.size());
    current_ = ticket;
    return ticket;
  }
  void End() { current_ = nullptr; }

  // Any thread. nullptr for an event of a run that has returned: its result may be gone.
  static void* OwnerOf(const void* userdata) {
    const auto* ticket = static_cast<const Ticket*>(userdata);
    if (ticket == nullptr) return nullptr;
    const bool expected = ticket == ticket->tickets->current_ || ticket == &ticket->tickets->at_load_;
    return expected ? ticket->owner : nullptr;
  }

 private:
  struct Ticket {
    RunTickets* tickets;
    void* owner;
  };
  // An event that comes so many runs late would be taken for one of the run in progress.
  static constexpr std::size_t kTickets = 64;

  std::array<Ticket, kTickets> tickets_{};
  std::size_t next_ = 0;
  std::atomic<const Ticket*> current_{nullptr};  // nullptr: no run is in progress
  Ticket at_load_;
};

}  // namespace rkllm
