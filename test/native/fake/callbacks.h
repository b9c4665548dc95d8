// The caller's functions, as rkllm_init was given them.
#pragma once

#include <cstdint>

namespace fake {

struct Callbacks {
  const void* given = nullptr;  // what rkllm_init was given
  const void* result = nullptr;
  void* result_userdata = nullptr;
  const void* tokenizer = nullptr;
  void* tokenizer_userdata = nullptr;
  const void* embedding = nullptr;
  void* embedding_userdata = nullptr;
};

// A function up to 1.2.3, a RKLLMCallback from 1.3.0. False when a promise was broken, which has then been reported.
bool ReadCallbacks(const void* given, Callbacks& callbacks);

// Whether a RKLLMCallback still holds what it held at the initialization.
bool Unchanged(const Callbacks& callbacks);

// What the callback returns; 0 in the generations where it returns nothing.
int CallResult(const Callbacks& callbacks, void* result, void* userdata, std::int32_t state);

}  // namespace fake
