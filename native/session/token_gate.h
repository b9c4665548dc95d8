// The only door from a foreign thread to JavaScript.
#pragma once

#include <node_api.h>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "waker.h"

namespace rkllm {

// A wake-up without payload around one thread-safe function. At most one wake-up is on its way at a time; what there
// is to say is fetched on the JavaScript thread. The inference thread may outlive the environment (a stuck driver), so
// every use of the thread-safe function is under the mutex and behind `open_`: using it after its environment has gone
// ends the process, whatever Node-API's documentation says about napi_closing.
class TokenGate final : public Waker {
 public:
  // Called on the JavaScript thread after a wake-up, with the function given to Open().
  using Deliver = std::function<void(napi_env env, napi_value callback)>;

  // JavaScript thread. nullptr when the environment cannot take it (it is going away).
  static std::shared_ptr<TokenGate> Open(napi_env env, napi_value callback, Deliver deliver);

  // Any thread. Does nothing once the gate is closed.
  void Wake() override;
  // JavaScript thread: while held, the gate keeps the environment's event loop alive. Calls nest.
  void Hold();
  void Unhold();
  // JavaScript thread: the model is done with. The thread-safe function goes away by itself.
  void Finish();
  // The environment or the process goes away: the thread-safe function is never touched again.
  void Close() override;

 private:
  explicit TokenGate(Deliver deliver) : deliver_(std::move(deliver)) {}

  static void OnCall(napi_env env, napi_value callback, void* context, void* data);
  static void OnFinalize(napi_env env, void* data, void* hint);

  std::mutex mutex_;
  bool open_ = true;     // guarded by mutex_
  bool waking_ = false;  // guarded by mutex_
  napi_threadsafe_function function_ = nullptr;
  napi_env env_ = nullptr;
  int holds_ = 0;    // JavaScript thread
  Deliver deliver_;  // JavaScript thread
};

}  // namespace rkllm
