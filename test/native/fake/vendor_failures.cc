#include "vendor_failures.h"

#include <algorithm>
#include <vector>

#include "layout.h"
#include "report.h"
#include "script.h"

namespace fake {
namespace {

struct VendorFailure {
  const char* name;
  FailureStage stage;
  std::vector<const char*> lines;
};

const std::vector<VendorFailure>& Failures() {
  static const auto* const failures = new std::vector<VendorFailure>{
      {"old-driver",
       FailureStage::kWarning,
       {"W rkllm: Warning: Your rknpu driver version is too low, please upgrade to 0.9.7"}},
      {"old-driver", FailureStage::kRun, {"E rkllm: matmul(w8a8) run failed", "E rkllm: matmul(w8a8) run failed"}},
      {"no-driver",
       FailureStage::kOpening,
       {"E RKNN: [12:35:17.433] failed to open rknpu module, need to insmod rknpu dirver!",
        "E RKNN: [12:35:17.433] failed to open rknn device!", "E RKNN: [12:35:17.533] Device is not available",
        "Get device properties failed"}},
      {"no-access",
       FailureStage::kOpening,
       {"E RKNN: [12:35:17.433] failed to open /dev/dri/renderD129, ret: -1, errno: 13, errstr: Permission denied",
        "E RKNN: [12:35:17.533] Device is not available"}},
      {"unknown-platform", FailureStage::kOpening, {"Query platform error!"}},
      {"other-board",
       FailureStage::kOpening,
       {"Platform error: must be either RK3588, RK3576, RV1126B, or RK3562.", "Your platform is lite."}},
      {"invalid-model",
       FailureStage::kLoading,
       {AtLeast(Generation::kG2b) ? "E rkllm: invalid rkllm model!"
                                  : "E RKNN: [08:48:14.826] invalid rknn llm model magic"}},
      {"old-model",
       FailureStage::kLoading,
       {"Warning: The model version is too old, please use the latest toolkit to reconvert the model!",
        "The model target_platform does not match!"}},
      {"other-platform", FailureStage::kLoading, {"The model target_platform does not match!"}},
      {"npu-memory",
       FailureStage::kLoading,
       {"E RKNN: [09:40:45.140] failed to allocate handle, ret: -1, errno: 14, errstr: Bad address",
        "E RKNN: [09:40:45.140] failed to malloc npu memory, size: 3085697024, flags: 0x2"}},
      {"open-files",
       FailureStage::kLoading,
       {"E RKNN: [10:49:05.216] failed to convert handle(1020) to fd, ret: -1, errno: 24, errstr: Too many open files",
        "E RKNN: [10:49:05.216] failed to malloc npu memory, size: 80, flags: 0xa"}},
  };
  return *failures;
}

}  // namespace

bool IsVendorFailure(const std::string& name) {
  return std::any_of(Failures().begin(), Failures().end(),
                     [&](const VendorFailure& failure) { return name == failure.name; });
}

bool FailAs(const Script& script, FailureStage stage) {
  bool any = false;
  for (const VendorFailure& failure : Failures()) {
    if (failure.stage != stage) continue;
    if (std::count(script.fails_as.begin(), script.fails_as.end(), failure.name) == 0) continue;
    any = true;
    for (const char* line : failure.lines) Print(line);
  }
  return any;
}

void SayNotLoaded() {
  Print("E RKNN: [09:40:45.148] load model file error!");
  Print(AtLeast(Generation::kG2) ? "E rkllm: rkllm_init failed" : "rknn_init fail! ret=-1");
}

}  // namespace fake
