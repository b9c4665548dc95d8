// Errors as values. Nothing in this addon throws on purpose; what the standard library throws is caught at the top of
// every thread and every C entry point.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rkllm {

// The part of the package's error codes (lib/errors.ts) that is decided in C++.
enum class ErrorCode {
  kRuntimeInvalid,
  kRuntimeUnsupported,
  kUnsupportedByRuntime,
  kInitFailed,
  kRunFailed,
  kDisposed
};

constexpr const char* Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kRuntimeInvalid:
      return "RKLLM_RUNTIME_INVALID";
    case ErrorCode::kRuntimeUnsupported:
      return "RKLLM_RUNTIME_UNSUPPORTED";
    case ErrorCode::kUnsupportedByRuntime:
      return "RKLLM_UNSUPPORTED_BY_RUNTIME";
    case ErrorCode::kInitFailed:
      return "RKLLM_INIT_FAILED";
    case ErrorCode::kRunFailed:
      return "RKLLM_RUN_FAILED";
    case ErrorCode::kDisposed:
      return "RKLLM_DISPOSED";
  }
  return "RKLLM_RUN_FAILED";
}

// One piece of evidence, for people.
struct Finding {
  std::string source;    // what was looked at
  std::string found;     // what it showed
  std::string suggests;  // what follows from it; empty when nothing does
};

// What went wrong and what was found. The hint (what to do next) is TypeScript's part.
struct Error {
  ErrorCode code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<Finding> evidence = {};
};

template <typename T>
class Result {
 public:
  // Implicit on purpose: `return value;` and `return Error{...};` both read well.
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  T& value() { return std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace rkllm
