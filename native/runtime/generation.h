// The ABI generations of librkllmrt and the releases that speak them.
#pragma once

#include <string>

namespace rkllm {

// One enumerator per ABI with an adapter in this directory, the oldest first.
enum class Generation : unsigned { kG1, kG2, kG2b, kG3, kG4, kG5 };

// As the TypeScript side knows it (lib/backends/rkllm/generations.ts): the first release, or the releases' common part.
constexpr const char* Name(Generation generation) {
  switch (generation) {
    case Generation::kG1:
      return "1.1";
    case Generation::kG2:
      return "1.2.0";
    case Generation::kG2b:
      return "1.2.1b1";
    case Generation::kG3:
      return "1.2.1";
    case Generation::kG4:
      return "1.3.0";
    case Generation::kG5:
      return "1.3.1";
  }
  return "unknown";
}

// What evidence leaves possible: one bit per generation.
using GenerationSet = unsigned;

constexpr GenerationSet SetOf(Generation generation) { return 1U << static_cast<unsigned>(generation); }
constexpr GenerationSet kNoGeneration = 0;
constexpr GenerationSet kAllGenerations = 2 * SetOf(Generation::kG5) - 1;
constexpr GenerationSet SetFrom(Generation first) { return kAllGenerations & ~(SetOf(first) - 1); }

// The generation of a release such as "1.2.1b1"; kNoGeneration for one that is not spoken.
GenerationSet GenerationOf(const std::string& release);

// The releases of a set in words, such as "1.1.0 to 1.1.4", "1.2.0" or "none".
std::string Releases(GenerationSet set);

// Whether all of the set's generations have the same layouts but for the multimodal inputs, and so may be treated as
// the oldest of them: an input of ours is always longer than the longest layout, and zero where nothing was set.
bool AreAlike(GenerationSet set);

// The oldest of a set that is not empty.
Generation Oldest(GenerationSet set);

}  // namespace rkllm
