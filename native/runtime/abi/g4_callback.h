// The callbacks of librkllmrt from 1.3.0 on: they came to be one struct instead of one function.
#pragma once

#include "g4.h"

namespace rkllm::abi::g4 {

// Returns how many ids it wrote to `tokens` (at most n_max), or a negative number for a failure.
using TokenizerCallback = std::int32_t (*)(void* userdata, const char* text, std::int32_t text_length,
                                           std::int32_t* tokens, std::int32_t n_max);
// Fills `embed` with num_tokens vectors. Returns 0 for success.
using EmbedCallback = std::int32_t (*)(void* userdata, std::int32_t* tokens, std::uint64_t num_tokens, void* embed,
                                       std::uint64_t length_bytes);

struct Callback {
  ResultCallback<RunResult> result_callback;
  void* result_userdata;
  TokenizerCallback tokenizer_callback;
  void* tokenizer_userdata;
  EmbedCallback embed_callback;
  void* embed_userdata;
};

static_assert(sizeof(Callback) == 48);
static_assert(alignof(Callback) == 8);
static_assert(offsetof(Callback, result_callback) == 0);
static_assert(offsetof(Callback, result_userdata) == 8);
static_assert(offsetof(Callback, tokenizer_callback) == 16);
static_assert(offsetof(Callback, tokenizer_userdata) == 24);
static_assert(offsetof(Callback, embed_callback) == 32);
static_assert(offsetof(Callback, embed_userdata) == 40);

using InitFn = int (*)(Handle* handle, Param* param, Callback* callback);

}  // namespace rkllm::abi::g4
