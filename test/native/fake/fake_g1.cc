// librkllmrt 1.1.x as documented: the ten exported functions, behaviour from the model file's script.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "layout_checks.h"
#include "report.h"
#include "run_script.h"
#include "script.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace fake {
namespace {

#ifdef FAKE_VERSION
__attribute__((used)) const char version[] = "RKLLM SDK (version: " FAKE_VERSION " | target: Linux | build: fake)";
#endif

struct Instance {
  Script script;
  InitArguments arguments;
  Callback callback = nullptr;
  std::atomic<bool> running{false};
  std::atomic<bool> aborted{false};
};

// Handles that have been given out, to notice a handle that is used after its end. Never destroyed: a thread that
// exit() does not wait for may still come here.
struct Handles {
  std::mutex mutex;
  std::set<Instance*> live;
};

Handles& TheHandles() {
  static auto* const handles = new Handles;
  return *handles;
}

Instance* Find(void* handle, const char* function) {
  const std::lock_guard<std::mutex> lock(TheHandles().mutex);
  auto* instance = static_cast<Instance*>(handle);
  if (TheHandles().live.count(instance) == 1) return instance;
  Violation(std::string(function) + ": the handle is not a live one");
  return nullptr;
}

struct DefaultParam {
  alignas(8) unsigned char bytes[200];
};

// Word by word, each with the space before it, so that the pieces join to the text.
std::vector<Piece> Echo(const RunArguments& run) {
  std::ostringstream text;
  if (run.is_prompt) {
    text << "You said: " << run.prompt;
  } else {
    text << "Tokens:";
    for (const std::int32_t id : run.tokens) text << ' ' << id;
  }
  std::vector<Piece> pieces;
  for (const char c : text.str()) {
    if (pieces.empty() || c == ' ')
      pieces.push_back({Piece::Kind::kText, "", static_cast<std::int32_t>(pieces.size())});
    pieces.back().text += c;
  }
  return pieces;
}

std::int64_t PromptTokens(const RunArguments& run) {
  if (!run.is_prompt) return static_cast<std::int64_t>(run.tokens.size());
  std::istringstream words(run.prompt);
  std::string word;
  std::int64_t count = 0;
  while (words >> word) ++count;
  return count;
}

// The vendor's limit: four tokens less than the window, refused without any event.
bool FitsContext(const Instance& instance, const RunArguments& run) {
  const std::int64_t tokens = PromptTokens(run);
  const std::int64_t limit = instance.arguments.max_context_len - 4;
  if (tokens <= limit) return true;
  Log("error: prompt gather than max context (prompt: " + std::to_string(tokens) +
      " tokens, max context: " + std::to_string(limit) + ")");
  return false;
}

int Run(void* handle, const void* input, const void* infer, void* userdata) {
  Instance* instance = Find(handle, "rkllm_run");
  RunArguments arguments;
  if (instance == nullptr || !ReadInput(input, infer, arguments)) return -1;
  if (instance->running.exchange(true)) {
    Violation("rkllm_run: the handle is already running");
    return -1;
  }
  Trace("run " + (arguments.is_prompt ? arguments.prompt : std::to_string(arguments.tokens.size()) + " tokens"));
  instance->aborted = false;  // an abort that came too early is lost
  int code = -1;
  if (FitsContext(*instance, arguments)) {
    auto reply = instance->script.reply.empty() ? Echo(arguments) : instance->script.reply;
    ScriptedRun run(instance->script, std::move(reply), instance->arguments.max_new_tokens, instance->callback,
                    userdata, instance->aborted);
    code = run.Play();
  }
  instance->running = false;
  Trace("run-end " + std::to_string(code));
  return code;
}

}  // namespace
}  // namespace fake

