// Struct layouts of librkllmrt 1.1.0 to 1.1.4 ("G1"; the five releases have one layout), declared by us from the
// documented offsets. They are the same on x86-64 and AArch64. Only adapter_g1.cc includes this file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rkllm::g1 {

using Handle = void*;

// LLMCallState
enum State : std::int32_t { kNormal = 0, kWaiting = 1, kFinish = 2, kError = 3, kLastHiddenLayer = 4 };
// RKLLMInputType
enum InputType : std::int32_t { kPrompt = 0, kToken = 1, kEmbed = 2, kMultiModal = 3 };
// RKLLMInferMode
enum Mode : std::int32_t { kGenerate = 0, kGetLastHiddenLayer = 1 };

struct ExtendParam {
  std::int32_t base_domain_id;
  std::uint8_t reserved[112];
};

// The vendor's `bool` fields are bytes here: reading a bool that was never written would be undefined behaviour.
struct Param {
  const char* model_path;
  std::int32_t max_context_len;
  std::int32_t max_new_tokens;
  std::int32_t top_k;
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  std::int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
  std::uint8_t skip_special_token;
  std::uint8_t is_async;
  const char* img_start;
  const char* img_end;
  const char* img_content;
  ExtendParam extend_param;
};

struct EmbedInput {
  float* embed;
  std::size_t n_tokens;
};

struct TokenInput {
  std::int32_t* input_ids;
  std::size_t n_tokens;
};

struct MultiModalInput {
  char* prompt;
  float* image_embed;
  std::size_t n_image_tokens;
};

struct Input {
  std::int32_t input_type;
  union {
    const char* prompt_input;
    EmbedInput embed_input;
    TokenInput token_input;
    MultiModalInput multimodal_input;
  };
};

struct LoraParam {
  const char* lora_adapter_name;
};

struct PromptCacheParam {
  std::int32_t save_prompt_cache;
  const char* prompt_cache_path;
};

struct InferParam {
  std::int32_t mode;
  LoraParam* lora_params;
  PromptCacheParam* prompt_cache_params;
};

struct LastHiddenLayer {
  const float* hidden_states;
  std::int32_t embd_size;
  std::int32_t num_tokens;
};

struct RunResult {
  const char* text;
  std::int32_t token_id;
  LastHiddenLayer last_hidden_layer;
};

using Callback = void (*)(const RunResult* result, void* userdata, std::int32_t state);
using InitFn = int (*)(Handle* handle, Param* param, Callback callback);
using RunFn = int (*)(Handle handle, Input* input, InferParam* infer, void* userdata);
using HandleFn = int (*)(Handle handle);  // rkllm_abort, rkllm_destroy

}  // namespace rkllm::g1

#include "abi_g1_layout.h"  // the proof of every size and offset above
