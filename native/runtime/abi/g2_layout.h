// Compile-time proof of the layouts in g2.h: a size, an alignment and every offset, against the documented figures.
#pragma once

#include "g2.h"

namespace rkllm::abi::g2 {

static_assert(sizeof(ExtendParam) == 120);
static_assert(alignof(ExtendParam) == 4);
static_assert(offsetof(ExtendParam, base_domain_id) == 0);
static_assert(offsetof(ExtendParam, embed_flash) == 4);
static_assert(offsetof(ExtendParam, enabled_cpus_num) == 5);
static_assert(offsetof(ExtendParam, enabled_cpus_mask) == 8);
static_assert(offsetof(ExtendParam, reserved) == 12);

static_assert(sizeof(Param) == 208);
static_assert(alignof(Param) == 8);
static_assert(offsetof(Param, model_path) == 0);
static_assert(offsetof(Param, max_context_len) == 8);
static_assert(offsetof(Param, max_new_tokens) == 12);
static_assert(offsetof(Param, top_k) == 16);
static_assert(offsetof(Param, n_keep) == 20);
static_assert(offsetof(Param, top_p) == 24);
static_assert(offsetof(Param, temperature) == 28);
static_assert(offsetof(Param, repeat_penalty) == 32);
static_assert(offsetof(Param, frequency_penalty) == 36);
static_assert(offsetof(Param, presence_penalty) == 40);
static_assert(offsetof(Param, mirostat) == 44);
static_assert(offsetof(Param, mirostat_tau) == 48);
static_assert(offsetof(Param, mirostat_eta) == 52);
static_assert(offsetof(Param, skip_special_token) == 56);
static_assert(offsetof(Param, is_async) == 57);
static_assert(offsetof(Param, img_start) == 64);
static_assert(offsetof(Param, img_end) == 72);
static_assert(offsetof(Param, img_content) == 80);
static_assert(offsetof(Param, extend_param) == 88);

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

static_assert(sizeof(InferParam) == 32);
static_assert(alignof(InferParam) == 8);
static_assert(offsetof(InferParam, mode) == 0);
static_assert(offsetof(InferParam, lora_params) == 8);
static_assert(offsetof(InferParam, prompt_cache_params) == 16);
static_assert(offsetof(InferParam, keep_history) == 24);

static_assert(sizeof(Logits) == 16);
static_assert(alignof(Logits) == 8);
static_assert(offsetof(Logits, logits) == 0);
static_assert(offsetof(Logits, vocab_size) == 8);
static_assert(offsetof(Logits, num_tokens) == 12);

static_assert(sizeof(RunResult) == 48);
static_assert(alignof(RunResult) == 8);
static_assert(offsetof(RunResult, text) == 0);
static_assert(offsetof(RunResult, token_id) == 8);
static_assert(offsetof(RunResult, last_hidden_layer) == 16);
static_assert(offsetof(RunResult, logits) == 32);

}  // namespace rkllm::abi::g2

namespace rkllm::abi::g2b {

static_assert(sizeof(MultiModalInput) == 48);
static_assert(alignof(MultiModalInput) == 8);
static_assert(offsetof(MultiModalInput, prompt) == 0);
static_assert(offsetof(MultiModalInput, image_embed) == 8);
static_assert(offsetof(MultiModalInput, n_image_tokens) == 16);
static_assert(offsetof(MultiModalInput, n_image) == 24);
static_assert(offsetof(MultiModalInput, image_width) == 32);
static_assert(offsetof(MultiModalInput, image_height) == 40);

static_assert(sizeof(Input) == 56);
static_assert(alignof(Input) == 8);
static_assert(offsetof(Input, input_type) == 0);
static_assert(offsetof(Input, prompt_input) == 8);
static_assert(offsetof(Input, embed_input) == 8);
static_assert(offsetof(Input, token_input) == 8);
static_assert(offsetof(Input, multimodal_input) == 8);

}  // namespace rkllm::abi::g2b
