#include "instance.h"

#include <set>

#include "report.h"

namespace fake {
namespace {

// Handles that have been given out, to notice a handle that is used after its end. Never destroyed: a thread that
// exit() does not wait for may still come here.
struct Handles {
  std::mutex mutex;
  std::set<Instance*> live;
};

Handles& TheHandles() {
  static auto* const handles = new Handles;
  return *handles;
}

}  // namespace

Instance* Find(void* handle, const char* function) {
  const std::lock_guard<std::mutex> lock(TheHandles().mutex);
  auto* instance = static_cast<Instance*>(handle);
  if (TheHandles().live.count(instance) == 1) return instance;
  Violation(std::string(function) + ": the handle is not a live one");
  return nullptr;
}

void* Enlist(Instance* instance) {
  const std::lock_guard<std::mutex> lock(TheHandles().mutex);
  TheHandles().live.insert(instance);
  return instance;
}

void Delist(Instance* instance) {
  const std::lock_guard<std::mutex> lock(TheHandles().mutex);
  TheHandles().live.erase(instance);
}

bool AnyLive() {
  const std::lock_guard<std::mutex> lock(TheHandles().mutex);
  return !TheHandles().live.empty();
}

Exclusive::Exclusive(void* handle, const char* function) : instance_(Find(handle, function)) {
  if (instance_ == nullptr) return;
  if (instance_->running.exchange(true)) {
    Violation(std::string(function) + ": the handle is already running");
    instance_ = nullptr;
    return;
  }
  instance_->idle.Pause();
}

Exclusive::~Exclusive() {
  if (instance_ == nullptr) return;
  instance_->idle.Resume();
  instance_->running = false;
}

void Details(const Instance& instance, const std::string& line) {
  if (instance.script.details) Trace(line);
}

}  // namespace fake
