#include "performer.h"

#include <utility>
#include <vector>

#include "abi/g3.h"
#include "zeroed.h"

namespace rkllm {

// Calls what has been looked up. TypeScript has refused what the generation lacks; a function that is missing all the
// same is a failure like any other.
struct Performer::Call {
  static constexpr int kAbsent = -1;
  static constexpr std::size_t kRoomToSpare = 64;

  const Library& library;
  abi::Handle handle;
  std::size_t rows;
  SetCrossAttention& cross_attention;

  template <typename Function, typename... Arguments>
  CallResult Run(const char* name, Arguments... arguments) const {
    const auto function = library.Find<Function>(name);
    return {name, function == nullptr ? kAbsent : function(handle, arguments...), {}};
  }

  CallResult operator()(const LoadLora& lora) const {
    Zeroed<abi::LoraAdapter> adapter;
    adapter->lora_adapter_path = lora.path.c_str();
    adapter->lora_adapter_name = lora.name.c_str();
    adapter->scale = lora.scale;
    return Run<abi::LoadLoraFn>("rkllm_load_lora", &*adapter);
  }

  CallResult operator()(const LoadPromptCache& cache) const {
    return Run<abi::LoadPromptCacheFn>("rkllm_load_prompt_cache", cache.path.c_str());
  }

  CallResult operator()(const ReleasePromptCache& /*cache*/) const {
    return Run<abi::HandleFn>("rkllm_release_prompt_cache");
  }

  CallResult operator()(const ClearKvCache& clear) const {
    constexpr const char* kName = "rkllm_clear_kv_cache";
    const std::int32_t keep = clear.keep_system_prompt ? 1 : 0;
    // Before 1.2.1 the function takes no ranges.
    if (!library.Has("rkllm_get_kv_cache_size")) return Run<abi::g2::ClearKvCacheFn>(kName, keep);
    if (clear.from.empty()) {
      return Run<abi::g3::ClearKvCacheFn>(kName, keep, static_cast<std::int32_t*>(nullptr),
                                          static_cast<std::int32_t*>(nullptr));
    }
    // An empty range for each row that none was given for.
    std::vector<std::int32_t> from = clear.from;
    std::vector<std::int32_t> to = clear.to;
    from.resize(std::max(from.size(), rows));
    to.resize(std::max(to.size(), rows));
    return Run<abi::g3::ClearKvCacheFn>(kName, keep, from.data(), to.data());
  }

  CallResult operator()(const GetKvCacheSizes& /*get*/) const {
    std::vector<std::int32_t> sizes(rows + kRoomToSpare);
    CallResult result = Run<abi::g3::GetKvCacheSizeFn>("rkllm_get_kv_cache_size", sizes.data());
    sizes.resize(rows);
    if (result.ok()) result.values = std::move(sizes);
    return result;
  }

  CallResult operator()(const SetChatTemplate& set) const {
    return Run<abi::SetChatTemplateFn>("rkllm_set_chat_template", set.system.c_str(), set.prefix.c_str(),
                                       set.postfix.c_str());
  }

  CallResult operator()(const SetFunctionTools& set) const {
    return Run<abi::g3::SetFunctionToolsFn>("rkllm_set_function_tools", set.system.c_str(), set.tools.c_str(),
                                            set.response_tag.c_str());
  }

  CallResult operator()(const SetCrossAttention& set) const {
    constexpr const char* kName = "rkllm_set_cross_attn_params";
    SetCrossAttention next = set;
    Zeroed<abi::g3::CrossAttnParam> param;
    param->encoder_k_cache = next.key_cache.data();
    param->encoder_v_cache = next.value_cache.data();
    param->encoder_mask = next.mask.data();
    param->encoder_pos = next.positions.data();
    param->num_tokens = static_cast<std::int32_t>(next.positions.size());
    CallResult result = Run<abi::g3::SetCrossAttnParamsFn>(kName, next.positions.empty() ? nullptr : &*param);
    if (result.ok()) std::swap(cross_attention, next);
    return result;
  }
};

CallResult Performer::Perform(const Library& library, abi::Handle handle, std::size_t rows,
                              const Operation& operation) {
  return std::visit(Call{library, handle, rows, cross_attention_}, operation);
}

}  // namespace rkllm
