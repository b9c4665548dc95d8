#include "exit_guard.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "model.h"

namespace rkllm {
namespace {

constexpr std::chrono::milliseconds kExitLimit{2000};

// Process-wide: an exit concerns the models of all environments. Never destroyed, since it is used during exit.
struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<Model>> models;  // guarded by mutex
};

Registry& TheRegistry() {
  static auto* const registry = new Registry;
  return *registry;
}

std::vector<std::shared_ptr<Model>> LiveModels() {
  std::vector<std::shared_ptr<Model>> live;
  const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
  for (const auto& weak : TheRegistry().models) {
    auto model = weak.lock();
    if (model && !model->stuck()) live.push_back(std::move(model));
  }
  return live;
}

// On the thread that calls exit(); JavaScript no longer runs there.
void DisposeAll() {
  const auto deadline = std::chrono::steady_clock::now() + kExitLimit;
  const auto models = LiveModels();
  for (const auto& model : models) {
    model->Silence();
    model->Dispose();
  }
  for (const auto& model : models) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    model->Join(std::max(left, std::chrono::milliseconds(0)));
  }
}

}  // namespace

void GuardExit(std::weak_ptr<Model> model) {
  {
    const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
    auto& models = TheRegistry().models;
    models.erase(std::remove_if(models.begin(), models.end(), [](const auto& weak) { return weak.expired(); }),
                 models.end());
    models.push_back(std::move(model));
  }
  std::atexit(&DisposeAll);
}

}  // namespace rkllm
