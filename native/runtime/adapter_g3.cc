// librkllmrt 1.2.1 to 1.2.3.
#include "abi/g3.h"
#include "adapter_of.h"
#include "adapters.h"
#include "pack_load.h"
#include "pack_run.h"
#include "perf.h"

namespace rkllm {
namespace {

struct AbiG3 {
  using Param = abi::g3::Param;
  using Input = abi::g3::Input;
  using InferParam = abi::g3::InferParam;
  using RunResult = abi::g3::RunResult;
  static constexpr bool kLimitsRuns = false;
  static constexpr bool kHasLogits = true;
  static constexpr bool kPauses = true;
  static constexpr bool kReleases = false;
  static constexpr bool kAsks = false;

  static void Pack(Param& param, const LoadParams& params, const Param& defaults) {
    PackCommon(param, params, defaults);
    PackImageTags(param, params, defaults);
    PackFromG2(param, params, defaults);
    PackFromG3(param, params);
  }
  static void Pack(Input& input, const RunInput& row, const RunParams& params, const LoadParams& load) {
    PackInputFromG3(input, row, params, load);
  }
  static void Pack(InferParam& infer, const RunParams& run, const LoadParams& /*load*/, const Param& /*defaults*/) {
    PackHistory(infer, run);
  }

  static int Init(const Library& library, abi::Handle* handle, Param* param, abi::ResultCallback<RunResult> callback,
                  void* /*userdata*/) {
    return library.Find<abi::g3::InitFn>("rkllm_init")(handle, param, callback);
  }

  static std::optional<PerfStats> Perf(const RunResult& result) { return ToPerfStats(result.perf); }
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapterG3(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG3>>(std::move(library));
}

}  // namespace rkllm
