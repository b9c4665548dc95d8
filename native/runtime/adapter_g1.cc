#include "adapter_g1.h"

#include <cstring>
#include <new>
#include <utility>

#include "abi_g1.h"

namespace rkllm {
namespace {

// rkllm_createDefaultParam returns its struct through a hidden pointer. Called as if it returned something bigger
// than any release's struct, it cannot write beyond our memory, whatever the library turns out to be.
struct OversizedReturn {
  alignas(16) unsigned char bytes[512];
};
using CreateDefaultParamFn = OversizedReturn (*)();

g1::Param Defaults(CreateDefaultParamFn create) {
  // Constructed in place: the hidden pointer is `storage`, zeroed, since the callee leaves padding unwritten.
  alignas(OversizedReturn) unsigned char storage[sizeof(OversizedReturn)] = {};
  const auto* returned = new (static_cast<void*>(storage)) OversizedReturn(create());
  g1::Param defaults{};
  std::memcpy(&defaults, returned->bytes, sizeof(defaults));
  return defaults;
}

class AdapterG1 final : public Adapter {
 public:
  explicit AdapterG1(std::shared_ptr<const Library> library)
      : library_(std::move(library)),
        create_default_param_(library_->Find<CreateDefaultParamFn>("rkllm_createDefaultParam")),
        init_(library_->Find<g1::InitFn>("rkllm_init")),
        run_(library_->Find<g1::RunFn>("rkllm_run")),
        abort_(library_->Find<g1::HandleFn>("rkllm_abort")),
        destroy_(library_->Find<g1::HandleFn>("rkllm_destroy")) {}

  int Init(const LoadParams& params, RunSink& sink) override {
    sink_ = &sink;
    model_path_ = params.model_path;
    g1::Param packed = Pack(WithGreedyResolved(params));
    g1::Handle handle = nullptr;
    const int code = init_(&handle, &packed, &AdapterG1::OnResult);
    if (code != 0) return code;
    if (handle == nullptr) return kNoHandle;
    handle_ = handle;
    return 0;
  }

  int Run(const RunParams& params) override {
    g1::Input input{};
    std::memset(&input, 0, sizeof(input));
    if (const auto* prompt = std::get_if<std::string>(&params.input)) {
      input.input_type = g1::kPrompt;
      input.prompt_input = prompt->c_str();
    } else {
      const auto& ids = std::get<std::vector<std::int32_t>>(params.input);
      input.input_type = g1::kToken;
      // The vendor's declaration lacks a const; it only reads.
      input.token_input = {const_cast<std::int32_t*>(ids.data()), ids.size()};
    }
    g1::InferParam infer{};
    std::memset(&infer, 0, sizeof(infer));
    infer.mode = g1::kGenerate;
    return run_(handle_, &input, &infer, this);
  }

  int Abort() override { return abort_(handle_); }

  int Destroy() override {
    if (handle_ == nullptr) return 0;
    return destroy_(std::exchange(handle_, nullptr));
  }

 private:
  static constexpr int kNoHandle = -1;

  // Field by field into a zeroed struct, so that padding and reserved bytes are zero.
  g1::Param Pack(const LoadParams& params) const {
    const g1::Param defaults = Defaults(create_default_param_);
    g1::Param packed{};  // and its padding:
    std::memset(&packed, 0, sizeof(packed));
    packed.model_path = model_path_.c_str();
    packed.max_context_len = params.max_context_length;
    packed.max_new_tokens = -1;  // until the model stops: a limit set here could not be raised by a single run
    packed.top_k = params.top_k.value_or(defaults.top_k);
    packed.top_p = params.top_p.value_or(defaults.top_p);
    packed.temperature = params.temperature.value_or(defaults.temperature);
    packed.repeat_penalty = params.repeat_penalty.value_or(defaults.repeat_penalty);
    packed.frequency_penalty = params.frequency_penalty.value_or(defaults.frequency_penalty);
    packed.presence_penalty = params.presence_penalty.value_or(defaults.presence_penalty);
    packed.mirostat = defaults.mirostat;
    packed.mirostat_tau = defaults.mirostat_tau;
    packed.mirostat_eta = defaults.mirostat_eta;
    packed.skip_special_token = 1;
    packed.is_async = 0;
    packed.img_start = defaults.img_start;
    packed.img_end = defaults.img_end;
    packed.img_content = defaults.img_content;
    packed.extend_param.base_domain_id = 0;
    return packed;
  }

  // C entry point: nothing may be thrown through the vendor's frames; OnRunEvent is noexcept.
  static void OnResult(const g1::RunResult* result, void* userdata, std::int32_t state) noexcept {
    auto* self = static_cast<AdapterG1*>(userdata);
    if (self == nullptr) return;
    RunEvent event{RunEvent::Kind::kToken, 0, {}};
    switch (state) {
      case g1::kNormal:
      case g1::kWaiting:  // a token that ends inside a character
        if (result == nullptr) return;
        event.token_id = result->token_id;
        if (result->text != nullptr) event.text = result->text;
        break;
      case g1::kFinish:
        event.kind = RunEvent::Kind::kFinish;
        break;
      case g1::kError:
        event.kind = RunEvent::Kind::kError;
        break;
      default:  // 4 brings hidden states, which generate mode does not ask for; others are not documented
        return;
    }
    self->sink_->OnRunEvent(event);
  }

  std::shared_ptr<const Library> library_;
  CreateDefaultParamFn create_default_param_;
  g1::InitFn init_;
  g1::RunFn run_;
  g1::HandleFn abort_;
  g1::HandleFn destroy_;

  RunSink* sink_ = nullptr;
  std::string model_path_;  // kept until the handle is gone: whether the vendor copies it is not documented
  g1::Handle handle_ = nullptr;
};

}  // namespace

std::unique_ptr<Adapter> MakeAdapterG1(std::shared_ptr<const Library> library) {
  return std::make_unique<AdapterG1>(std::move(library));
}

}  // namespace rkllm