// Written field by field, like the vendor's: what is no field keeps what the caller's memory held. With
// FAKE_RKLLM_DIRTY_DEFAULTS=1 it is garbage instead, as it is when the compiler goes through a temporary.
EXPORTED fake::DefaultParam rkllm_createDefaultParam(void) {
  fake::DefaultParam param;  // NOLINT(cppcoreguidelines-pro-type-member-init): not to touch what is no field
  const char* dirty = std::getenv("FAKE_RKLLM_DIRTY_DEFAULTS");
  if (dirty != nullptr && *dirty == '1') std::memset(param.bytes, 0xAA, sizeof(param.bytes));
  fake::WriteAt<const char*>(param.bytes, 0, nullptr);
  fake::WriteAt<std::int32_t>(param.bytes, 8, 512);
  fake::WriteAt<std::int32_t>(param.bytes, 12, -1);
  fake::WriteAt<std::int32_t>(param.bytes, 16, 40);
  fake::WriteAt<float>(param.bytes, 20, 0.9F);
  fake::WriteAt<float>(param.bytes, 24, 0.8F);
  fake::WriteAt<float>(param.bytes, 28, 1.1F);
  fake::WriteAt<float>(param.bytes, 32, 0.0F);
  fake::WriteAt<float>(param.bytes, 36, 0.0F);
  fake::WriteAt<std::int32_t>(param.bytes, 40, 0);
  fake::WriteAt<float>(param.bytes, 44, 5.0F);
  fake::WriteAt<float>(param.bytes, 48, 0.1F);
  fake::WriteAt<unsigned char>(param.bytes, 52, 1);
  fake::WriteAt<unsigned char>(param.bytes, 53, 0);
  fake::WriteAt<const char*>(param.bytes, 56, "");
  fake::WriteAt<const char*>(param.bytes, 64, "");
  fake::WriteAt<const char*>(param.bytes, 72, "");
  fake::WriteAt<std::int32_t>(param.bytes, 80, 0);
  return param;
}

EXPORTED int rkllm_init(void** handle, void* param, fake::Callback callback) {
  fake::Log("I rkllm: rkllm-runtime version: 1.1.1, rknpu driver version: 0.9.8, platform: RK3588");
  auto instance = std::make_unique<fake::Instance>();
  // First the script: it says where violations are entered.
  const char* path = param == nullptr ? nullptr : fake::ReadAt<const char*>(param, 0);
  auto script = fake::LoadScript(path == nullptr ? "" : path);
  if (!fake::ReadParam(param, instance->arguments)) return -1;
  if (handle == nullptr || callback == nullptr) {
    fake::Violation("rkllm_init: the handle's place or the callback is NULL");
    return -1;
  }
  if (*handle != nullptr) fake::Violation("rkllm_init: the handle was not NULL beforehand");
  fake::Trace("init " + instance->arguments.summary);
  if (!script) {
    fake::Log("E RKNN: invalid rknn llm model magic");
    return -1;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(script->init_delay_ms));
  if (script->init_code != 0 || script->init_null_handle) return script->init_code;
  instance->script = std::move(*script);
  instance->callback = callback;
  const std::lock_guard<std::mutex> lock(fake::TheHandles().mutex);
  *handle = *fake::TheHandles().live.insert(instance.release()).first;
  return 0;
}

EXPORTED int rkllm_destroy(void* handle) {
  std::unique_ptr<fake::Instance> instance(fake::Find(handle, "rkllm_destroy"));
  if (!instance) return -1;
  if (instance->running) fake::Violation("rkllm_destroy: the handle is running");
  {
    const std::lock_guard<std::mutex> lock(fake::TheHandles().mutex);
    fake::TheHandles().live.erase(instance.get());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(instance->script.destroy_delay_ms));
  fake::Trace("destroy");
  return 0;
}

EXPORTED int rkllm_run(void* handle, void* input, void* infer, void* userdata) {
  return fake::Run(handle, input, infer, userdata);
}

EXPORTED int rkllm_run_async(void* /*handle*/, void* /*input*/, void* /*infer*/, void* /*userdata*/) {
  fake::Violation("rkllm_run_async: must never be called");
  return -1;
}

EXPORTED int rkllm_abort(void* handle) {
  fake::Instance* instance = fake::Find(handle, "rkllm_abort");
  if (instance == nullptr) return -1;
  fake::Trace(instance->running ? "abort" : "abort-idle");
  instance->aborted = true;
  return 0;
}

EXPORTED int rkllm_is_running(void* handle) {
  const fake::Instance* instance = fake::Find(handle, "rkllm_is_running");
  if (instance == nullptr) return -1;
  return instance->running ? 1 : 0;
}

EXPORTED int rkllm_load_lora(void* /*handle*/, void* /*adapter*/) { return -1; }
EXPORTED int rkllm_load_prompt_cache(void* /*handle*/, const char* /*path*/) { return -1; }
EXPORTED int rkllm_release_prompt_cache(void* /*handle*/) { return -1; }
