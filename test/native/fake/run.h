#pragma once

namespace fake {

// What rkllm_run and rkllm_run_async do.
int Run(void* handle, const void* input, const void* infer, void* userdata);
int RunAsync(void* handle, const void* input, const void* infer, void* userdata);

}  // namespace fake
