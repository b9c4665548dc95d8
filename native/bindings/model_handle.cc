#include "model_handle.h"

#include <chrono>
#include <utility>

#include "events.h"
#include "throwing.h"

namespace rkllm {
namespace {

// How long the end of an environment waits for the runtime after an abort. A hung driver must not hang the process.
constexpr std::chrono::milliseconds kTeardownLimit{2000};

}  // namespace

std::shared_ptr<ModelHandle> ModelHandle::Create(Napi::Env env, Napi::Function on_event, RuntimeChoice runtime,
                                                 LoadParams params) {
  std::shared_ptr<ModelHandle> handle(new ModelHandle(env, params.Rows()));
  // Weak: the thread-safe function must not keep a forgotten model alive.
  handle->gate_ = TokenGate::Open(env, on_event, [weak = handle->weak_from_this()](napi_env at, napi_value callback) {
    if (const auto self = weak.lock()) self->Deliver(at, callback);
  });
  if (!handle->gate_) {
    ThrowError(env, nullptr, "cannot create a thread-safe function");
    return nullptr;
  }
  handle->model_ = std::make_shared<Model>(handle->gate_);
  // After the thread-safe function's own hook was added, so this one runs before it.
  handle->hooked_ = napi_add_env_cleanup_hook(env, &OnEnvironmentExit, handle.get()) == napi_ok;
  handle->gate_->Hold();
  if (!handle->model_->Load(std::move(runtime), std::move(params))) {
    ThrowError(env, nullptr, "the system gives no further thread");
    return nullptr;
  }
  return handle;
}

ModelHandle::~ModelHandle() {
  RemoveHook();
  if (gate_) gate_->Finish();
  if (model_) model_->Dispose();
}

std::shared_ptr<Run> ModelHandle::Start(std::uint32_t id, RunParams params) {
  auto run = model_->Start(id, std::move(params));
  if (run) gate_->Hold();
  return run;
}

bool ModelHandle::Perform(std::uint32_t call, Operation operation) {
  const bool accepted = model_->Perform(call, std::move(operation));
  if (accepted) gate_->Hold();
  return accepted;
}

void ModelHandle::Dispose() {
  if (!std::exchange(disposing_, true)) gate_->Hold();
  model_->Dispose();
}

void ModelHandle::Abandon() {
  disposing_ = true;
  gate_->Finish();
  model_->Dispose();
}

// JavaScript thread, woken by the gate.
void ModelHandle::Deliver(napi_env env, napi_value callback) {
  for (const Notice& notice : model_->TakeNotices()) {
    Settle(notice);
    const Napi::HandleScope scope{Napi::Env(env)};
    // Plain Node-API on purpose: Napi::Function::Call would make a JavaScript error where none can be made any more
    // (a worker that is being terminated), and that ends the process.
    napi_value event = ToEvent(env, notice);
    napi_value receiver = nullptr;
    napi_value result = nullptr;
    napi_value exception = nullptr;
    if (event == nullptr || napi_get_undefined(env, &receiver) != napi_ok) continue;
    if (napi_call_function(env, receiver, callback, 1, &event, &result) == napi_pending_exception &&
        napi_get_and_clear_last_exception(env, &exception) == napi_ok) {
      napi_fatal_exception(env, exception);  // TypeScript's listener never throws; if it does, let it be seen
    }
  }
}

// The counterpart of every Hold(): load, run and disposal keep the event loop alive, an idle model does not.
void ModelHandle::Settle(const Notice& notice) {
  if (std::holds_alternative<Readable>(notice) || std::holds_alternative<Asked>(notice) ||
      std::holds_alternative<Identified>(notice)) {
    return;
  }
  gate_->Unhold();
  if (!std::holds_alternative<Disposed>(notice)) return;
  model_->Join(kTeardownLimit);  // the thread has said its last word; it only has to leave
  gate_->Finish();
  RemoveHook();
}

void ModelHandle::RemoveHook() {
  if (std::exchange(hooked_, false)) napi_remove_env_cleanup_hook(env_, &OnEnvironmentExit, this);
}

// The environment goes away (worker.terminate(), end of the process). Close first: from here on no thread of ours
// reaches JavaScript. Then the runtime is stopped and waited for, but not for ever.
void ModelHandle::OnEnvironmentExit(void* raw) {
  auto* self = static_cast<ModelHandle*>(raw);
  self->hooked_ = false;
  self->gate_->Close();
  self->model_->Dispose();
  self->model_->Join(kTeardownLimit);
}

}  // namespace rkllm
