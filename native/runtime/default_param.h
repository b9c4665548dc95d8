// The vendor's function for default parameters, called without knowing yet what it returns.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include "generation.h"
#include "library.h"

namespace rkllm {

constexpr std::size_t kDefaultParamRoom = 512;  // more than twice the largest release's struct
using DefaultParamBytes = std::array<unsigned char, kDefaultParamRoom>;

// What rkllm_createDefaultParam writes into memory that was filled with `fill`. Releases leave padding, reserved bytes
// and sometimes a field unwritten.
DefaultParamBytes CallCreateDefaultParam(const Library& library, unsigned char fill);

// The same as one release's struct, what is not written as zero.
template <typename Param>
Param DefaultParam(const Library& library) {
  static_assert(sizeof(Param) < kDefaultParamRoom);
  const DefaultParamBytes bytes = CallCreateDefaultParam(library, 0);
  Param defaults{};
  std::memcpy(static_cast<void*>(&defaults), bytes.data(), sizeof(defaults));
  return defaults;
}

// Which bytes the function writes tells the layouts of RKLLMParam apart.
struct Footprint {
  std::string found;  // in words, for people
  // kAllGenerations when it does not tell, kNoGeneration when no known release can have it.
  GenerationSet possible = kAllGenerations;
};

Footprint MeasureFootprint(const Library& library);

}  // namespace rkllm
