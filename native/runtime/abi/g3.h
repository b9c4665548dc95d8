// Struct layouts of librkllmrt 1.2.1 to 1.2.3 ("G3").
#pragma once

#include "g2.h"

namespace rkllm::abi::g3 {

using g2::InferParam;
using g2::Logits;
using g2b::MultiModalInput;

struct ExtendParam {
  std::int32_t base_domain_id;
  std::int8_t embed_flash;
  std::int8_t enabled_cpus_num;
  std::uint32_t enabled_cpus_mask;
  std::uint8_t n_batch;
  std::int8_t use_cross_attn;
  std::uint8_t reserved[104];
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

struct PerfStat {
  float prefill_time_ms;
  std::int32_t prefill_tokens;
  float generate_time_ms;
  std::int32_t generate_tokens;
  float memory_usage_mb;
};

struct RunResult {
  const char* text;
  std::int32_t token_id;
  LastHiddenLayer last_hidden_layer;
  Logits logits;
  PerfStat perf;
};

struct CrossAttnParam {
  float* encoder_k_cache;
  float* encoder_v_cache;
  float* encoder_mask;
  std::int32_t* encoder_pos;
  std::int32_t num_tokens;
};

using InitFn = int (*)(Handle* handle, Param* param, ResultCallback<RunResult> callback);
using ClearKvCacheFn = int (*)(Handle handle, std::int32_t keep_system_prompt, std::int32_t* start, std::int32_t* end);
using GetKvCacheSizeFn = int (*)(Handle handle, std::int32_t* sizes);
using SetFunctionToolsFn = int (*)(Handle handle, const char* system, const char* tools, const char* response_tag);
using SetCrossAttnParamsFn = int (*)(Handle handle, CrossAttnParam* param);

}  // namespace rkllm::abi::g3

#include "g3_layout.h"  // the proof of every size and offset above
