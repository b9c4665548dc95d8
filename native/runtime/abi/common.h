// What all releases of librkllmrt from 1.1.0 on have in common, declared by us from the documented offsets. They are
// the same on x86-64 and AArch64. The headers of this directory are included by adapters only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rkllm::abi {

using Handle = void*;

// LLMCallState. Only 1.1.x gives kLastHiddenLayer; later ones give hidden states as kNormal.
enum State : std::int32_t { kNormal = 0, kWaiting = 1, kFinish = 2, kError = 3, kLastHiddenLayer = 4 };
// RKLLMInputType
enum InputType : std::int32_t { kPrompt = 0, kToken = 1, kEmbed = 2, kMultiModal = 3 };
// RKLLMInferMode. kGetLogits from 1.2.0 on.
enum Mode : std::int32_t { kGenerate = 0, kGetLastHiddenLayer = 1, kGetLogits = 2 };

// What the result callback returns. kPause from 1.2.1 on, kReleaseOutput from 1.3.0 on; before 1.2.1 it is ignored.
enum CallbackResult : std::int32_t { kContinue = 0, kPause = 1, kReleaseOutput = 2 };

// In all structs the vendor's `bool` fields are bytes: reading a bool that was never written would be undefined
// behaviour.

struct LoraAdapter {
  const char* lora_adapter_path;
  const char* lora_adapter_name;
  float scale;
};

struct EmbedInput {
  float* embed;
  std::size_t n_tokens;
};

struct TokenInput {
  std::int32_t* input_ids;
  std::size_t n_tokens;
};

struct LoraParam {
  const char* lora_adapter_name;
};

struct PromptCacheParam {
  std::int32_t save_prompt_cache;
  const char* prompt_cache_path;
};

struct LastHiddenLayer {
  const float* hidden_states;
  std::int32_t embd_size;
  std::int32_t num_tokens;
};

// Functions whose types do not depend on a generation's structs.
using HandleFn = int (*)(Handle handle);  // rkllm_abort, rkllm_destroy, rkllm_is_running, rkllm_release_prompt_cache
using LoadLoraFn = int (*)(Handle handle, LoraAdapter* adapter);
using LoadPromptCacheFn = int (*)(Handle handle, const char* path);
// From 1.2.0 on:
using SetChatTemplateFn = int (*)(Handle handle, const char* system, const char* prefix, const char* postfix);

// The result callback. Before 1.2.1 the vendor declares it without a result: ours is then ignored, in a register.
template <typename RunResult>
using ResultCallback = int (*)(RunResult* result, void* userdata, std::int32_t state);

template <typename Input, typename InferParam>
using RunFn = int (*)(Handle handle, Input* input, InferParam* infer, void* userdata);

}  // namespace rkllm::abi

#include "common_layout.h"  // the proof of every size and offset above
