#include "token_gate.h"

#include <utility>

namespace rkllm {

std::shared_ptr<TokenGate> TokenGate::Open(napi_env env, napi_value callback, Deliver deliver) {
  std::shared_ptr<TokenGate> gate(new TokenGate(std::move(deliver)));
  gate->env_ = env;
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "rkllm model", NAPI_AUTO_LENGTH, &name) != napi_ok) return nullptr;
  // The thread-safe function owns a share of the gate until it is finalized.
  auto keep_alive = std::make_unique<std::shared_ptr<TokenGate>>(gate);
  if (napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, keep_alive.get(), &OnFinalize,
                                      keep_alive.get(), &OnCall, &gate->function_) != napi_ok) {
    return nullptr;
  }
  static_cast<void>(keep_alive.release());
  napi_unref_threadsafe_function(env, gate->function_);
  return gate;
}

void TokenGate::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!open_ || waking_) return;
  // Anything but napi_ok means that the function is closing: it must not be touched again, not even released.
  waking_ = napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
  open_ = waking_;
}

void TokenGate::Hold() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (holds_++ == 0 && open_) napi_ref_threadsafe_function(env_, function_);
}

void TokenGate::Unhold() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--holds_ == 0 && open_) napi_unref_threadsafe_function(env_, function_);
}

void TokenGate::Finish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!open_) return;
  open_ = false;
  napi_release_threadsafe_function(function_, napi_tsfn_release);
}

void TokenGate::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_ = false;
}

// `env` is null when the queue is drained at teardown. Node.js does that after OnFinalize, so `context` is gone by
// then; a wake-up has no payload that would have to be freed.
void TokenGate::OnCall(napi_env env, napi_value callback, void* context, void* /*data*/) {
  if (env == nullptr || callback == nullptr) return;
  const std::shared_ptr<TokenGate> gate = *static_cast<std::shared_ptr<TokenGate>*>(context);
  {
    const std::lock_guard<std::mutex> lock(gate->mutex_);
    gate->waking_ = false;  // before delivering: what comes from now on needs another wake-up
  }
  gate->deliver_(env, callback);
}

void TokenGate::OnFinalize(napi_env /*env*/, void* data, void* /*hint*/) {
  const std::unique_ptr<std::shared_ptr<TokenGate>> keep_alive(static_cast<std::shared_ptr<TokenGate>*>(data));
  (*keep_alive)->Close();
}

}  // namespace rkllm
