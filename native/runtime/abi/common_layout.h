// Compile-time proof of the layouts in common.h: a size, an alignment and every offset, against the documented figures.
#pragma once

#include "common.h"

namespace rkllm::abi {

static_assert(sizeof(LoraAdapter) == 24);
static_assert(alignof(LoraAdapter) == 8);
static_assert(offsetof(LoraAdapter, lora_adapter_path) == 0);
static_assert(offsetof(LoraAdapter, lora_adapter_name) == 8);
static_assert(offsetof(LoraAdapter, scale) == 16);

static_assert(sizeof(EmbedInput) == 16);
static_assert(alignof(EmbedInput) == 8);
static_assert(offsetof(EmbedInput, embed) == 0);
static_assert(offsetof(EmbedInput, n_tokens) == 8);

static_assert(sizeof(TokenInput) == 16);
static_assert(alignof(TokenInput) == 8);
static_assert(offsetof(TokenInput, input_ids) == 0);
static_assert(offsetof(TokenInput, n_tokens) == 8);

static_assert(sizeof(LoraParam) == 8);
static_assert(alignof(LoraParam) == 8);
static_assert(offsetof(LoraParam, lora_adapter_name) == 0);

static_assert(sizeof(PromptCacheParam) == 16);
static_assert(alignof(PromptCacheParam) == 8);
static_assert(offsetof(PromptCacheParam, save_prompt_cache) == 0);
static_assert(offsetof(PromptCacheParam, prompt_cache_path) == 8);

static_assert(sizeof(LastHiddenLayer) == 16);
static_assert(alignof(LastHiddenLayer) == 8);
static_assert(offsetof(LastHiddenLayer, hidden_states) == 0);
static_assert(offsetof(LastHiddenLayer, embd_size) == 8);
static_assert(offsetof(LastHiddenLayer, num_tokens) == 12);

}  // namespace rkllm::abi
