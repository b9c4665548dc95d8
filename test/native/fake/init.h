#pragma once

namespace fake {

// What rkllm_init and rkllm_destroy do.
int Init(void** handle, const void* param, const void* callback);
int Destroy(void* handle);

}  // namespace fake
