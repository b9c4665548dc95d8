// The records that TypeScript passes (lib/backends/rkllm/addon.ts), read and checked. nullopt and a pending JavaScript
// error when something is wrong.
#pragma once

#include <napi.h>

#include <optional>

#include "../session/model.h"

namespace rkllm {

std::optional<RuntimeChoice> ReadRuntimeChoice(Napi::Env env, Napi::Object options);
std::optional<LoadParams> ReadLoadParams(Napi::Env env, Napi::Object options);
// Part of a load's and of a run's options. `false` when an error has been thrown.
bool ReadSampling(Napi::Env env, Napi::Object options, Sampling& sampling);
// `input` is a text, an Int32Array, or an object with embeddings or with a prompt and media; `options` may be
// undefined.
std::optional<RunParams> ReadRunParams(Napi::Env env, Napi::Value input, Napi::Value options);
std::optional<Operation> ReadOperation(Napi::Env env, Napi::Value operation);

}  // namespace rkllm
