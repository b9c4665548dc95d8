// Opaque JavaScript objects that own something in C++. A type tag tells ours from all others, so that a wrong object
// is a TypeError and never a wrong cast.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "throwing.h"

namespace rkllm {

// `Tag` is a unique constant per wrapped type. What marks the objects differs from one loaded copy of the addon to the
// next: two versions of this package in one process do not take each other's objects, whose insides may differ.
template <typename T, const napi_type_tag& Tag>
class Handle {
 public:
  // The object shares `value` until it is collected. Empty when the environment refuses (an error is pending then).
  static Napi::Value Wrap(Napi::Env env, std::shared_ptr<T> value) {
    auto box = std::make_unique<std::shared_ptr<T>>(std::move(value));
    napi_value object = nullptr;
    if (napi_create_object(env, &object) != napi_ok) return {};
    if (napi_wrap(env, object, box.get(), &Handle::Drop, nullptr, nullptr) != napi_ok) return {};
    static_cast<void>(box.release());
    napi_type_tag_object(env, object, &TagOfThisCopy());
    return {env, object};
  }

  // nullptr and a pending TypeError when `value` is anything else.
  static std::shared_ptr<T> Unwrap(Napi::Env env, Napi::Value value, const char* name) {
    bool ours = false;
    void* box = nullptr;
    if (value.IsObject() && napi_check_object_type_tag(env, value, &TagOfThisCopy(), &ours) == napi_ok && ours &&
        napi_unwrap(env, value, &box) == napi_ok) {
      return *static_cast<std::shared_ptr<T>*>(box);
    }
    ThrowTypeError(env, std::string(name) + " is not a handle of the expected kind");
    return nullptr;
  }

 private:
  // An address within this copy, which is never unloaded (-z nodelete), tells it from all others in the process.
  static const napi_type_tag& TagOfThisCopy() {
    static const napi_type_tag tag = {Tag.lower, Tag.upper ^ reinterpret_cast<std::uintptr_t>(&Handle::Drop)};
    return tag;
  }

  // JavaScript thread, after collection or when the environment goes away.
  static void Drop(napi_env /*env*/, void* box, void* /*hint*/) {
    const std::unique_ptr<std::shared_ptr<T>> dropped(static_cast<std::shared_ptr<T>*>(box));
  }
};

}  // namespace rkllm
