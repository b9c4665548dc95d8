// The records that TypeScript passes (lib/backends/rkllm/addon.ts), read and checked. nullopt and a pending JavaScript
// error when something is wrong.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>

#include "../session/model.h"

namespace rkllm {

std::optional<RuntimeChoice> ReadRuntimeChoice(Napi::Env env, Napi::Object options);
std::optional<LoadParams> ReadLoadParams(Napi::Env env, Napi::Object options);
// Part of a load's and of a run's options. `false` when an error has been thrown.
bool ReadSampling(Napi::Env env, Napi::Object options, Sampling& sampling);
// More than the vendor recommends, and few enough for the fields that hold a row.
constexpr std::uint32_t kMaxRows = 64;
// `input` is a text, an Int32Array, an object with embeddings or with a prompt and media, or a list of those, one for
// each row; `options` may be undefined.
std::optional<RunParams> ReadRunParams(Napi::Env env, Napi::Value input, Napi::Value options);
std::optional<Operation> ReadOperation(Napi::Env env, Napi::Value operation);

}  // namespace rkllm
