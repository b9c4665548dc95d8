// What can be asked of a loaded model besides runs.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace rkllm {

struct LoadLora {
  std::string path;
  std::string name;  // by which runs select it
  float scale = 1.0F;
};
struct LoadPromptCache {
  std::string path;
};
struct ReleasePromptCache {};
struct ClearKvCache {  // from 1.2.0 on
  bool keep_system_prompt = false;
  // From 1.2.1 on, after a paused run: what to clear of each row of the batch, from a position up to another. Empty:
  // all.
  std::vector<std::int32_t> from;
  std::vector<std::int32_t> to;
};
struct GetKvCacheSizes {};  // from 1.2.1 on
struct SetChatTemplate {    // from 1.2.0 on; clears the KV cache
  std::string system;
  std::string prefix;
  std::string postfix;
};
struct SetFunctionTools {  // from 1.2.1 on
  std::string system;
  std::string tools;  // JSON
  std::string response_tag;
};
// From 1.2.1 on, for models that were loaded with cross attention. Without tokens: back to none.
struct SetCrossAttention {
  std::vector<float> key_cache;
  std::vector<float> value_cache;
  std::vector<float> mask;              // one per token
  std::vector<std::int32_t> positions;  // one per token
};
using Operation = std::variant<LoadLora, LoadPromptCache, ReleasePromptCache, ClearKvCache, GetKvCacheSizes,
                               SetChatTemplate, SetFunctionTools, SetCrossAttention>;

// What a function of the vendor's returned; 0 is success.
struct CallResult {
  const char* function = "";
  int code = 0;
  std::vector<std::int32_t> values;  // what was asked for: of GetKvCacheSizes, one for each row

  bool ok() const { return code == 0; }
};

}  // namespace rkllm
