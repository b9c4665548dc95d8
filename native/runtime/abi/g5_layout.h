// Compile-time proof of the layouts in g5.h: a size, an alignment and every offset, against the documented figures.
#pragma once

#include "g5.h"

namespace rkllm::abi::g5 {

static_assert(sizeof(AudioInput) == 48);
static_assert(alignof(AudioInput) == 8);
static_assert(offsetof(AudioInput, audio_embed) == 0);
static_assert(offsetof(AudioInput, n_audio_tokens) == 8);
static_assert(offsetof(AudioInput, n_audio) == 16);
static_assert(offsetof(AudioInput, audio_start) == 24);
static_assert(offsetof(AudioInput, audio_end) == 32);
static_assert(offsetof(AudioInput, audio_content) == 40);

static_assert(sizeof(MultiModalInput) == 192);
static_assert(alignof(MultiModalInput) == 8);
static_assert(offsetof(MultiModalInput, prompt) == 0);
static_assert(offsetof(MultiModalInput, image) == 8);
static_assert(offsetof(MultiModalInput, video) == 72);
static_assert(offsetof(MultiModalInput, audio) == 144);

static_assert(sizeof(Input) == 208);
static_assert(alignof(Input) == 8);
static_assert(offsetof(Input, role) == 0);
static_assert(offsetof(Input, enable_thinking) == 8);
static_assert(offsetof(Input, input_type) == 12);
static_assert(offsetof(Input, prompt_input) == 16);
static_assert(offsetof(Input, embed_input) == 16);
static_assert(offsetof(Input, token_input) == 16);
static_assert(offsetof(Input, multimodal_input) == 16);

}  // namespace rkllm::abi::g5
