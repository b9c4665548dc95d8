/*
 * Libraries that the addon has to refuse by their symbols or their version string. No function of theirs may ever be
 * called, so each one ends the process.
 */
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default"), noreturn))
#define FORBIDDEN(name)     \
  EXPORTED void name(void); \
  void name(void) { abort(); }

FORBIDDEN(rkllm_createDefaultParam)
FORBIDDEN(rkllm_init)
FORBIDDEN(rkllm_load_lora)
FORBIDDEN(rkllm_load_prompt_cache)
FORBIDDEN(rkllm_release_prompt_cache)
FORBIDDEN(rkllm_destroy)
FORBIDDEN(rkllm_run)
FORBIDDEN(rkllm_is_running)
#ifndef FAKE_NO_ABORT
FORBIDDEN(rkllm_abort)
#endif
#ifndef FAKE_NO_RUN_ASYNC
FORBIDDEN(rkllm_run_async)
#endif
#ifdef FAKE_CLEAR_KV_CACHE
FORBIDDEN(rkllm_clear_kv_cache)
FORBIDDEN(rkllm_set_chat_template)
#endif

#ifdef FAKE_VERSION
__attribute__((used)) static const char version[] =
    "RKLLM SDK (version: " FAKE_VERSION " | target: Linux | build: fake)";
#endif
