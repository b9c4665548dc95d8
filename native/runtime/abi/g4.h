// Struct layouts of librkllmrt 1.3.0 ("G4").
#pragma once

#include "g3.h"

namespace rkllm::abi::g4 {

using g3::ClearKvCacheFn;
using g3::CrossAttnParam;
using g3::ExtendParam;
using g3::GetKvCacheSizeFn;
using g3::Logits;
using g3::PerfStat;
using g3::RunResult;
using g3::SetCrossAttnParamsFn;
using g3::SetFunctionToolsFn;

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
  std::uint8_t ignore_eos_token;
  std::uint8_t is_async;
  ExtendParam extend_param;
};

struct ImageInput {
  float* image_embed;
  std::size_t n_image_tokens;
  std::size_t n_image;
  const char* image_start;
  const char* image_end;
  const char* image_content;
  std::size_t image_width;
  std::size_t image_height;
};

struct VideoInput {
  float* video_embed;
  std::size_t n_frame_tokens;
  std::size_t n_frame_per_video;
  std::size_t n_video;
  const char* video_start;
  const char* video_end;
  const char* video_content;
  std::size_t frame_width;
  std::size_t frame_height;
};

struct MultiModalInput {
  char* prompt;
  ImageInput image;
  VideoInput video;
};

struct Input {
  const char* role;
  std::uint8_t enable_thinking;
  std::int32_t input_type;
  union {
    const char* prompt_input;
    EmbedInput embed_input;
    TokenInput token_input;
    MultiModalInput multimodal_input;
  };
};

struct SamplingParam {
  std::int32_t top_k;
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  std::int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
};

struct InferParam {
  std::int32_t mode;
  LoraParam* lora_params;
  PromptCacheParam* prompt_cache_params;
  SamplingParam* sampling_params;
  std::int32_t keep_history;
  std::int32_t max_new_tokens;
};

}  // namespace rkllm::abi::g4

#include "g4_callback.h"  // functions
#include "g4_layout.h"    // the proof of every size and offset above
