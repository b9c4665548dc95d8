#include "generation.h"

#include <algorithm>
#include <array>

namespace rkllm {
namespace {

struct Release {
  const char* name;
  Generation generation;
};

constexpr std::array<Release, 12> kReleases = {{{"1.1.0", Generation::kG1},
                                                {"1.1.1", Generation::kG1},
                                                {"1.1.2", Generation::kG1},
                                                {"1.1.3", Generation::kG1},
                                                {"1.1.4", Generation::kG1},
                                                {"1.2.0", Generation::kG2},
                                                {"1.2.1b1", Generation::kG2b},
                                                {"1.2.1", Generation::kG3},
                                                {"1.2.2", Generation::kG3},
                                                {"1.2.3", Generation::kG3},
                                                {"1.3.0", Generation::kG4},
                                                {"1.3.1", Generation::kG5}}};

constexpr GenerationSet kG2Family = SetOf(Generation::kG2) | SetOf(Generation::kG2b);
constexpr GenerationSet kG4Family = SetOf(Generation::kG4) | SetOf(Generation::kG5);

}  // namespace

GenerationSet GenerationOf(const std::string& release) {
  const auto* const found =
      std::find_if(kReleases.begin(), kReleases.end(), [&](const Release& known) { return release == known.name; });
  return found == kReleases.end() ? kNoGeneration : SetOf(found->generation);
}

std::string Releases(GenerationSet set) {
  const char* first = nullptr;
  const char* last = nullptr;
  for (const Release& release : kReleases) {
    if ((set & SetOf(release.generation)) == 0) continue;
    if (first == nullptr) first = release.name;
    last = release.name;
  }
  if (first == nullptr) return "none";
  return first == last ? first : std::string(first) + " to " + last;
}

bool AreAlike(GenerationSet set) {
  return (set & ~kG2Family) == 0 || (set & ~kG4Family) == 0 || (set & (set - 1)) == 0;
}

Generation Oldest(GenerationSet set) {
  unsigned index = 0;
  while ((set & (1U << index)) == 0) ++index;
  return static_cast<Generation>(index);
}

}  // namespace rkllm
