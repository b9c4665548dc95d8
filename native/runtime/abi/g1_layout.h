// Compile-time proof of the layouts in g1.h: a size, an alignment and every offset, against the documented figures.
#pragma once

#include "g1.h"

namespace rkllm::abi::g1 {

static_assert(sizeof(ExtendParam) == 116);
static_assert(alignof(ExtendParam) == 4);
static_assert(offsetof(ExtendParam, base_domain_id) == 0);
static_assert(offsetof(ExtendParam, reserved) == 4);

static_assert(sizeof(Param) == 200);
static_assert(alignof(Param) == 8);
static_assert(offsetof(Param, model_path) == 0);
static_assert(offsetof(Param, max_context_len) == 8);
static_assert(offsetof(Param, max_new_tokens) == 12);
static_assert(offsetof(Param, top_k) == 16);
static_assert(offsetof(Param, top_p) == 20);
static_assert(offsetof(Param, temperature) == 24);
static_assert(offsetof(Param, repeat_penalty) == 28);
static_assert(offsetof(Param, frequency_penalty) == 32);
static_assert(offsetof(Param, presence_penalty) == 36);
static_assert(offsetof(Param, mirostat) == 40);
static_assert(offsetof(Param, mirostat_tau) == 44);
static_assert(offsetof(Param, mirostat_eta) == 48);
static_assert(offsetof(Param, skip_special_token) == 52);
static_assert(offsetof(Param, is_async) == 53);
static_assert(offsetof(Param, img_start) == 56);
static_assert(offsetof(Param, img_end) == 64);
static_assert(offsetof(Param, img_content) == 72);
static_assert(offsetof(Param, extend_param) == 80);

static_assert(sizeof(MultiModalInput) == 24);
static_assert(alignof(MultiModalInput) == 8);
static_assert(offsetof(MultiModalInput, prompt) == 0);
static_assert(offsetof(MultiModalInput, image_embed) == 8);
static_assert(offsetof(MultiModalInput, n_image_tokens) == 16);

static_assert(sizeof(Input) == 32);
static_assert(alignof(Input) == 8);
static_assert(offsetof(Input, input_type) == 0);
static_assert(offsetof(Input, prompt_input) == 8);
static_assert(offsetof(Input, embed_input) == 8);
static_assert(offsetof(Input, token_input) == 8);
static_assert(offsetof(Input, multimodal_input) == 8);

static_assert(sizeof(InferParam) == 24);
static_assert(alignof(InferParam) == 8);
static_assert(offsetof(InferParam, mode) == 0);
static_assert(offsetof(InferParam, lora_params) == 8);
static_assert(offsetof(InferParam, prompt_cache_params) == 16);

static_assert(sizeof(RunResult) == 32);
static_assert(alignof(RunResult) == 8);
static_assert(offsetof(RunResult, text) == 0);
static_assert(offsetof(RunResult, token_id) == 8);
static_assert(offsetof(RunResult, last_hidden_layer) == 16);

}  // namespace rkllm::abi::g1
