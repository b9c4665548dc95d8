// The exports, and nothing else. Everything hangs on the handles that an environment holds, but for its ChildGuard. The
// functions are declared for TypeScript in lib/backends/rkllm/addon.ts.
#include <napi.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "arguments.h"
#include "bindings/events.h"
#include "bindings/handles.h"
#include "bindings/model_handle.h"
#include "bindings/params.h"
#include "bindings/question_object.h"
#include "session/child_guard.h"

namespace rkllm {
namespace {

constexpr napi_type_tag kModelTag = {0x8d0f6f0c6b8e4a52, 0xa1d94f1e7c3b2068};
constexpr napi_type_tag kRunTag = {0x3b7e52d19c604f8b, 0x95c2e8a06d1f4b37};
using ModelObject = Handle<ModelHandle, kModelTag>;
using RunObject = Handle<Run, kRunTag>;

// load(options, onEvent): model
Napi::Value Load(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsObject()) return Refuse(env, "options must be an object"), env.Undefined();
  if (!info[1].IsFunction()) return Refuse(env, "onEvent must be a function"), env.Undefined();
  const auto options = info[0].As<Napi::Object>();
  auto runtime = ReadRuntimeChoice(env, options);
  if (!runtime) return env.Undefined();
  auto params = ReadLoadParams(env, options);
  if (!params) return env.Undefined();
  auto model = ModelHandle::Create(env, info[1].As<Napi::Function>(), std::move(*runtime), std::move(*params));
  return model ? ModelObject::Wrap(env, std::move(model)) : env.Undefined();
}

// start(model, id, input, options?): run
Napi::Value Start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto model = ModelObject::Unwrap(env, info[0], "model");
  if (!model) return env.Undefined();
  const auto id = ReadInteger(env, info[1], "id", 0, std::numeric_limits<std::uint32_t>::max());
  if (!id) return env.Undefined();
  auto params = ReadRunParams(env, info[2], info[3]);
  if (!params) return env.Undefined();
  // The runtime reads as many inputs as it was loaded for.
  if (params->rows.size() != model->Rows()) {
    return Refuse(env, "input must have as many rows as the model's batch, " + std::to_string(model->Rows())),
           env.Undefined();
  }
  auto run = model->Start(static_cast<std::uint32_t>(*id), std::move(*params));
  if (run) return RunObject::Wrap(env, std::move(run));
  ThrowError(env, Name(ErrorCode::kDisposed), "The model has been disposed.");
  return env.Undefined();
}

// drain(run): tokens | undefined
Napi::Value Drain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto run = RunObject::Unwrap(env, info[0], "run");
  if (!run) return env.Undefined();
  TokenBatch batch;
  run->Drain(batch);
  return batch.empty() ? env.Undefined() : Napi::Value(env, ToTokens(env, batch));
}

// arm(run): boolean
Napi::Value Arm(const Napi::CallbackInfo& info) {
  const auto run = RunObject::Unwrap(info.Env(), info[0], "run");
  if (!run) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), run->Arm());
}

// perform(model, id, operation): void
Napi::Value Perform(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto model = ModelObject::Unwrap(env, info[0], "model");
  if (!model) return env.Undefined();
  const auto id = ReadInteger(env, info[1], "id", 0, std::numeric_limits<std::uint32_t>::max());
  if (!id) return env.Undefined();
  auto operation = ReadOperation(env, info[2]);
  if (operation && !model->Perform(static_cast<std::uint32_t>(*id), std::move(*operation))) {
    ThrowError(env, Name(ErrorCode::kDisposed), "The model has been disposed.");
  }
  return env.Undefined();
}

// answer(question, values?): boolean
Napi::Value Answer(const Napi::CallbackInfo& info) { return AnswerQuestion(info.Env(), info[0], info[1]); }

