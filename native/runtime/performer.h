// Operations are the same functions in all generations that have them, so that one class serves all adapters.
#pragma once

#include <cstddef>

#include "abi/common.h"
#include "library.h"
#include "operations.h"

namespace rkllm {

// Inference thread. Lives as long as the handle.
class Performer {
 public:
  CallResult Perform(const Library& library, abi::Handle handle, std::size_t rows, const Operation& operation);

 private:
  struct Call;
  SetCrossAttention cross_attention_;  // kept: whether the vendor copies it is not documented
};

}  // namespace rkllm
