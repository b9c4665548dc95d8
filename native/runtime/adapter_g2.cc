// librkllmrt 1.2.0 and 1.2.1b1.
#include "abi/g2.h"
#include "adapter_of.h"
#include "adapters.h"
#include "pack_load.h"
#include "pack_run.h"

namespace rkllm {
namespace {

// The two releases differ in their Input.
template <typename ReleaseInput>
struct AbiG2 {
  using Param = abi::g2::Param;
  using Input = ReleaseInput;
  using InferParam = abi::g2::InferParam;
  using RunResult = abi::g2::RunResult;
  static constexpr bool kLimitsRuns = false;
  static constexpr bool kHasLogits = true;
  static constexpr bool kPauses = false;
  static constexpr bool kReleases = false;
  static constexpr bool kAsks = false;

  static void Pack(Param& param, const LoadParams& params, const Param& defaults) {
    PackCommon(param, params, defaults);
    PackImageTags(param, params, defaults);
    PackFromG2(param, params, defaults);
  }
  static void Pack(Input& input, const RunInput& row, const RunParams& /*params*/, const LoadParams& load) {
    PackInput(input, row, load);
  }
  static void Pack(InferParam& infer, const RunParams& run, const LoadParams& /*load*/, const Param& /*defaults*/) {
    PackHistory(infer, run);
  }

  static int Init(const Library& library, abi::Handle* handle, Param* param, abi::ResultCallback<RunResult> callback,
                  void* /*userdata*/) {
    return library.Find<abi::g2::InitFn>("rkllm_init")(handle, param, callback);
  }

  static std::optional<PerfStats> Perf(const RunResult& /*result*/) { return {}; }
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapterG2(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG2<abi::g2::Input>>>(std::move(library));
}

std::unique_ptr<Adapter> MakeAdapterG2b(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG2<abi::g2b::Input>>>(std::move(library));
}

}  // namespace rkllm
