#include "exit_guard.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "../runtime/library.h"
#include "model.h"

namespace rkllm {
namespace {

constexpr std::chrono::milliseconds kExitLimit{2000};

// Process-wide: an exit concerns the models of all environments. Never destroyed, since it is used during exit.
struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<Model>> models;  // guarded by mutex
  std::set<const void*> loaded;              // libraries that have their handler; guarded by mutex
  std::set<const void*> initialized;         // likewise
};

Registry& TheRegistry() {
  static Registry& registry = *std::make_unique<Registry>().release();
  return registry;
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
  auto models = LiveModels();
  for (const auto& model : models) {
    model->Silence();
    model->Dispose();
  }
  // In turns: one that is stuck must not keep another from being asked again.
  do {
    models.erase(std::remove_if(models.begin(), models.end(), [](const auto& model) { return model->JoinBriefly(); }),
                 models.end());
  } while (!models.empty() && std::chrono::steady_clock::now() < deadline);
  for (const auto& model : models) model->LeaveAlone();
}

}  // namespace

void GuardExit(std::weak_ptr<Model> model, const Library& library) {
  bool first = false;
  {
    const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
    first = TheRegistry().loaded.insert(library.id()).second;
    auto& models = TheRegistry().models;
    models.erase(std::remove_if(models.begin(), models.end(), [](const auto& weak) { return weak.expired(); }),
                 models.end());
    models.push_back(std::move(model));
  }
  if (first) std::atexit(&DisposeAll);
}

void GuardExitAfterInit(const Library& library) {
  bool first = false;
  {
    const std::lock_guard<std::mutex> lock(TheRegistry().mutex);
    first = TheRegistry().initialized.insert(library.id()).second;
  }
  if (first) std::atexit(&DisposeAll);
}

}  // namespace rkllm
