// librkllmrt 1.3.0 and 1.3.1.
#include "abi/g5.h"
#include "adapter_of.h"
#include "adapters.h"
#include "pack_load.h"
#include "pack_run.h"
#include "perf.h"

namespace rkllm {
namespace {

// The two releases differ in their Input.
template <typename ReleaseInput>
struct AbiG4 {
  using Param = abi::g4::Param;
  using Input = ReleaseInput;
  using InferParam = abi::g4::InferParam;
  using RunResult = abi::g4::RunResult;
  static constexpr bool kLimitsRuns = true;
  static constexpr bool kHasLogits = true;
  static constexpr bool kPauses = true;
  static constexpr bool kReleases = true;

  static void Pack(Param& param, const LoadParams& params, const Param& defaults) {
    PackCommon(param, params, defaults);
    PackFromG2(param, params, defaults);
    PackFromG3(param, params);
    param.ignore_eos_token = params.ignore_eos.value_or(false) ? 1 : 0;
  }
  static void Pack(Input& input, const RunInput& row, const RunParams& params, const LoadParams& load) {
    PackInputFromG3(input, row, params, load);
  }

  void Pack(InferParam& infer, const RunParams& run, const LoadParams& load, const Param& defaults) {
    PackHistory(infer, run);
    // 0: as at load. A run that is to be paused must not be ended by the runtime.
    infer.max_new_tokens = run.stop_by_pause ? 0 : run.max_new_tokens.value_or(0);
    if (run.mode != RunMode::kGenerate) infer.max_new_tokens = 1;  // no text is wanted
    if (run.sampling.empty()) return;
    // Complete: the struct replaces all of what was given at load.
    PackSampling(sampling_, WithGreedyResolved(Merged(load.sampling, run.sampling)), defaults);
    infer.sampling_params = &sampling_;
  }

  int Init(const Library& library, abi::Handle* handle, Param* param, abi::ResultCallback<RunResult> callback,
           void* userdata) {
    callback_.result_callback = callback;
    callback_.result_userdata = userdata;
    return library.Find<abi::g4::InitFn>("rkllm_init")(handle, param, &callback_);
  }

  static std::optional<PerfStats> Perf(const RunResult& result) { return ToPerfStats(result.perf); }

 private:
  abi::g4::Callback callback_{};       // as long as the handle: whether the vendor copies it is not documented
  abi::g4::SamplingParam sampling_{};  // of the run in progress
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapterG4(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG4<abi::g4::Input>>>(std::move(library));
}

std::unique_ptr<Adapter> MakeAdapterG5(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterOf<AbiG4<abi::g5::Input>>>(std::move(library));
}

}  // namespace rkllm