// abort(model, run): boolean
Napi::Value Abort(const Napi::CallbackInfo& info) {
  const auto model = ModelObject::Unwrap(info.Env(), info[0], "model");
  if (!model) return info.Env().Undefined();
  const auto run = RunObject::Unwrap(info.Env(), info[1], "run");
  return run ? Napi::Boolean::New(info.Env(), model->Abort(*run)) : info.Env().Undefined();
}

// dispose(model): void
Napi::Value Dispose(const Napi::CallbackInfo& info) {
  if (const auto model = ModelObject::Unwrap(info.Env(), info[0], "model")) model->Dispose();
  return info.Env().Undefined();
}

// abandon(model): void
Napi::Value Abandon(const Napi::CallbackInfo& info) {
  if (const auto model = ModelObject::Unwrap(info.Env(), info[0], "model")) model->Abandon();
  return info.Env().Undefined();
}

// lineBufferStdout(): void. For a process that has a pipe there: C keeps up to 4 KiB of what it prints, and they would
// be gone with a crash.
Napi::Value LineBufferStdout(const Napi::CallbackInfo& info) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  return info.Env().Undefined();
}

// expectChild(): void
Napi::Value ExpectChild(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<ChildGuard>()->Expect();
  return info.Env().Undefined();
}

std::optional<pid_t> ReadPid(const Napi::CallbackInfo& info, std::int64_t lowest) {
  const auto pid = ReadInteger(info.Env(), info[0], "pid", lowest, std::numeric_limits<pid_t>::max());
  return pid ? std::optional<pid_t>(static_cast<pid_t>(*pid)) : std::nullopt;
}

// guardChild(pid): void
Napi::Value GuardChild(const Napi::CallbackInfo& info) {
  if (const auto pid = ReadPid(info, 0)) info.Env().GetInstanceData<ChildGuard>()->Add(*pid);
  return info.Env().Undefined();
}

// releaseChild(pid): void
Napi::Value ReleaseChild(const Napi::CallbackInfo& info) {
  if (const auto pid = ReadPid(info, 1)) info.Env().GetInstanceData<ChildGuard>()->Remove(*pid);
  return info.Env().Undefined();
}

// The C entry point around every export: what the standard library throws becomes a JavaScript error.
template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
Napi::Value Guarded(const Napi::CallbackInfo& info) {
  try {
    return Function(info);
  } catch (const std::exception& failure) {
    ThrowError(info.Env(), nullptr, failure.what());
    return info.Env().Undefined();
  }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("load", Napi::Function::New<Guarded<Load>>(env, "load"));
  exports.Set("start", Napi::Function::New<Guarded<Start>>(env, "start"));
  exports.Set("perform", Napi::Function::New<Guarded<Perform>>(env, "perform"));
  exports.Set("drain", Napi::Function::New<Guarded<Drain>>(env, "drain"));
  exports.Set("arm", Napi::Function::New<Guarded<Arm>>(env, "arm"));
  exports.Set("answer", Napi::Function::New<Guarded<Answer>>(env, "answer"));
  exports.Set("abort", Napi::Function::New<Guarded<Abort>>(env, "abort"));
  exports.Set("dispose", Napi::Function::New<Guarded<Dispose>>(env, "dispose"));
  exports.Set("abandon", Napi::Function::New<Guarded<Abandon>>(env, "abandon"));
  exports.Set("lineBufferStdout", Napi::Function::New<Guarded<LineBufferStdout>>(env, "lineBufferStdout"));
  exports.Set("expectChild", Napi::Function::New<Guarded<ExpectChild>>(env, "expectChild"));
  exports.Set("guardChild", Napi::Function::New<Guarded<GuardChild>>(env, "guardChild"));
  exports.Set("releaseChild", Napi::Function::New<Guarded<ReleaseChild>>(env, "releaseChild"));
  env.SetInstanceData(std::make_unique<ChildGuard>().release());  // deleted with the environment
  return exports;
}

}  // namespace
}  // namespace rkllm

static Napi::Object InitRkllm(Napi::Env env, Napi::Object exports) { return rkllm::Init(env, exports); }

NODE_API_MODULE(NODE_GYP_MODULE_NAME, InitRkllm)
