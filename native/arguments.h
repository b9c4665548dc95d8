// Checked reading of JavaScript arguments. TypeScript has validated options before; these checks are what stands
// between a wrong call and undefined behaviour. Each function either returns a value or throws a JavaScript TypeError
// and returns nullopt.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
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

inline std::optional<float> ReadFloat(Napi::Env env, Napi::Value value, const char* name) {
  const auto number = ReadNumber(env, value, name);
  if (!number) return std::nullopt;
  if (std::abs(*number) > static_cast<double>(std::numeric_limits<float>::max())) {
    return Refuse(env, std::string(name) + " is too large");
  }
  return static_cast<float>(*number);
}

inline std::optional<bool> ReadFlag(Napi::Env env, Napi::Value value, const char* name) {
  if (!value.IsBoolean()) return Refuse(env, std::string(name) + " must be true or false");
  return value.As<Napi::Boolean>().Value();
}

// Optional fields of an options object: `false` means that an error has been thrown. `limits` are those of an integer.
template <typename T, typename... Limits>
bool ReadOptional(Napi::Env env, Napi::Object options, const char* name, std::optional<T>& target, Limits... limits) {
  const Napi::Value value = GetProperty(options, name);
  if (env.IsExceptionPending()) return false;  // a throwing getter
  if (value.IsUndefined()) return true;
  if constexpr (std::is_same_v<T, bool>) {
    target = ReadFlag(env, value, name);
  } else if constexpr (std::is_same_v<T, float>) {
    target = ReadFloat(env, value, name);
  } else if constexpr (std::is_same_v<T, std::string>) {
    target = ReadText(env, value, name);
  } else if (const auto integer = ReadInteger(env, value, name, limits...)) {
    target = static_cast<T>(*integer);
  }
  return target.has_value();
}

// Copies: the array stays JavaScript's, and may be detached or changed while the run lasts.
template <typename Number>
std::optional<std::vector<Number>> ReadNumbers(Napi::Env env, Napi::Value value, const char* name,
                                               napi_typedarray_type type, const char* expected) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    return Refuse(env, std::string(name) + " must be " + expected);
  }
  const auto array = value.As<Napi::TypedArrayOf<Number>>();
  const std::size_t length = array.ElementLength();
  if (length == 0 || array.Data() == nullptr) return Refuse(env, std::string(name) + " must not be empty");
  // Far beyond any context: a length that a mistake has made must not take the memory of the whole machine.
  constexpr std::size_t kMost = 1U << 28U;
  if (length > kMost) return Refuse(env, std::string(name) + " must not have more than 268435456 elements");
  return std::vector<Number>(array.Data(), array.Data() + length);
}

inline std::optional<std::vector<float>> ReadFloats(Napi::Env env, Napi::Value value, const char* name) {
  return ReadNumbers<float>(env, value, name, napi_float32_array, "a Float32Array");
}

inline std::optional<std::vector<std::int32_t>> ReadTokenIds(Napi::Env env, Napi::Value value, const char* name) {
  auto ids = ReadNumbers<std::int32_t>(env, value, name, napi_int32_array, "an Int32Array");
  if (!ids || std::all_of(ids->begin(), ids->end(), [](std::int32_t id) { return id >= 0; })) return ids;
  return Refuse(env, std::string(name) + " must not contain negative token ids");
}

}  // namespace rkllm
