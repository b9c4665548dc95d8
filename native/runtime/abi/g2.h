// Struct layouts of librkllmrt 1.2.0 ("G2") and of 1.2.1b1 ("G2b"), which differ in multimodal input only.
#pragma once

#include "g1.h"

namespace rkllm::abi {

namespace g2 {

using g1::Input;
using g1::MultiModalInput;

struct ExtendParam {
  std::int32_t base_domain_id;
  std::int8_t embed_flash;
  std::int8_t enabled_cpus_num;
  std::uint32_t enabled_cpus_mask;
  std::uint8_t reserved[106];
};

struct Param {
  const char* model_path;
  std::int32_t max_context_len;
  std::int32_t max_new_tokens;
  std::int32_t top_k;
  std::int32_t n_keep;
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

struct InferParam {
  std::int32_t mode;
  LoraParam* lora_params;
  PromptCacheParam* prompt_cache_params;
  std::int32_t keep_history;
};

struct Logits {
  const float* logits;
  std::int32_t vocab_size;
  std::int32_t num_tokens;
};

struct RunResult {
  const char* text;
  std::int32_t token_id;
  LastHiddenLayer last_hidden_layer;
  Logits logits;
};

using InitFn = int (*)(Handle* handle, Param* param, ResultCallback<RunResult> callback);
using ClearKvCacheFn = int (*)(Handle handle, std::int32_t keep_system_prompt);

}  // namespace g2

namespace g2b {

using g2::ClearKvCacheFn;
using g2::ExtendParam;
using g2::InferParam;
using g2::InitFn;
using g2::Logits;
using g2::Param;
using g2::RunResult;

struct MultiModalInput {
  char* prompt;
  float* image_embed;
  std::size_t n_image_tokens;
  std::size_t n_image;
  std::size_t image_width;
  std::size_t image_height;
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

}  // namespace g2b

}  // namespace rkllm::abi

#include "g2_layout.h"  // the proof of every size and offset above
