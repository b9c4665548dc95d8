// Drives one fake runtime through raw offsets.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "shape.h"

namespace self_test {

// Memory of exactly the given size, so that a sanitizer notices what goes beyond.
class Memory {
 public:
  explicit Memory(std::size_t size) : bytes_(size) {}

  template <typename T>
  void Set(std::size_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }
  template <typename T>
  T Get(std::size_t offset) const {
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(value));
    return value;
  }
  void* Data() { return bytes_.data(); }

 private:
  std::vector<unsigned char> bytes_;
};

struct Event {
  int state = 0;
  bool has_result = true;
  bool has_text = false;
  std::string text;
  std::int32_t id = 0;
  std::vector<float> values;  // hidden states or logits
  int rows = 0;
  std::int32_t prefill_tokens = 0;
  std::int32_t generate_tokens = 0;
  std::vector<std::int32_t> batch_ids;
  bool own_thread = true;
};

struct Outcome {
  int code = 0;
  std::vector<Event> events;

  std::string Text() const;
  std::string States() const;  // e.g. "0012"
};

// A library, loaded for good as the addon does.
class Runtime {
 public:
  Runtime(const std::string& library, const Shape& shape);

  const Shape& GetShape() const { return shape_; }
  bool From(int generation) const { return shape_.generation >= generation; }
  template <typename Function>
  Function* Symbol(const char* name) const {
    return reinterpret_cast<Function*>(Address(name));
  }
  // rkllm_createDefaultParam into poisoned memory.
  std::vector<unsigned char> Defaults() const;

 private:
  void* Address(const char* name) const;

  const Shape& shape_;
  void* library_;
};

// A model made of script lines, and what its journal says.
class Model {
 public:
  Model(const Runtime& runtime, const std::vector<std::string>& script);
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model();

  // The memory that is handed over; to be changed before the call that gets it.
  Memory param, input, infer, callback, sampling;
  void* callback_override = nullptr;
  void* userdata = nullptr;
  std::function<int(const Event&)> on_event;  // what the callback returns

  int Init();
  int Destroy();
  Outcome Run(const std::string& prompt);
  Outcome RunPrepared();
  // A call of a function that gets the handle first.
  template <typename... Arguments>
  int Call(const char* name, Arguments... arguments) {
    return runtime_.Symbol<int(void*, Arguments...)>(name)(handle_, arguments...);
  }
  void SetData(int type, const void* data, std::size_t count = 0);
  void Mode(int mode) { infer.Set<std::int32_t>(0, mode); }
  void KeepHistory(int keep) { infer.Set<std::int32_t>(runtime_.GetShape().keep_history, keep); }

  std::vector<std::string> Journal() const;
  // Whether a line of the journal contains the text; the journal is kept.
  bool Noted(const std::string& text) const;
  std::string path() const { return path_; }
  int Receive(const void* result, std::int32_t state);
  const Outcome& Received() const { return outcome_; }  // with what has come since

 private:
  Event Read(const void* result, std::int32_t state) const;

  const Runtime& runtime_;
  std::string path_;
  std::string prompt_;
  void* handle_ = nullptr;
  std::thread::id thread_;
  std::mutex mutex_;  // of outcome_, for events that come late
  Outcome outcome_;
};

// Says what is wrong, and counts it.
void Expect(bool condition, const std::string& what);
template <typename T>
std::string Shown(const T& value) {
  if constexpr (std::is_convertible_v<T, std::string>) {
    return value;
  } else {
    return std::to_string(value);
  }
}
template <typename T, typename U>
void ExpectEqual(const T& given, const U& wanted, const std::string& what) {
  Expect(given == wanted, what + " is " + Shown(given) + ", not " + Shown(wanted));
}
int Failures();

}  // namespace self_test
