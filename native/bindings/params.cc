#include "params.h"

#include <utility>

#include "../arguments.h"

namespace rkllm {
namespace {

// An object whose values are known releases.
std::optional<std::vector<std::pair<std::string, std::string>>> ReadNeeds(Napi::Env env, Napi::Value value) {
  std::vector<std::pair<std::string, std::string>> needs;
  if (value.IsUndefined()) return needs;
  napi_value names = nullptr;
  std::uint32_t count = 0;
  if (!value.IsObject() || napi_get_property_names(env, value, &names) != napi_ok ||
      napi_get_array_length(env, names, &count) != napi_ok) {
    return Refuse(env, "needs must be an object");
  }
  for (std::uint32_t index = 0; index < count; ++index) {
    napi_value name = nullptr;
    if (napi_get_element(env, names, index, &name) != napi_ok) return std::nullopt;
    auto option = ReadText(env, {env, name}, "the name of a need");
    if (!option) return std::nullopt;
    auto since = ReadText(env, GetProperty(value.As<Napi::Object>(), option->c_str()), "a need");
    if (!since) return std::nullopt;
    if (GenerationOf(*since) == kNoGeneration) return Refuse(env, "a need must be a release");
    needs.emplace_back(std::move(*option), std::move(*since));
  }
  return needs;
}

}  // namespace

bool ReadSampling(Napi::Env env, Napi::Object options, Sampling& sampling) {
  return ReadOptional(env, options, "topK", sampling.top_k, 1, kMaxInt32) &&
         ReadOptional(env, options, "topP", sampling.top_p) &&
         ReadOptional(env, options, "temperature", sampling.temperature) &&
         ReadOptional(env, options, "repeatPenalty", sampling.repeat_penalty) &&
         ReadOptional(env, options, "frequencyPenalty", sampling.frequency_penalty) &&
         ReadOptional(env, options, "presencePenalty", sampling.presence_penalty) &&
         ReadOptional(env, options, "mirostat", sampling.mirostat, 0, 2) &&
         ReadOptional(env, options, "mirostatTau", sampling.mirostat_tau) &&
         ReadOptional(env, options, "mirostatEta", sampling.mirostat_eta);
}

std::optional<RuntimeChoice> ReadRuntimeChoice(Napi::Env env, Napi::Object options) {
  auto path = ReadText(env, GetProperty(options, "runtimePath"), "runtimePath");
  if (!path) return std::nullopt;
  if (path->front() != '/') return Refuse(env, "runtimePath must be absolute");
  std::optional<std::string> stated;
  if (!ReadOptional(env, options, "runtimeVersion", stated)) return std::nullopt;
  auto needs = ReadNeeds(env, GetProperty(options, "needs"));
  if (!needs) return std::nullopt;
  return RuntimeChoice{std::move(*path), std::move(stated).value_or(""), std::move(*needs)};
}

std::optional<LoadParams> ReadLoadParams(Napi::Env env, Napi::Object options) {
  LoadParams params;
  auto path = ReadText(env, GetProperty(options, "modelPath"), "modelPath");
  if (!path) return std::nullopt;
  params.model_path = std::move(*path);
  const auto context = ReadInteger(env, GetProperty(options, "maxContextLength"), "maxContextLength", 1, kMaxInt32);
  if (!context) return std::nullopt;
  params.max_context_length = static_cast<std::int32_t>(*context);
  constexpr std::int64_t kAllCpus = 0xFF;
  const bool complete = ReadSampling(env, options, params.sampling) &&
                        ReadOptional(env, options, "keepTokens", params.keep_tokens, -1, kMaxInt32) &&
                        ReadOptional(env, options, "skipSpecialTokens", params.skip_special_token) &&
                        ReadOptional(env, options, "ignoreEos", params.ignore_eos) &&
                        ReadOptional(env, options, "baseDomainId", params.base_domain_id, 0, kMaxInt32) &&
                        ReadOptional(env, options, "batchSize", params.batch_size, 1, kMaxRows) &&
                        ReadOptional(env, options, "crossAttention", params.cross_attention) &&
                        ReadOptional(env, options, "embedFlash", params.embed_flash) &&
                        ReadOptional(env, options, "cpuMask", params.cpu_mask, 1, kAllCpus) &&
                        ReadOptional(env, options, "runtimeTemplate", params.runtime_template) &&
                        ReadOptional(env, options, "hasTokenizer", params.has_tokenizer) &&
                        ReadOptional(env, options, "hasEmbedder", params.has_embedder) &&
                        ReadOptional(env, options, "imageStart", params.image_start) &&
                        ReadOptional(env, options, "imageEnd", params.image_end) &&
                        ReadOptional(env, options, "imageContent", params.image_content);
  return complete ? std::optional<LoadParams>(std::move(params)) : std::nullopt;
}

}  // namespace rkllm
