// How an addon is usually written: one thread-safe-function call, one heap chunk and one JavaScript object per token.
// open(runtime, model): handle; run(handle, listener): the listener gets { text, tokenId } for each token, then
// undefined once. Only as careful as a bench needs.
#include <node_api.h>

#include <memory>
#include <string>
#include <thread>

#include "fake_runtime.h"

namespace {

struct Token {
  std::string text;
  std::int32_t id;
};

void OnResult(const rt_result* result, void* userdata, std::int32_t state) {
  if (state != RT_NORMAL && state != RT_WAITING) return;
  auto* token = new Token{result->text != nullptr ? result->text : "", result->token_id};
  // No limit and no waiting: a reader must not stall the NPU.
  napi_call_threadsafe_function(static_cast<napi_threadsafe_function>(userdata), token, napi_tsfn_nonblocking);
}

void OnCall(napi_env env, napi_value listener, void* /*context*/, void* data) {
  const std::unique_ptr<Token> token(static_cast<Token*>(data));
  if (env == nullptr) return;
  napi_value undefined = nullptr;
  napi_value argument = nullptr;
  napi_value result = nullptr;
  napi_get_undefined(env, &undefined);
  argument = undefined;
  if (token) {
    napi_value text = nullptr;
    napi_value id = nullptr;
    napi_create_object(env, &argument);
    napi_create_string_utf8(env, token->text.data(), token->text.size(), &text);
    napi_create_int32(env, token->id, &id);
    napi_set_named_property(env, argument, "text", text);
    napi_set_named_property(env, argument, "tokenId", id);
  }
  napi_call_function(env, undefined, listener, 1, &argument, &result);
}

std::string Text(napi_env env, napi_value value) {
  char text[4096];
  std::size_t length = 0;
  napi_get_value_string_utf8(env, value, text, sizeof(text), &length);
  return {text, length};
}

napi_value Open(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  auto* model = new rt_model;
  if (rt_load(model, Text(env, arguments[0]).c_str(), Text(env, arguments[1]).c_str(), &OnResult) != 0) {
    napi_throw_error(env, nullptr, "the model cannot be loaded");
    return nullptr;
  }
  napi_value handle = nullptr;
  napi_create_external(env, model, nullptr, nullptr, &handle);
  return handle;
}

napi_value Run(napi_env env, napi_callback_info info) {
  std::size_t count = 2;
  napi_value arguments[2];
  void* model = nullptr;
  napi_value name = nullptr;
  napi_threadsafe_function function = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  napi_get_value_external(env, arguments[0], &model);
  napi_create_string_utf8(env, "per-token", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, arguments[1], nullptr, name, 0, 1, nullptr, nullptr, nullptr, &OnCall,
                                  &function);
  std::thread([model, function] {
    rt_run(static_cast<rt_model*>(model), function);
    napi_call_threadsafe_function(function, nullptr, napi_tsfn_nonblocking);
    napi_release_threadsafe_function(function, napi_tsfn_release);
  }).detach();
  return nullptr;
}

napi_value Init(napi_env env, napi_value exports) {
  napi_value function = nullptr;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, &Open, nullptr, &function);
  napi_set_named_property(env, exports, "open", function);
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, &Run, nullptr, &function);
  napi_set_named_property(env, exports, "run", function);
  return exports;
}

}  // namespace

NAPI_MODULE(per_token, Init)
