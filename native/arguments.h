// Checked reading of JavaScript arguments. TypeScript has validated options before; these checks are what stands
// between a wrong call and undefined behaviour. Each function either returns a value or throws a JavaScript TypeError
// and returns nullopt.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bindings/throwing.h"

namespace rkllm {

inline std::nullopt_t Refuse(Napi::Env env, const std::string& message) {
  ThrowTypeError(env, message);
  return std::nullopt;
}

// Empty (as undefined) when a getter threw; its exception is then pending.
inline Napi::Value GetProperty(Napi::Object object, const char* name) {
  napi_value value = nullptr;
  if (napi_get_named_property(object.Env(), object, name, &value) != napi_ok) return {};
  return {object.Env(), value};
}

// A non-empty string without NUL characters: C would end it there.
inline std::optional<std::string> ReadText(Napi::Env env, Napi::Value value, const char* name) {
  if (!value.IsString()) return Refuse(env, std::string(name) + " must be a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.empty()) return Refuse(env, std::string(name) + " must not be empty");
  if (text.find('\0') != std::string::npos) return Refuse(env, std::string(name) + " must not contain U+0000");
  return text;
}

inline std::optional<double> ReadNumber(Napi::Env env, Napi::Value value, const char* name) {
  if (!value.IsNumber()) return Refuse(env, std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number)) return Refuse(env, std::string(name) + " must be finite");
  return number;
}

inline std::optional<std::int64_t> ReadInteger(Napi::Env env, Napi::Value value, const char* name, std::int64_t low,
                                               std::int64_t high) {
  const auto number = ReadNumber(env, value, name);
  if (!number) return std::nullopt;
  if (std::trunc(*number) != *number || *number < static_cast<double>(low) || *number > static_cast<double>(high)) {
    return Refuse(
        env, std::string(name) + " must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return static_cast<std::int64_t>(*number);
}

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

// Optional fields of an options object: `false` means that an error has been thrown.
inline bool ReadOptional(Napi::Env env, Napi::Object options, const char* name, std::optional<float>& target) {
  const Napi::Value value = GetProperty(options, name);
  if (env.IsExceptionPending()) return false;  // a throwing getter
  if (value.IsUndefined()) return true;
  const auto number = ReadNumber(env, value, name);
  if (!number) return false;
  if (std::abs(*number) > static_cast<double>(std::numeric_limits<float>::max())) {
    Refuse(env, std::string(name) + " is too large");
    return false;
  }
  target = static_cast<float>(*number);
  return true;
}

inline bool ReadOptional(Napi::Env env, Napi::Object options, const char* name, std::optional<std::int32_t>& target) {
  const Napi::Value value = GetProperty(options, name);
  if (env.IsExceptionPending()) return false;
  if (value.IsUndefined()) return true;
  const auto integer = ReadInteger(env, value, name, 1, kMaxInt32);
  if (!integer) return false;
  target = static_cast<std::int32_t>(*integer);
  return true;
}

// Copies: the array stays JavaScript's, and may be detached or changed while the run lasts.
inline std::optional<std::vector<std::int32_t>> ReadTokenIds(Napi::Env env, Napi::Value value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    return Refuse(env, std::string(name) + " must be an Int32Array");
  }
  const auto array = value.As<Napi::Int32Array>();
  const std::size_t length = array.ElementLength();
  const std::int32_t* data = array.Data();
  if (length == 0 || data == nullptr) return Refuse(env, std::string(name) + " must not be empty");
  std::vector<std::int32_t> ids(data, data + length);
  for (const std::int32_t id : ids) {
    if (id < 0) return Refuse(env, std::string(name) + " must not contain negative token ids");
  }
  return ids;
}

}  // namespace rkllm
