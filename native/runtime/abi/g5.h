// Struct layouts of librkllmrt 1.3.1 ("G5"): those of 1.3.0, and audio at the end of multimodal input.
#pragma once

#include "g4.h"

namespace rkllm::abi::g5 {

using g4::Callback;
using g4::ClearKvCacheFn;
using g4::CrossAttnParam;
using g4::ExtendParam;
using g4::GetKvCacheSizeFn;
using g4::ImageInput;
using g4::InferParam;
using g4::InitFn;
using g4::Logits;
using g4::Param;
using g4::PerfStat;
using g4::RunResult;
using g4::SamplingParam;
using g4::SetCrossAttnParamsFn;
using g4::SetFunctionToolsFn;
using g4::VideoInput;

struct AudioInput {
  float* audio_embed;
  std::size_t n_audio_tokens;
  std::size_t n_audio;
  const char* audio_start;
  const char* audio_end;
  const char* audio_content;
};

struct MultiModalInput {
  char* prompt;
  ImageInput image;
  VideoInput video;
  AudioInput audio;
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

}  // namespace rkllm::abi::g5

#include "g5_layout.h"  // the proof of every size and offset above
