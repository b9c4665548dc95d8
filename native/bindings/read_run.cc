#include <algorithm>
#include <cmath>
#include <utility>

#include "../arguments.h"
#include "params.h"

namespace rkllm {
namespace {

bool ReadEmbeddings(Napi::Env env, Napi::Object input, RunInput& row) {
  auto values = ReadFloats(env, GetProperty(input, "embeddings"), "embeddings");
  if (!values) return false;
  const auto length = static_cast<std::int64_t>(values->size());
  const auto tokens = ReadInteger(env, GetProperty(input, "tokens"), "tokens", 1, std::max<std::int64_t>(length, 1));
  if (!tokens) return false;
  if (length % *tokens != 0) return Refuse(env, "embeddings must have as many values for each token"), false;
  row = Embeddings{std::move(*values), static_cast<std::size_t>(*tokens)};
  return true;
}

// `false` when an error has been thrown; an absent field leaves the target empty.
bool ReadMedia(Napi::Env env, Napi::Object input, const char* name, std::optional<Media>& target) {
  const Napi::Value value = GetProperty(input, name);
  if (env.IsExceptionPending()) return false;
  if (value.IsUndefined()) return true;
  if (!value.IsObject()) return Refuse(env, std::string(name) + " must be an object"), false;
  const auto fields = value.As<Napi::Object>();
  auto embeddings = ReadFloats(env, GetProperty(fields, "embeddings"), "embeddings");
  if (!embeddings) return false;
  std::optional<std::int32_t> count;
  std::optional<std::int32_t> tokens;
  std::optional<std::int32_t> frames;
  std::optional<std::int32_t> width;
  std::optional<std::int32_t> height;
  Media media;
  const bool complete =
      ReadOptional(env, fields, "count", count, 1, kMaxInt32) &&
      ReadOptional(env, fields, "tokensEach", tokens, 1, kMaxInt32) &&
      ReadOptional(env, fields, "framesEach", frames, 1, kMaxInt32) &&
      ReadOptional(env, fields, "width", width, 0, kMaxInt32) &&
      ReadOptional(env, fields, "height", height, 0, kMaxInt32) && ReadOptional(env, fields, "start", media.start) &&
      ReadOptional(env, fields, "end", media.end) && ReadOptional(env, fields, "content", media.content);
  if (!complete) return false;
  if (!tokens) return Refuse(env, "tokensEach must be a number"), false;
  media.embeddings = std::move(*embeddings);
  media.count = static_cast<std::size_t>(count.value_or(1));
  media.tokens_each = static_cast<std::size_t>(*tokens);
  media.frames_each = static_cast<std::size_t>(frames.value_or(1));
  media.width = static_cast<std::size_t>(width.value_or(0));
  media.height = static_cast<std::size_t>(height.value_or(0));
  // The runtime reads as much as these figures say. In doubles, which do not overflow.
  const double vectors = 1.0 * count.value_or(1) * *tokens * frames.value_or(1);
  const auto length = static_cast<double>(media.embeddings.size());
  if (length < vectors || std::fmod(length, vectors) != 0) {
    return Refuse(env, std::string(name) + " must have as many embeddings as its figures say"), false;
  }
  target = std::move(media);
  return true;
}

bool ReadMultiModal(Napi::Env env, Napi::Object input, RunInput& row) {
  MultiModal multimodal;
  auto prompt = ReadText(env, GetProperty(input, "prompt"), "prompt");
  if (!prompt) return false;
  multimodal.prompt = std::move(*prompt);
  if (!ReadMedia(env, input, "image", multimodal.image) || !ReadMedia(env, input, "video", multimodal.video) ||
      !ReadMedia(env, input, "audio", multimodal.audio)) {
    return false;
  }
  if (!multimodal.image && !multimodal.video && !multimodal.audio) {
    return Refuse(env, "input must have an image, a video or an audio"), false;
  }
  row = std::move(multimodal);
  return true;
}

bool ReadRow(Napi::Env env, Napi::Value input, RunInput& row) {
  if (input.IsString()) {
    auto prompt = ReadText(env, input, "input");
    if (prompt) row = std::move(*prompt);
    return prompt.has_value();
  }
  if (input.IsObject() && !input.IsTypedArray()) {
    const auto object = input.As<Napi::Object>();
    const bool is_multimodal = !GetProperty(object, "prompt").IsUndefined();
    if (env.IsExceptionPending()) return false;
    return is_multimodal ? ReadMultiModal(env, object, row) : ReadEmbeddings(env, object, row);
  }
  auto ids = ReadTokenIds(env, input, "input");
  if (ids) row = std::move(*ids);
  return ids.has_value();
}

bool ReadRows(Napi::Env env, Napi::Value input, std::vector<RunInput>& rows) {
  if (!input.IsArray()) return ReadRow(env, input, rows.emplace_back());
  std::uint32_t count = 0;
  if (napi_get_array_length(env, input, &count) != napi_ok || count == 0 || count > kMaxRows) {
    return Refuse(env, "input must have 1 to " + std::to_string(kMaxRows) + " rows"), false;
  }
  for (std::uint32_t index = 0; index < count; ++index) {
    napi_value row = nullptr;
    if (napi_get_element(env, input, index, &row) != napi_ok) return false;  // a throwing getter
    if (!ReadRow(env, {env, row}, rows.emplace_back())) return false;
  }
  return true;
}

bool ReadMode(Napi::Env env, Napi::Object options, RunMode& mode) {
  std::optional<std::string> name;
  if (!ReadOptional(env, options, "mode", name)) return false;
  if (!name || *name == "generate") return true;
  if (*name == "hiddenStates") return mode = RunMode::kHiddenStates, true;
  if (*name == "logits") return mode = RunMode::kLogits, true;
  return Refuse(env, "mode must be generate, hiddenStates or logits"), false;
}

bool ReadStop(Napi::Env env, Napi::Object options, RunParams& params) {
  std::optional<std::string> name;
  if (!ReadOptional(env, options, "stopBy", name)) return false;
  params.stop_by_pause = name == "pause";
  if (!name || params.stop_by_pause || *name == "abort") return true;
  return Refuse(env, "stopBy must be abort or pause"), false;
}

}  // namespace

std::optional<RunParams> ReadRunParams(Napi::Env env, Napi::Value input, Napi::Value options) {
  RunParams params;
  if (!ReadRows(env, input, params.rows)) return std::nullopt;
  if (options.IsUndefined()) return params;
  if (!options.IsObject()) return Refuse(env, "options must be an object");
  const auto fields = options.As<Napi::Object>();
  const bool complete = ReadOptional(env, fields, "maxNewTokens", params.max_new_tokens, 1, kMaxInt32) &&
                        ReadOptional(env, fields, "enableThinking", params.enable_thinking) &&
                        ReadMode(env, fields, params.mode) && ReadOptional(env, fields, "role", params.role) &&
                        ReadOptional(env, fields, "keepHistory", params.keep_history) &&
                        ReadStop(env, fields, params) && ReadOptional(env, fields, "lora", params.lora) &&
                        ReadOptional(env, fields, "savePromptCache", params.save_prompt_cache) &&
                        ReadSampling(env, fields, params.sampling);
  if (complete && params.rows.size() > 1 && params.mode != RunMode::kGenerate) {
    return Refuse(env, "mode must be generate for several rows");
  }
  return complete ? std::optional<RunParams>(std::move(params)) : std::nullopt;
}

}  // namespace rkllm
