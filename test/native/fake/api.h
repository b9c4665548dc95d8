// The exported functions. Structs of the caller are plain bytes here.
#pragma once

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int rkllm_init(void** handle, void* param, void* callback);
EXPORTED int rkllm_destroy(void* handle);
EXPORTED int rkllm_run(void* handle, void* input, void* infer, void* userdata);
EXPORTED int rkllm_run_async(void* handle, void* input, void* infer, void* userdata);
EXPORTED int rkllm_abort(void* handle);
EXPORTED int rkllm_is_running(void* handle);
EXPORTED int rkllm_load_lora(void* handle, void* adapter);
EXPORTED int rkllm_load_prompt_cache(void* handle, const char* path);
EXPORTED int rkllm_release_prompt_cache(void* handle);

// From 1.2.0
EXPORTED int rkllm_set_chat_template(void* handle, const char* system, const char* prefix, const char* postfix);
#if FAKE_GENERATION == 1 || FAKE_GENERATION == 2
EXPORTED int rkllm_clear_kv_cache(void* handle, int keep_system_prompt);
#else
EXPORTED int rkllm_clear_kv_cache(void* handle, int keep_system_prompt, int* start, int* end);
#endif

// From 1.2.1
EXPORTED int rkllm_get_kv_cache_size(void* handle, int* sizes);
EXPORTED int rkllm_set_function_tools(void* handle, const char* system, const char* tools, const char* response_tag);
EXPORTED int rkllm_set_cross_attn_params(void* handle, void* params);
