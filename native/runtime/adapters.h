// Adapter for each generation of librkllmrt, one source file each (adapter_g*.cc).
#pragma once

#include <memory>

#include "adapter.h"

namespace rkllm {

std::unique_ptr<Adapter> MakeAdapterG1(std::shared_ptr<const Library> library);
std::unique_ptr<Adapter> MakeAdapterG2(std::shared_ptr<const Library> library);
std::unique_ptr<Adapter> MakeAdapterG2b(std::shared_ptr<const Library> library);
std::unique_ptr<Adapter> MakeAdapterG3(std::shared_ptr<const Library> library);
std::unique_ptr<Adapter> MakeAdapterG4(std::shared_ptr<const Library> library);
std::unique_ptr<Adapter> MakeAdapterG5(std::shared_ptr<const Library> library);

}  // namespace rkllm
