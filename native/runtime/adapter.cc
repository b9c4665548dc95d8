#include "adapter.h"

#include <utility>

#include "adapter_g1.h"

namespace rkllm {

std::unique_ptr<Adapter> MakeAdapter(Generation generation, std::shared_ptr<const Library> library) {
  switch (generation) {
    case Generation::kG1:
      return MakeAdapterG1(std::move(library));
  }
  return nullptr;
}

LoadParams WithGreedyResolved(LoadParams params) {
  if (params.temperature == 0.0F) {
    params.top_k = 1;
    params.top_p = 1.0F;
    params.temperature = 1.0F;
  }
  return params;
}

}  // namespace rkllm
