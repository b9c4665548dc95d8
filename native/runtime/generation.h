// Tells which ABI a library speaks, before the first struct is passed to it.
#pragma once

#include "../errors.h"
#include "library.h"

namespace rkllm {

// One enumerator per ABI with an adapter in this directory.
enum class Generation { kG1 };

// The releases that share the ABI, as shown to users.
constexpr const char* Name(Generation generation) {
  switch (generation) {
    case Generation::kG1:
      return "1.1";
  }
  return "unknown";
}

// Symbols first, then the version string. Contradictory or unknown evidence is an error that names the evidence:
// guessing would end in a segmentation fault in the vendor's code.
Result<Generation> Identify(const Library& library);

}  // namespace rkllm
