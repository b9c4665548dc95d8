#include "run.h"

#include <algorithm>
#include <cstdlib>

#include "ends.h"
#include "instance.h"
#include "layout.h"
#include "memory.h"
#include "prompt_cache.h"
#include "report.h"
#include "run_script.h"
#include "run_states.h"
#include "tokenize.h"
#include "vendor_failures.h"

namespace fake {
namespace {

std::string RunLine(const RunArguments& arguments) {
  std::string line = "run";
  const char* separator = " ";
  for (const InputArguments& input : arguments.inputs) {
    const std::string count = std::to_string(input.tokens.size());
    line += separator;
    if (input.type == InputType::kTokens) {
      line += count + " tokens";
    } else if (input.type == InputType::kEmbeddings) {
      line += count + " embeddings";
    } else {
      line += (input.type == InputType::kMultimodal ? "multimodal " : "") + input.prompt;
    }
    separator = " | ";
  }
  return line;
}

// Some promises are for the handle's life, not for rkllm_init alone.
void CheckPointers(const Instance& instance) {
  if (!instance.script.keeps_pointers) return;
  if (instance.model_path != instance.arguments.model_path)
    Violation("model_path has changed since the initialization");
  if (!Unchanged(instance.callbacks)) Violation("the RKLLMCallback has changed since the initialization");
}

bool UsesEmbeddings(const RunArguments& arguments) {
  return std::any_of(arguments.inputs.begin(), arguments.inputs.end(),
                     [](const InputArguments& input) { return input.type == InputType::kEmbeddings; });
}

void FillCache(Instance& instance, const RunArguments& arguments, RunSetup& setup) {
  const std::string lora = arguments.has_lora ? arguments.lora : "";
  // From 1.2.0, for embeddings from 1.2.3; never across adapters.
  const bool reuse = instance.script.prefix_reuse && lora == instance.active_lora &&
                     AtLeast(UsesEmbeddings(arguments) ? Generation::kG3 : Generation::kG2);
  instance.active_lora = lora;
  std::size_t reused = 0;
  for (std::size_t i = 0; i < instance.kv.size(); ++i) {
    KvCache& kv = instance.kv[i];
    const std::size_t known = kv.Begin(setup.prompts[i], reuse, instance.prompt_cache);
    const std::size_t length = setup.prompts[i].size() + kv.History();
    setup.prefilled += length - known;
    reused += known;
  }
  Details(instance, "prefill " + std::to_string(setup.prefilled) + " reused " + std::to_string(reused));
}

void SaveCache(const Instance& instance, const RunArguments& arguments, const std::vector<Token>& prompt) {
  if (!arguments.save_cache || UsesEmbeddings(arguments)) return;
  if (!instance.script.prompt_cache) {
    Log("W rkllm: The qwen35 model does not support saving prompt cache!", instance.script.log);
    return;
  }
  const bool saved = SavePromptCache(arguments.cache_path, prompt);
  Details(instance, std::string(saved ? "saved " : "could not save ") + arguments.cache_path);
}

// What the vendor adds to its log with RKLLM_LOG_LEVEL 1 and 2.
void LogRun(const Instance& instance, const RunArguments& arguments) {
  const char* wanted = std::getenv("RKLLM_LOG_LEVEL");
  const int level = wanted == nullptr ? 0 : std::atoi(wanted);
  const KvCache& kv = instance.kv[0];
  const bool log = instance.script.log;
  if (level >= 1) Log("I rkllm:  Peak Memory Usage (GB)", log);
  if (level < 2) return;
  Log("I rkllm: current kv cache size: " + std::to_string(kv.Size()), log);
  Log(std::string("I rkllm: keep history status: ") + (arguments.keep_history ? "1" : "0"), log);
  Log("I rkllm: In this conversation: the newly added user cache size is " +
          std::to_string(kv.Size() - std::min(kv.Size(), instance.system_tokens)) + "; system cache size is " +
          std::to_string(instance.system_tokens),
      log);
}

int RunTaken(Instance& instance, const RunArguments& arguments, void* userdata) {
  Trace(RunLine(arguments));
  CheckPointers(instance);
  Details(instance, "infer " + arguments.summary);
  // An abort that came too early is lost, if the script does not want it otherwise.
  if (!instance.script.abort_idle_sticks) instance.aborted = false;
  instance.paused = false;
  if (!instance.script.init_false_success.empty()) {
    ComeToAnEnd(instance.script.init_false_success);  // returns for `error`, which is none
    return -1;
  }
  if (arguments.has_lora && instance.loras.count(arguments.lora) == 0) {
    Log("E rkllm: lora adapter " + arguments.lora + " is not loaded", instance.script.log);
    return -1;
  }
  RunSetup setup;
  const int refused = Tokenize(instance, arguments, setup);
  if (refused != 0 || setup.prompts.size() < arguments.inputs.size()) return refused;
  setup.arguments = &arguments;
  setup.userdata = userdata != nullptr ? userdata : instance.callbacks.result_userdata;
  setup.max_new_tokens = arguments.max_new_tokens > 0 ? arguments.max_new_tokens : instance.arguments.max_new_tokens;
  FillCache(instance, arguments, setup);
  FailAs(instance.script, FailureStage::kRun);
  const std::vector<Token> prompt = setup.prompts[0];
  const int code = ScriptedRun(instance, std::move(setup)).Play();
  for (KvCache& kv : instance.kv) kv.End(arguments.keep_history);
  SaveCache(instance, arguments, prompt);
  Details(instance,
          "kv " + std::to_string(instance.kv[0].Size()) + " history " + std::to_string(instance.kv[0].History()));
  LogRun(instance, arguments);
  ++instance.runs;
  return code;
}

void AddThread(Instance& instance, std::thread thread) {
  const std::lock_guard<std::mutex> lock(instance.threads_mutex);
  instance.threads.push_back(std::move(thread));
}

// An event with no run in flight, from a thread of the runtime's own.
void SendLateEvent(Instance& instance, void* userdata) {
  if (!instance.script.late_event_ms) return;
  AddThread(instance, std::thread([&instance, userdata] {
              std::this_thread::sleep_for(std::chrono::milliseconds(*instance.script.late_event_ms));
              std::vector<unsigned char> result(Offset(Field::kResultSize) * instance.kv.size());
              const std::string text = "late";
              WriteAt<const char*>(result.data(), 0, text.c_str());
              CallResult(instance.callbacks, result.data(), userdata, kNormal);
              Details(instance, "late-event");
            }));
}

void Finish(Instance& instance, int code, void* userdata) {
  ReachPlace(instance.script, "run-end");
  instance.aborted = false;
  if (instance.script.return_delay_ms > 0) {
    instance.leaving = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(instance.script.return_delay_ms));
    instance.leaving = false;
  }
  SendLateEvent(instance, userdata);
  instance.idle.Resume();
  instance.running = false;
  Trace("run-end " + std::to_string(code));
}

// Reads the arguments and takes the instance. False when it cannot be run.
bool Take(Instance* instance, const void* input, const void* infer, RunArguments& arguments) {
  if (instance == nullptr || !ReadRun(input, infer, instance->arguments, instance->script, arguments)) return false;
  if (instance->running.exchange(true)) {
    Violation("rkllm_run: the handle is already running");
    return false;
  }
  instance->idle.Pause();
  return true;
}

}  // namespace

int Run(void* handle, const void* input, const void* infer, void* userdata) {
  Instance* instance = Find(handle, "rkllm_run");
  RunArguments arguments;
  if (instance != nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(instance->script.enter_delay_ms));
  if (!Take(instance, input, infer, arguments)) return -1;
  const int code = RunTaken(*instance, arguments, userdata);
  Finish(*instance, code, userdata);
  return code;
}

// To be avoided (reference 3.1). A script may want it all the same.
int RunAsync(void* handle, const void* input, const void* infer, void* userdata) {
  Instance* instance = Find(handle, "rkllm_run_async");
  if (instance == nullptr) return -1;
  if (instance->script.run_async == "silent") return 0;
  RunArguments arguments;
  if (instance->script.run_async != "works") {
    Violation("rkllm_run_async: must never be called");
    return -1;
  }
  if (!Take(instance, input, infer, arguments)) return -1;
  AddThread(*instance, std::thread([instance, arguments, userdata] {
    Finish(*instance, RunTaken(*instance, arguments, userdata), userdata);
  }));
  return 0;
}

}  // namespace fake
