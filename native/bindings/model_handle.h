// A model as one environment holds it: ties the session to the environment's life. JavaScript thread only.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "../session/model.h"
#include "../session/token_gate.h"

namespace rkllm {

class ModelHandle : public std::enable_shared_from_this<ModelHandle> {
 public:
  // Starts the load. nullptr when an error is pending in `env`.
  static std::shared_ptr<ModelHandle> Create(Napi::Env env, Napi::Function on_event, RuntimeChoice runtime,
                                             LoadParams params);

  ModelHandle(const ModelHandle&) = delete;
  ModelHandle& operator=(const ModelHandle&) = delete;
  // Also reached when a forgotten model is collected: its handle is then freed in the background.
  ~ModelHandle();

  // How many inputs a run has.
  std::size_t Rows() const { return rows_; }
  // nullptr after Dispose().
  std::shared_ptr<Run> Start(std::uint32_t id, RunParams params);
  // False after Dispose().
  bool Perform(std::uint32_t call, Operation operation);
  bool Abort(Run& run) { return model_->Abort(run); }
  void Dispose();
  // Gives up waiting for a stuck model: no event comes any more, and the event loop may end.
  void Abandon();

 private:
  ModelHandle(napi_env env, std::size_t rows) : env_(env), rows_(rows) {}

  void Deliver(napi_env env, napi_value callback);
  void Settle(const Notice& notice);
  void RemoveHook();
  static void OnEnvironmentExit(void* self);

  napi_env env_;
  const std::size_t rows_;
  std::shared_ptr<TokenGate> gate_;
  std::shared_ptr<Model> model_;
  bool hooked_ = false;
  bool disposing_ = false;
};

}  // namespace rkllm
