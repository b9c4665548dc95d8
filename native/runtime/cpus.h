// The CPUs that a runtime from 1.2.0 on computes with, as a bit mask.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <cstdint>

namespace rkllm {

inline std::size_t CountCpus(std::uint32_t mask) { return std::bitset<32>(mask).count(); }

// The last four: on the supported chips these are the fast ones, and with more of them it only gets slower.
inline std::uint32_t DefaultCpuMask() {
  constexpr long kCpus = 8;  // as many as the vendor has names for
  constexpr long kWanted = 4;
  const long online = std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, kCpus);
  const long count = std::min(online, kWanted);
  return ((1U << count) - 1U) << (online - count);
}

}  // namespace rkllm
