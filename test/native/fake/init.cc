#include "init.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "checker.h"
#include "instance.h"
#include "layout.h"
#include "memory.h"
#include "report.h"
#include "tokenize.h"
#include "vendor_failures.h"
#include "version.h"

namespace fake {
namespace {

// The vendor's lines in their order (reference 3.15). False when it does not get as far as saying who it is.
bool Announce(const Script& script) {
  const bool old_driver = FailAs(script, FailureStage::kWarning);
  if (FailAs(script, FailureStage::kOpening)) return false;
  Log(std::string("I rkllm: rkllm-runtime version: ") + LoggedVersion() +
          ", rknpu driver version: " + (old_driver ? "0.8.2" : "0.9.8") + ", platform: RK3588",
      script.log);
  return true;
}

void LogLoading(const Script& script, const InitArguments& arguments) {
  if (!AtLeast(Generation::kG2)) return;
  Log("I rkllm: loading rkllm model from " + arguments.model_path, script.log);
  Log(std::string("I rkllm: rkllm-toolkit version: ") + LoggedVersion() +
          ", max_context_limit: " + std::to_string(script.max_context > 0 ? script.max_context : 16384) +
          ", npu_core_num: " + std::to_string(script.npu_cores) + ", target_platform: RK3588, model_dtype: W8A8",
      script.log);
  std::string cpus;
  for (unsigned cpu = 0; cpu < 8; ++cpu) {
    if ((arguments.cpu_mask >> cpu & 1U) == 0) continue;
    cpus += (cpus.empty() ? "" : ", ") + std::to_string(cpu);
  }
  Log("I rkllm: Enabled cpus: [" + cpus + "]", script.log);
  Log("I rkllm: Enabled cpus num: " + std::to_string(arguments.enabled_cpus), script.log);
}

bool Refuse(const Script& script, const std::string& why) {
  Log("E rkllm: " + why, script.log);
  if (script.details) Trace("refused: " + why);
  return false;
}

// What the vendor checks of values that are plausible in themselves.
bool FitsModel(const Script& script, const InitArguments& arguments) {
  const int context = arguments.max_context_len;
  const int limit = script.max_context;
  if (limit > 0 && (context > limit || (context == limit && script.max_context_exclusive))) {
    return Refuse(script, "max_context[" + std::to_string(context) +
                              "] must be less than the model's max_context_limit[" + std::to_string(limit) + "]");
  }
  if (script.context_step > 1 && context % script.context_step != 0)
    return Refuse(script, "max_context must be a multiple of " + std::to_string(script.context_step));
  if (Has(Field::kEnabledCpusNum) && arguments.enabled_cpus < script.npu_cores)
    return Refuse(script, "The number of enabled CPUs must be greater than or equal to the number of NPU cores.");
  return true;
}

void Prepare(Instance& instance) {
  const InitArguments& arguments = instance.arguments;
  const int n_keep = arguments.n_keep < 0 ? instance.script.n_keep_default : arguments.n_keep;
  instance.kv.resize(arguments.n_batch);
  for (KvCache& kv : instance.kv)
    kv.SetWindow(static_cast<std::size_t>(arguments.max_context_len), static_cast<std::size_t>(n_keep));
  if (instance.script.template_broken) instance.chat.Break();
}

}  // namespace

int Init(void** handle, const void* param, const void* callback) {
  auto instance = std::make_unique<Instance>();
  // First the script: it says where violations are entered.
  const char* path = param == nullptr ? nullptr : ReadAt<const char*>(param, 0);
  auto script = LoadScript(path == nullptr ? "" : path);
  const bool opened = Announce(script.value_or(Script()));
  if (!ReadParam(param, instance->arguments)) return -1;
  Checker check("rkllm_init");
  check.Expect(handle != nullptr, "the handle's place is NULL");
  if (handle == nullptr || !ReadCallbacks(callback, instance->callbacks)) return -1;
  if (*handle != nullptr) Violation("rkllm_init: the handle was not NULL beforehand");
  Trace("init " + instance->arguments.summary);
  if (!script) {
    Log(AtLeast(Generation::kG2b) ? "E rkllm: invalid rkllm model!" : "E RKNN: invalid rknn llm model magic");
    return -1;
  }
  instance->script = std::move(*script);
  const Script& wanted = instance->script;
  if (opened) LogLoading(wanted, instance->arguments);
  const bool refused = !opened || FailAs(wanted, FailureStage::kLoading);
  if (opened && refused) SayNotLoaded();
  if (AnyLive()) ReachPlace(wanted, "second-load");
  ReachPlace(wanted, "load");
  std::this_thread::sleep_for(std::chrono::milliseconds(wanted.init_delay_ms));
  const bool pretends = !wanted.init_false_success.empty();
  if (refused && !pretends) return -1;
  if (wanted.init_code != 0 || wanted.init_null_handle) return wanted.init_code;
  if (!FitsModel(wanted, instance->arguments)) return -1;
  if (pretends && !refused) Log("rknn_init fail! ret=-1", wanted.log);
  if (wanted.template_broken && AtLeast(Generation::kG2))
    Log("W rkllm: Chat template auto-parsing failed: please configure it via rkllm_set_chat_template", wanted.log);
  if (wanted.ask_at_init) {
    std::vector<Token> tokens;
    if (!AskTokenizer(*instance, "</s>", tokens)) return -1;
  }
  instance->model_path = path;
  Prepare(*instance);
  for (const Failure& failure : wanted.failures) {
    if (failure.place == "idle") instance->idle.Start(failure.how, std::chrono::milliseconds(failure.after));
  }
  *handle = Enlist(instance.release());
  return 0;
}

int Destroy(void* handle) {
  Instance* found = Find(handle, "rkllm_destroy");
  if (found == nullptr) return -1;
  if (found->running) {
    Violation("rkllm_destroy: the handle is running");
    return -1;
  }
  const std::unique_ptr<Instance> instance(found);
  found->idle.Pause();
  Delist(found);
  ReachPlace(instance->script, "destroy");
  std::this_thread::sleep_for(std::chrono::milliseconds(instance->script.destroy_delay_ms));
  for (std::thread& thread : instance->threads) thread.join();
  Trace("destroy");
  return instance->script.destroy_code;
}

}  // namespace fake
