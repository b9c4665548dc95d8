// What all adapters do alike. `Abi` is one generation: its structs and how they are filled. Included by adapters only.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "adapter.h"
#include "default_param.h"
#include "performer.h"
#include "read_event.h"
#include "zeroed.h"

namespace rkllm {

// `Abi` has the types Param, Input, InferParam and RunResult, the constants kLimitsRuns, kHasLogits, kPauses,
// kReleases and kAsks, the functions
//   Pack(Param&, const LoadParams&, const Param& defaults)
//   Pack(Input&, const RunInput& row, const RunParams&, const LoadParams&)
//   Pack(InferParam&, const RunParams&, const LoadParams&, const Param& defaults): what only some generations have
//   LetAsk(const LoadParams&, RunSink&), if kAsks: what the runtime may ask the sink for, before Init
//   Init(const Library&, Handle*, Param*, ResultCallback, void* userdata): the vendor's, which takes what it likes
//   Perf(const RunResult&): of a FINISH
// and lives as long as the handle.
template <typename Abi>
class AdapterOf final : public Adapter {
 public:
  explicit AdapterOf(std::shared_ptr<const Library> library)
      : library_(std::move(library)),
        run_(library_->Find<abi::RunFn<typename Abi::Input, typename Abi::InferParam>>("rkllm_run")),
        abort_(library_->Find<abi::HandleFn>("rkllm_abort")),
        is_running_(library_->Find<abi::HandleFn>("rkllm_is_running")),
        destroy_(library_->Find<abi::HandleFn>("rkllm_destroy")) {
    tickets_.fill({this});
  }

  CallResult Init(const LoadParams& params, RunSink& sink) override {
    sink_ = &sink;
    load_params_ = params;
    defaults_ = DefaultParam<typename Abi::Param>(*library_);
    Zeroed<typename Abi::Param> packed;
    Abi::Pack(*packed, load_params_, defaults_);
    if constexpr (Abi::kAsks) abi_.LetAsk(load_params_, sink);
    abi::Handle handle = nullptr;
    const int code = abi_.Init(*library_, &handle, &*packed, &OnResult, &any_run_);
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
    ZeroedRows<typename Abi::Input> inputs(params.rows.size());
    for (std::size_t row = 0; row < params.rows.size(); ++row) {
      Abi::Pack(inputs[row], params.rows[row], params, load_params_);
    }
    Zeroed<typename Abi::InferParam> infer;
    infer->mode = ToAbi(params.mode);
    Zeroed<abi::LoraParam> lora;
    if (params.lora) {
      lora->lora_adapter_name = params.lora->c_str();
      infer->lora_params = &*lora;
    }
    Zeroed<abi::PromptCacheParam> cache;
    if (params.save_prompt_cache) {
      cache->save_prompt_cache = 1;
      cache->prompt_cache_path = params.save_prompt_cache->c_str();
      infer->prompt_cache_params = &*cache;
    }
    mode_ = params.mode;
    abi_.Pack(*infer, params, load_params_, defaults_);
    Ticket* const ticket = &tickets_.at(next_ticket_++ % tickets_.size());
    current_ticket_ = ticket;
    const int code = run_(handle_, inputs.Data(), &*infer, ticket);
    current_ticket_ = nullptr;
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
  // An event that comes so many runs late would be taken for one of the run in progress.
  static constexpr std::size_t kTickets = 64;

  // The userdata of a run: its address tells whose an event is.
  struct Ticket {
    AdapterOf* adapter;
  };

  // C entry point: nothing may be thrown through the vendor's frames; OnRunEvent is noexcept.
  static int OnResult(typename Abi::RunResult* result, void* userdata, std::int32_t state) noexcept {
    const auto* ticket = static_cast<const Ticket*>(userdata);
    if (ticket == nullptr) return ToResult(Reply::kGoOn);
    AdapterOf& self = *ticket->adapter;
    // Of a run that has returned: its result may be gone.
    if (ticket != self.current_ticket_ && ticket != &self.any_run_) return ToResult(Reply::kGoOn);
    return ToResult(self.TakeResults(result, state));
  }

  // One for each row of the batch.
  Reply TakeResults(const typename Abi::RunResult* results, std::int32_t state) noexcept {
    const std::size_t count = HasRows(state) && results != nullptr ? load_params_.Rows() : 1;
    Reply reply = Reply::kGoOn;
    for (std::size_t row = 0; row < count; ++row) {
      auto event = ReadEvent<Abi>(results == nullptr ? nullptr : results + row, state, mode_);
      if (!event) continue;
      event->row = row;
      const Reply to_row = sink_->OnRunEvent(*event);
      if (to_row != Reply::kGoOn) reply = to_row;
    }
    return reply;
  }

  static constexpr int ToResult(Reply reply) {
    if (reply == Reply::kPause && Abi::kPauses) return abi::kPause;
    if (reply == Reply::kRelease && Abi::kReleases) return abi::kReleaseOutput;
    return abi::kContinue;
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
  std::array<Ticket, kTickets> tickets_{};
  std::size_t next_ticket_ = 0;
  std::atomic<const Ticket*> current_ticket_{nullptr};  // nullptr: no run is in progress
  Ticket any_run_{this};  // for a runtime that gives back what it got at load in place of what it got with the run
};

}  // namespace rkllm
