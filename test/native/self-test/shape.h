// The layouts once more, as the self-test writes them: typed from Appendix A of the reference, not from the fake's
// table.
#pragma once

#include <cstddef>

namespace self_test {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Shape {
  const char* version;
  int generation;  // 0: 1.1.x, 1: 1.2.0, 2: 1.2.1b1, 3: 1.2.1 to 1.2.3, 4: 1.3.0, 5: 1.3.1
  std::size_t param_size, n_keep, top_p, skip_special, is_async, domain, cpus, mask, n_batch, reserved;
  std::size_t default_end, default_end_without_mask;  // the last byte that rkllm_createDefaultParam writes
  std::size_t input_size, type, data, multimodal_size;
  std::size_t infer_size, keep_history, sampling, max_new_tokens;
  std::size_t result_size, logits, perf;
  std::size_t exports;
};

// clang-format off
constexpr Shape kShapes[] = {
    {"1.1.1", 0, 200, kNone, 20, 52, 53, 80, kNone, kNone, kNone, 84, 83, 83,
     32, 0, 8, 24, 24, kNone, kNone, kNone, 32, kNone, kNone, 10},
    {"1.2.0", 1, 208, 20, 24, 56, 57, 88, 93, 96, kNone, 100, 99, 93,
     32, 0, 8, 24, 32, 24, kNone, kNone, 48, 32, kNone, 12},
    {"1.2.1b1", 2, 208, 20, 24, 56, 57, 88, 93, 96, kNone, 100, 99, 93,
     56, 0, 8, 48, 32, 24, kNone, kNone, 48, 32, kNone, 12},
    {"1.2.3", 3, 208, 20, 24, 56, 57, 88, 93, 96, 100, 102, 101, 101,
     64, 12, 16, 48, 32, 24, kNone, kNone, 72, 32, 48, 15},
    {"1.3.0", 4, 184, 20, 24, 56, 58, 60, 65, 68, 72, 74, 73, 73,
     160, 12, 16, 144, 40, 32, 24, 36, 72, 32, 48, 15},
    {"1.3.1", 5, 184, 20, 24, 56, 58, 60, 65, 68, 72, 74, 73, 73,
     208, 12, 16, 192, 40, 32, 24, 36, 72, 32, 48, 15},
};
// clang-format on

}  // namespace self_test
