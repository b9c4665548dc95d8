// The caller's memory, read by byte offsets of the documented 1.1.x layout. Shares no declaration with the addon: a
// wrong struct there must show here.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace fake {

template <typename T>
T ReadAt(const void* base, std::size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(base) + offset, sizeof(value));
  return value;
}

template <typename T>
void WriteAt(void* base, std::size_t offset, T value) {
  std::memcpy(static_cast<unsigned char*>(base) + offset, &value, sizeof(value));
}

// What the fake uses of RKLLMParam.
struct InitArguments {
  std::string model_path;
  std::int32_t max_context_len = 0;
  std::int32_t max_new_tokens = 0;
  std::string summary;  // all values, for the trace
};

// What the fake uses of RKLLMInput.
struct RunArguments {
  bool is_prompt = true;
  std::string prompt;
  std::vector<std::int32_t> tokens;
};

// False when a promise was broken; each one has then been reported.
bool ReadParam(const void* param, InitArguments& arguments);
bool ReadInput(const void* input, const void* infer, RunArguments& arguments);

}  // namespace fake
