// What a runtime from 1.2.1 on measures. Included by adapters only.
#pragma once

#include "abi/g3.h"
#include "params.h"

namespace rkllm {

inline PerfStats ToPerfStats(const abi::g3::PerfStat& perf) {
  return {static_cast<double>(perf.prefill_time_ms), perf.prefill_tokens, static_cast<double>(perf.generate_time_ms),
          perf.generate_tokens, static_cast<double>(perf.memory_usage_mb)};
}

}  // namespace rkllm
