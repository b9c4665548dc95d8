// librkllmrt 1.1.0 to 1.1.4.
#include "abi/g1.h"
#include "adapter_of.h"
#include "adapters.h"
#include "pack_load.h"
#include "pack_run.h"

namespace rkllm {
namespace {

struct AbiG1 {
  using Param = abi::g1::Param;
  using Input = abi::g1::Input;
  using InferParam = abi::g1::InferParam;
  using RunResult = abi::g1::RunResult;
  static constexpr bool kLimitsRuns = false;
  static constexpr bool kHasLogits = false;
  static constexpr bool kPauses = false;
  static constexpr bool kReleases = false;
  static constexpr bool kAsks = false;

  static void Pack(Param& param, const LoadParams& params, const Param& defaults) {
    PackCommon(param, params, defaults);
    PackImageTags(param, params, defaults);
  }
  static void Pack(Input& input, const RunInput& row, const RunParams& /*params*/, const LoadParams& load) {
    PackInput(input, row, load);
  }
  static void Pack(InferParam& /*infer*/, const RunParams& /*run*/, const LoadParams& /*load*/,
                   const Param& /*defaults*/) {}

  static int Init(const Library& library, abi::Handle* handle, Param* param, abi::ResultCallback<RunResult> callback,
                  void* /*userdata*/) {
    return library.Find<abi::g1::InitFn>("rkllm_init")(handle, param, callback);
  }

  static std::optional<PerfStats> Perf(const RunResult& /*result*/) { return {}; }
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapterG1(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG1>>(std::move(library));
}

}  // namespace rkllm
