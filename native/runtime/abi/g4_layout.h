// Compile-time proof of the layouts in g4.h: a size, an alignment and every offset, against the documented figures.
#pragma once

#include "g4.h"

namespace rkllm::abi::g4 {

static_assert(sizeof(Param) == 184);
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
static_assert(offsetof(Param, ignore_eos_token) == 57);
static_assert(offsetof(Param, is_async) == 58);
static_assert(offsetof(Param, extend_param) == 60);

static_assert(sizeof(ImageInput) == 64);
static_assert(alignof(ImageInput) == 8);
static_assert(offsetof(ImageInput, image_embed) == 0);
static_assert(offsetof(ImageInput, n_image_tokens) == 8);
static_assert(offsetof(ImageInput, n_image) == 16);
static_assert(offsetof(ImageInput, image_start) == 24);
static_assert(offsetof(ImageInput, image_end) == 32);
static_assert(offsetof(ImageInput, image_content) == 40);
static_assert(offsetof(ImageInput, image_width) == 48);
static_assert(offsetof(ImageInput, image_height) == 56);

static_assert(sizeof(VideoInput) == 72);
static_assert(alignof(VideoInput) == 8);
static_assert(offsetof(VideoInput, video_embed) == 0);
static_assert(offsetof(VideoInput, n_frame_tokens) == 8);
static_assert(offsetof(VideoInput, n_frame_per_video) == 16);
static_assert(offsetof(VideoInput, n_video) == 24);
static_assert(offsetof(VideoInput, video_start) == 32);
static_assert(offsetof(VideoInput, video_end) == 40);
static_assert(offsetof(VideoInput, video_content) == 48);
static_assert(offsetof(VideoInput, frame_width) == 56);
static_assert(offsetof(VideoInput, frame_height) == 64);

static_assert(sizeof(MultiModalInput) == 144);
static_assert(alignof(MultiModalInput) == 8);
static_assert(offsetof(MultiModalInput, prompt) == 0);
static_assert(offsetof(MultiModalInput, image) == 8);
static_assert(offsetof(MultiModalInput, video) == 72);

static_assert(sizeof(Input) == 160);
static_assert(alignof(Input) == 8);
static_assert(offsetof(Input, role) == 0);
static_assert(offsetof(Input, enable_thinking) == 8);
static_assert(offsetof(Input, input_type) == 12);
static_assert(offsetof(Input, prompt_input) == 16);
static_assert(offsetof(Input, embed_input) == 16);
static_assert(offsetof(Input, token_input) == 16);
static_assert(offsetof(Input, multimodal_input) == 16);

static_assert(sizeof(SamplingParam) == 36);
static_assert(alignof(SamplingParam) == 4);
static_assert(offsetof(SamplingParam, top_k) == 0);
static_assert(offsetof(SamplingParam, top_p) == 4);
static_assert(offsetof(SamplingParam, temperature) == 8);
static_assert(offsetof(SamplingParam, repeat_penalty) == 12);
static_assert(offsetof(SamplingParam, frequency_penalty) == 16);
static_assert(offsetof(SamplingParam, presence_penalty) == 20);
static_assert(offsetof(SamplingParam, mirostat) == 24);
static_assert(offsetof(SamplingParam, mirostat_tau) == 28);
static_assert(offsetof(SamplingParam, mirostat_eta) == 32);

static_assert(sizeof(InferParam) == 40);
static_assert(alignof(InferParam) == 8);
static_assert(offsetof(InferParam, mode) == 0);
static_assert(offsetof(InferParam, lora_params) == 8);
static_assert(offsetof(InferParam, prompt_cache_params) == 16);
static_assert(offsetof(InferParam, sampling_params) == 24);
static_assert(offsetof(InferParam, keep_history) == 32);
static_assert(offsetof(InferParam, max_new_tokens) == 36);

}  // namespace rkllm::abi::g4
