// Struct layouts of librkllmrt 1.1.0 to 1.1.4 ("G1"; the five releases have one layout).
#pragma once

#include "common.h"

namespace rkllm::abi::g1 {

struct ExtendParam {
  std::int32_t base_domain_id;
  std::uint8_t reserved[112];
};

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

struct InferParam {
  std::int32_t mode;
  LoraParam* lora_params;
  PromptCacheParam* prompt_cache_params;
};

struct RunResult {
  const char* text;
  std::int32_t token_id;
  LastHiddenLayer last_hidden_layer;
};

using InitFn = int (*)(Handle* handle, Param* param, ResultCallback<RunResult> callback);

}  // namespace rkllm::abi::g1

#include "g1_layout.h"  // the proof of every size and offset above
