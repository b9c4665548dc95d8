// What the bench needs of librkllmrt 1.1.x, declared once more: the designs that are compared share nothing with the
// addon that ships.
#pragma once

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void* rt_handle;

typedef struct {
  const char* model_path;
  int32_t max_context_len, max_new_tokens, top_k;
  float top_p, temperature, repeat_penalty, frequency_penalty, presence_penalty;
  int32_t mirostat;
  float mirostat_tau, mirostat_eta;
  uint8_t skip_special_token, is_async;
  const char *img_start, *img_end, *img_content;
  int32_t base_domain_id;
  uint8_t reserved[112];
} rt_param;

typedef struct {
  int32_t input_type;  // 0: prompt
  const char* prompt;
  uint64_t rest_of_union[2];
} rt_input;

typedef struct {
  int32_t mode;  // 0: generate
  void *lora, *prompt_cache;
} rt_infer;

typedef struct {
  const char* text;
  int32_t token_id;
} rt_result;

enum { RT_NORMAL = 0, RT_WAITING = 1 };

typedef void (*rt_callback)(const rt_result* result, void* userdata, int32_t state);

typedef struct {
  rt_handle handle;
  int (*run)(rt_handle, rt_input*, rt_infer*, void*);
  int (*destroy)(rt_handle);
} rt_model;

// Returns 0, or -1 after saying why on stderr.
static inline int rt_load(rt_model* model, const char* runtime, const char* path, rt_callback callback) {
  memset(model, 0, sizeof(*model));
  void* library = dlopen(runtime, RTLD_NOW | RTLD_LOCAL);
  int (*init)(rt_handle*, rt_param*, rt_callback) = NULL;
  if (library != NULL) {
    // POSIX's way of making a function pointer of what dlsym() returns.
    *(void**)(&init) = dlsym(library, "rkllm_init");
    *(void**)(&model->run) = dlsym(library, "rkllm_run");
    *(void**)(&model->destroy) = dlsym(library, "rkllm_destroy");
  }
  if (init == NULL || model->run == NULL || model->destroy == NULL) {
    fprintf(stderr, "%s: %s\n", runtime, dlerror());
    return -1;
  }
  rt_param param;
  memset(&param, 0, sizeof(param));
  param.model_path = path;
  param.max_context_len = 4096;
  param.max_new_tokens = -1;
  param.top_k = 1;
  param.top_p = 0.9F;
  param.temperature = 0.8F;
  param.repeat_penalty = 1.1F;
  param.skip_special_token = 1;
  param.img_start = param.img_end = param.img_content = "";
  const int code = init(&model->handle, &param, callback);
  if (code != 0) fprintf(stderr, "%s: rkllm_init returned %d\n", path, code);
  return code;
}

static inline int rt_run(const rt_model* model, void* userdata) {
  rt_input input;
  rt_infer infer;
  memset(&input, 0, sizeof(input));
  memset(&infer, 0, sizeof(infer));
  input.prompt = "x";
  return model->run(model->handle, &input, &infer, userdata);
}
