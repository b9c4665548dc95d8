// Adapter for librkllmrt 1.1.0 to 1.1.4.
#pragma once

#include <memory>

#include "adapter.h"

namespace rkllm {

std::unique_ptr<Adapter> MakeAdapterG1(std::shared_ptr<const Library> library);

}  // namespace rkllm
