#include "default_param.h"

#include <cstdint>
#include <new>

namespace rkllm {
namespace {

// The struct is returned through a hidden pointer. Called as if it returned something bigger than any release's
// struct, the function cannot write beyond our memory, whatever the library turns out to be.
struct OversizedReturn {
  alignas(16) DefaultParamBytes bytes;
};
using CreateDefaultParamFn = OversizedReturn (*)();

constexpr unsigned char kPoison = 0xAA;
constexpr unsigned char kOtherPoison = 0x55;

constexpr GenerationSet kLayout1 = SetOf(Generation::kG1);
constexpr GenerationSet kLayout2 = SetOf(Generation::kG2) | SetOf(Generation::kG2b) | SetOf(Generation::kG3);
constexpr GenerationSet kLayout4 = SetOf(Generation::kG4) | SetOf(Generation::kG5);

// By the last byte that was written: either that of the last field, or that of the struct (or its last member) where
// a release zero-fills or copies the struct as a whole.
GenerationSet ByLastByte(int last) {
  if (last >= 208) return kNoGeneration;
  if (last >= 200) return kLayout2;
  if (last >= 184) return kLayout1;
  if (last >= 176) return kLayout4;
  if (last >= 84 && last <= 103) return kLayout2;
  if (last >= 80 && last <= 83) return kLayout1;
  if (last >= 60 && last <= 79) return kLayout4;
  return kAllGenerations;
}

// Bytes 20 to 23 are top_p in 1.1.x and n_keep since.
GenerationSet ByFieldAt20(const DefaultParamBytes& bytes) {
  std::int32_t integer = 0;
  float number = 0;
  std::memcpy(&integer, bytes.data() + 20, sizeof(integer));
  std::memcpy(&number, bytes.data() + 20, sizeof(number));
  if (number > 0.01F && number <= 1.0F) return kLayout1;
  return integer >= -1 && integer < 65536 ? kLayout2 | kLayout4 : kAllGenerations;
}

}  // namespace

DefaultParamBytes CallCreateDefaultParam(const Library& library, unsigned char fill) {
  const auto create = library.Find<CreateDefaultParamFn>("rkllm_createDefaultParam");
  // Constructed in place: the hidden pointer is `storage`. Filled through a volatile pointer, because the compiler may
  // take the call for one that writes all of it.
  alignas(OversizedReturn) unsigned char storage[sizeof(OversizedReturn)];
  volatile unsigned char* const target = storage;
  for (std::size_t at = 0; at < sizeof(storage); ++at) target[at] = fill;
  return (new (static_cast<void*>(storage)) OversizedReturn(create()))->bytes;
}

Footprint MeasureFootprint(const Library& library) {
  // Twice, since a value that is written may equal the poison.
  const DefaultParamBytes bytes = CallCreateDefaultParam(library, kPoison);
  const DefaultParamBytes others = CallCreateDefaultParam(library, kOtherPoison);
  int last = static_cast<int>(bytes.size()) - 1;
  const auto is_written = [&](int at) {
    const auto index = static_cast<std::size_t>(at);
    return bytes[index] != kPoison || others[index] != kOtherPoison;
  };
  while (last >= 0 && !is_written(last)) --last;

  Footprint footprint;
  if (last < 0) {
    footprint.found = "nothing is written";
    return footprint;
  }
  const GenerationSet by_field = ByFieldAt20(bytes);
  footprint.found = "the last byte written is " + std::to_string(last) + "; at byte 20 is " +
                    (by_field == kLayout1          ? "a probability"
                     : by_field == kAllGenerations ? "neither a probability nor a count"
                                                   : "a count");
  const GenerationSet by_last = ByLastByte(last);
  footprint.possible = by_last & by_field;
  // The two disagree: a layout of none of the releases, or defaults unlike theirs. Then this says nothing.
  if (footprint.possible == kNoGeneration && by_last != kNoGeneration) footprint.possible = kAllGenerations;
  return footprint;
}

}  // namespace rkllm
