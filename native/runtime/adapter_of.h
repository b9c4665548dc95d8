// What all adapters do alike. `Abi` is one generation: its structs and how they are filled. Included by adapters only.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "adapter.h"
#include "default_param.h"
#include "performer.h"
#include "read_event.h"
#include "run_structs.h"
#include "run_tickets.h"
#include "zeroed.h"

namespace rkllm {

// `Abi` has the types Param, Input, InferParam and RunResult, the constants kLimitsRuns, kHasLogits, kPauses,
// kReleases and kAsks, the functions
//   Pack(Param&, const LoadParams&, const Param& defaults)
//   Pack(Input&, const RunInput& row, const RunParams&, const LoadParams&)
//   Pack(InferParam&, const RunParams&, const LoadParams&, const Param& defaults): what only some generations have
//   LetAsk(const LoadParams&, RunSink&), if kAsks: what the runtime may ask the sink for, before Init
//   Init(const Library&, Handle*, Param*, ResultCallback, void* userdata): the vendor's, which takes what it likes
//   Perf(const RunResult&): of a FINISH. It lives as long as the handle.
template <typename Abi>
class AdapterOf final : public Adapter {
 public:
  explicit AdapterOf(std::shared_ptr<const Library> library)
      : library_(std::move(library)),
        run_(library_->Find<abi::RunFn<typename Abi::Input, typename Abi::InferParam>>("rkllm_run")),
        abort_(library_->Find<abi::HandleFn>("rkllm_abort")),
        is_running_(library_->Find<abi::HandleFn>("rkllm_is_running")),
        destroy_(library_->Find<abi::HandleFn>("rkllm_destroy")) {}

  CallResult Init(const LoadParams& params, RunSink& sink) override {
    sink_ = &sink;
    load_params_ = params;
    defaults_ = DefaultParam<typename Abi::Param>(*library_);
    Zeroed<typename Abi::Param> packed;
    Abi::Pack(*packed, load_params_, defaults_);
    if constexpr (Abi::kAsks) abi_.LetAsk(load_params_, sink);
    abi::Handle handle = nullptr;
    const int code = abi_.Init(*library_, &handle, &*packed, &OnResult, tickets_.AtLoad());
    if (code != 0) return {"rkllm_init", code, {}};
    if (handle == nullptr) return {"rkllm_init (which gave no handle)", kNoHandle, {}};
    handle_ = handle;
    // Chat templates are applied by TypeScript, the same for all runtimes. From 1.2.0 on the runtime has one of its
    // own, which it would put around what is a whole prompt already.
    if (load_params_.runtime_template.value_or(false) || !library_->Has("rkllm_set_chat_template")) return {};
    CallResult raw = Perform(SetChatTemplate{});
    if (!raw.ok()) Destroy();
    return raw;
  }

  int Run(const RunParams& params) override {
    RunStructs<Abi> structs(abi_, params, load_params_, defaults_);
    mode_ = params.mode;
    const int code = run_(handle_, structs.Inputs(), structs.Infer(), tickets_.Begin());
    tickets_.End();
    return code;
  }

  CallResult Perform(const Operation& operation) override {
    return performer_.Perform(*library_, handle_, load_params_.Rows(), operation);
  }

  int Abort() override { return abort_(handle_); }

  // 1 while running in every release, whatever the comments in the vendor's older headers say.
  bool IsRunning() override { return is_running_(handle_) == 1; }

  int Destroy() override {
    if (handle_ == nullptr) return 0;
    return destroy_(std::exchange(handle_, nullptr));
  }

  bool Limits(const RunParams& params) const override { return Abi::kLimitsRuns && !params.stop_by_pause; }

 private:
  static constexpr int kNoHandle = -1;

  // C entry point: nothing may be thrown through the vendor's frames; the sink is noexcept.
  static int OnResult(typename Abi::RunResult* result, void* userdata, std::int32_t state) noexcept {
    auto* self = static_cast<AdapterOf*>(RunTickets::OwnerOf(userdata));
    return ToAbi<Abi>(self == nullptr ? Reply::kGoOn : self->TakeResults(result, state));
  }

  // One for each row of the batch.
  Reply TakeResults(const typename Abi::RunResult* results, std::int32_t state) noexcept {
    const std::size_t count = HasRows(state) && results != nullptr ? load_params_.Rows() : 1;
    Reply reply = Reply::kGoOn;
    for (std::size_t row = 0; row < count; ++row) {
      const Reply to_row = Deliver<Abi>(*sink_, results == nullptr ? nullptr : results + row, state, mode_, row);
      if (to_row != Reply::kGoOn) reply = to_row;
    }
    return reply;
  }

  std::shared_ptr<const Library> library_;
  abi::RunFn<typename Abi::Input, typename Abi::InferParam> run_;
  abi::HandleFn abort_;
  abi::HandleFn is_running_;
  abi::HandleFn destroy_;

  RunSink* sink_ = nullptr;
  LoadParams load_params_;  // its strings are the runtime's until the handle is gone
  typename Abi::Param defaults_{};
  Abi abi_;
  Performer performer_;
  abi::Handle handle_ = nullptr;
  std::atomic<RunMode> mode_{RunMode::kGenerate};  // of the run in progress; a late event may still look at it
  RunTickets tickets_{this};
};

}  // namespace rkllm
