// JavaScript errors out of C++. Plain Node-API: node-addon-api's own way ends the process when it cannot throw, which
// is the case while another exception is pending (a getter threw) or the environment is being terminated.
#pragma once

#include <node_api.h>

#include <string>

namespace rkllm {

// An exception that is already pending stays the one that is thrown.
inline void ThrowTypeError(napi_env env, const std::string& message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) {
    napi_throw_type_error(env, nullptr, message.c_str());
  }
}

// `code` becomes the error's property; nullptr for none.
inline void ThrowError(napi_env env, const char* code, const std::string& message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending) napi_throw_error(env, code, message.c_str());
}

}  // namespace rkllm
