// The structs that one call of rkllm_run gets. Included by adapters only.
#pragma once

#include <cstddef>

#include "abi/common.h"
#include "params.h"
#include "read_event.h"
#include "zeroed.h"

namespace rkllm {

// They refer to the strings and numbers of `params`, and to each other.
template <typename Abi>
class RunStructs {
 public:
  RunStructs(Abi& abi, const RunParams& params, const LoadParams& load, const typename Abi::Param& defaults)
      : inputs_(params.rows.size()) {
    for (std::size_t row = 0; row < params.rows.size(); ++row) Abi::Pack(inputs_[row], params.rows[row], params, load);
    infer_->mode = ToAbi(params.mode);
    if (params.lora) {
      lora_->lora_adapter_name = params.lora->c_str();
      infer_->lora_params = &*lora_;
    }
    if (params.save_prompt_cache) {
      cache_->save_prompt_cache = 1;
      cache_->prompt_cache_path = params.save_prompt_cache->c_str();
      infer_->prompt_cache_params = &*cache_;
    }
    abi.Pack(*infer_, params, load, defaults);
  }
  RunStructs(const RunStructs&) = delete;
  RunStructs& operator=(const RunStructs&) = delete;
  ~RunStructs() = default;

  typename Abi::Input* Inputs() { return inputs_.Data(); }
  typename Abi::InferParam* Infer() { return &*infer_; }

 private:
  ZeroedRows<typename Abi::Input> inputs_;
  Zeroed<typename Abi::InferParam> infer_;
  Zeroed<abi::LoraParam> lora_;
  Zeroed<abi::PromptCacheParam> cache_;
};

}  // namespace rkllm
