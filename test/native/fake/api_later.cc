// The functions that 1.2.0 and 1.2.1 have added; which of them is a matter of FAKE_GENERATION.
#include "api.h"
#include "checker.h"
#include "instance.h"
#include "memory.h"
#include "report.h"

using fake::Exclusive;
using fake::Quoted;
using fake::Trace;

namespace {

void ClearAll(fake::Instance& instance, bool keep_system) {
  for (fake::KvCache& kv : instance.kv) kv.Clear(keep_system ? instance.system_tokens : 0);
  if (!keep_system) fake::Log("I rkllm: All kv caches have been deleted!", instance.script.log);
}

}  // namespace

int rkllm_set_chat_template(void* handle, const char* system, const char* prefix, const char* postfix) {
  const Exclusive instance(handle, "rkllm_set_chat_template");
  fake::Checker check("rkllm_set_chat_template");
  check.Expect(system != nullptr && prefix != nullptr && postfix != nullptr, "a text is NULL");
  if (!instance || !check.fine()) return -1;
  Trace("set-chat-template " + Quoted(system) + " " + Quoted(prefix) + " " + Quoted(postfix));
  instance->chat.SetTemplate(system, prefix, postfix);
  ClearAll(*instance, false);
  fake::Log(
      "W rkllm: Calling rkllm_set_chat_template will disable the internal automatic chat template parsing, "
      "including enable_thinking.",
      instance->script.log);
  return 0;
}

#if FAKE_GENERATION == 1 || FAKE_GENERATION == 2

int rkllm_clear_kv_cache(void* handle, int keep_system_prompt) {
  const Exclusive instance(handle, "rkllm_clear_kv_cache");
  fake::Checker check("rkllm_clear_kv_cache");
  check.Expect(keep_system_prompt == 0 || keep_system_prompt == 1, "keep_system_prompt is neither 0 nor 1");
  if (!instance || !check.fine()) return -1;
  Trace("clear-kv-cache " + std::to_string(keep_system_prompt));
  ClearAll(*instance, keep_system_prompt == 1);
  return 0;
}

#else

// Ranges are for a run that its callback has paused, without history.
int rkllm_clear_kv_cache(void* handle, int keep_system_prompt, int* start, int* end) {
  const Exclusive instance(handle, "rkllm_clear_kv_cache");
  fake::Checker check("rkllm_clear_kv_cache");
  check.Expect(keep_system_prompt == 0 || keep_system_prompt == 1, "keep_system_prompt is neither 0 nor 1");
  check.Expect((start == nullptr) == (end == nullptr), "one end of the ranges is NULL");
  if (!instance || !check.fine()) return -1;
  if (start == nullptr) {
    Trace("clear-kv-cache " + std::to_string(keep_system_prompt));
    ClearAll(*instance, keep_system_prompt == 1);
    return 0;
  }
  std::string line = "clear-kv-cache " + std::to_string(keep_system_prompt);
  for (std::size_t i = 0; i < instance->kv.size(); ++i)
    line += " [" + std::to_string(start[i]) + "," + std::to_string(end[i]) + ")";
  Trace(line);
  if (!instance->paused) {
    fake::Log("E rkllm: a range of the kv cache can only be cleared in a paused run", instance->script.log);
    return -1;
  }
  bool fine = true;
  for (std::size_t i = 0; i < instance->kv.size(); ++i) fine = instance->kv[i].Erase(start[i], end[i]) && fine;
  return fine ? 0 : -1;
}

int rkllm_get_kv_cache_size(void* handle, int* sizes) {
  const Exclusive instance(handle, "rkllm_get_kv_cache_size");
  fake::Checker check("rkllm_get_kv_cache_size");
  check.Expect(sizes != nullptr, "the sizes' place is NULL");
  if (!instance || sizes == nullptr) return -1;
  Trace("get-kv-cache-size");
  for (std::size_t i = 0; i < instance->kv.size(); ++i) sizes[i] = static_cast<int>(instance->kv[i].Size());
  return 0;
}

int rkllm_set_function_tools(void* handle, const char* system, const char* tools, const char* response_tag) {
  const Exclusive instance(handle, "rkllm_set_function_tools");
  fake::Checker check("rkllm_set_function_tools");
  check.Expect(system != nullptr && tools != nullptr && response_tag != nullptr, "a text is NULL");
  if (!instance || !check.fine()) return -1;
  Trace("set-function-tools " + Quoted(system) + " " + Quoted(tools) + " " + Quoted(response_tag));
  if (!fake::LooksLikeJson(tools)) {
    fake::Log("E rkllm: the tools are not a JSON string", instance->script.log);
    return -1;
  }
  instance->chat.SetTools(system, tools, response_tag);
  return 0;
}

// {k, v, mask, pos, num_tokens}; how large K and V are only the model knows.
int rkllm_set_cross_attn_params(void* handle, void* params) {
  const Exclusive instance(handle, "rkllm_set_cross_attn_params");
  if (!instance) return -1;
  if (params == nullptr) {
    Trace("set-cross-attn none");
    instance->cross_attn = false;
    return 0;
  }
  fake::Checker check("RKLLMCrossAttnParam");
  check.ExpectAligned(params);
  check.ExpectZero(params, 36, 40, "padding");
  const auto tokens = fake::ReadAt<std::int32_t>(params, 32);
  check.Expect(tokens > 0, "num_tokens is " + std::to_string(tokens));
  for (const std::size_t offset : {0U, 8U, 16U, 24U}) {
    const auto* data = fake::ReadAt<const void*>(params, offset);
    check.Expect(data != nullptr, "the pointer at byte " + std::to_string(offset) + " is NULL");
    check.ExpectAligned(data, 4);
  }
  if (!check.fine()) return -1;
  const std::size_t last = 4 * (static_cast<std::size_t>(tokens) - 1);
  const auto* mask = fake::ReadAt<const void*>(params, 16);
  const auto* pos = fake::ReadAt<const void*>(params, 24);
  Trace("set-cross-attn " + std::to_string(tokens) + " mask=" + std::to_string(fake::ReadAt<float>(mask, 0)) + ".." +
        std::to_string(fake::ReadAt<float>(mask, last)) + " pos=" + std::to_string(fake::ReadAt<std::int32_t>(pos, 0)) +
        ".." + std::to_string(fake::ReadAt<std::int32_t>(pos, last)));
  if (!instance->arguments.use_cross_attn) {
    fake::Log("E rkllm: use_cross_attn is not set", instance->script.log);
    return -1;
  }
  instance->cross_attn = true;
  return 0;
}

#endif
