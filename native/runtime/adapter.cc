#include "adapter.h"

#include <utility>

#include "adapters.h"

namespace rkllm {

std::unique_ptr<Adapter> MakeAdapter(Generation generation, std::shared_ptr<const Library> library) {
  switch (generation) {
    case Generation::kG1:
      return MakeAdapterG1(std::move(library));
    case Generation::kG2:
      return MakeAdapterG2(std::move(library));
    case Generation::kG2b:
      return MakeAdapterG2b(std::move(library));
    case Generation::kG3:
      return MakeAdapterG3(std::move(library));
    case Generation::kG4:
      return MakeAdapterG4(std::move(library));
    case Generation::kG5:
      return MakeAdapterG5(std::move(library));
  }
  return nullptr;
}

}  // namespace rkllm
