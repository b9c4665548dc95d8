// The functions that every generation exports. rkllm_createDefaultParam is in generation.cc, what came later in
// api_later.cc.
#include "api.h"

#include "checker.h"
#include "init.h"
#include "instance.h"
#include "memory.h"
#include "prompt_cache.h"
#include "report.h"
#include "run.h"

using fake::Exclusive;
using fake::ReadAt;
using fake::Trace;

int rkllm_init(void** handle, void* param, void* callback) { return fake::Init(handle, param, callback); }

int rkllm_destroy(void* handle) { return fake::Destroy(handle); }

int rkllm_run(void* handle, void* input, void* infer, void* userdata) {
  return fake::Run(handle, input, infer, userdata);
}

int rkllm_run_async(void* handle, void* input, void* infer, void* userdata) {
  return fake::RunAsync(handle, input, infer, userdata);
}

int rkllm_abort(void* handle) {
  fake::Instance* instance = fake::Find(handle, "rkllm_abort");
  if (instance == nullptr) return -1;
  const bool running = instance->running && !instance->leaving;
  Trace(running ? "abort" : "abort-idle");
  fake::ReachPlace(instance->script, "abort");
  instance->aborted = true;
  return running ? instance->script.abort_call_code : instance->script.abort_idle_code;
}

int rkllm_is_running(void* handle) {
  const fake::Instance* instance = fake::Find(handle, "rkllm_is_running");
  if (instance == nullptr) return -1;
  return instance->running ? 1 : 0;
}

int rkllm_load_lora(void* handle, void* adapter) {
  const Exclusive instance(handle, "rkllm_load_lora");
  fake::Checker check("RKLLMLoraAdapter");
  check.Expect(adapter != nullptr, "is NULL");
  if (!instance || adapter == nullptr) return -1;
  check.ExpectAligned(adapter);
  check.ExpectZero(adapter, 20, 24, "padding");
  const char* path = ReadAt<const char*>(adapter, 0);
  const char* name = ReadAt<const char*>(adapter, 8);
  const auto scale = ReadAt<float>(adapter, 16);
  check.Expect(path != nullptr && name != nullptr, "lora_adapter_path or lora_adapter_name is NULL");
  check.Expect(scale > -1000 && scale < 1000, "scale is " + std::to_string(scale));
  if (!check.fine() || path == nullptr || name == nullptr) return -1;
  Trace("load-lora " + fake::Quoted(name) + " " + fake::Quoted(path) + " scale=" + std::to_string(scale));
  fake::ReachPlace(instance->script, "load-lora");
  if (!fake::Readable(path)) {
    fake::Log(std::string("E rkllm: failed to open '") + path + "'", instance->script.log);
    return -1;
  }
  instance->loras[name] = scale;
  return 0;
}

int rkllm_load_prompt_cache(void* handle, const char* path) {
  const Exclusive instance(handle, "rkllm_load_prompt_cache");
  fake::Checker check("rkllm_load_prompt_cache");
  check.Expect(path != nullptr, "the path is NULL");
  if (!instance || path == nullptr) return -1;
  Trace("load-prompt-cache " + fake::Quoted(path));
  fake::ReachPlace(instance->script, "load-prompt-cache");
  auto tokens = fake::LoadPromptCache(path);
  if (!tokens) {
    fake::Log(std::string("E rkllm: failed to open '") + path + "'", instance->script.log);
    return -1;
  }
  instance->prompt_cache = std::move(*tokens);
  return 0;
}

int rkllm_release_prompt_cache(void* handle) {
  const Exclusive instance(handle, "rkllm_release_prompt_cache");
  if (!instance) return -1;
  Trace("release-prompt-cache");
  instance->prompt_cache.clear();
  return 0;
}
