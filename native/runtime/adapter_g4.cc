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
  static constexpr bool kAsks = true;

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

  // Both stay NULL unless they are wanted: a model with a tokenizer of its own is none of our business.
  void LetAsk(const LoadParams& params, RunSink& sink) {
    if (params.has_tokenizer.value_or(false)) {
      callback_.tokenizer_callback = &OnTokenize;
      callback_.tokenizer_userdata = &sink;
    }
    if (params.has_embedder.value_or(false)) {
      callback_.embed_callback = &OnEmbed;
      callback_.embed_userdata = &sink;
    }
  }

  int Init(const Library& library, abi::Handle* handle, Param* param, abi::ResultCallback<RunResult> callback,
           void* userdata) {
    callback_.result_callback = callback;
    callback_.result_userdata = userdata;
    return library.Find<abi::g4::InitFn>("rkllm_init")(handle, param, &callback_);
  }

  static std::optional<PerfStats> Perf(const RunResult& result) { return ToPerfStats(result.perf); }

 private:
  // C entry points, as the result callback is (adapter_of.h).
  static std::int32_t OnTokenize(void* userdata, const char* text, std::int32_t length, std::int32_t* tokens,
                                 std::int32_t n_max) noexcept {
    if (userdata == nullptr || text == nullptr || length < 0 || tokens == nullptr || n_max < 0) return kNoAnswer;
    const std::string_view view(text, static_cast<std::size_t>(length));
    return static_cast<RunSink*>(userdata)->OnTokenize(view, tokens, static_cast<std::size_t>(n_max));
  }
  static std::int32_t OnEmbed(void* userdata, std::int32_t* tokens, std::uint64_t num_tokens, void* embed,
                              std::uint64_t length_bytes) noexcept {
    if (userdata == nullptr || tokens == nullptr || embed == nullptr) return kNoAnswer;
    return static_cast<RunSink*>(userdata)->OnEmbed(tokens, num_tokens, embed, length_bytes) ? 0 : kNoAnswer;
  }

  static constexpr std::int32_t kNoAnswer = -1;

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
