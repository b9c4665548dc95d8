// Load parameters that several generations have under the same name, at offsets of their own: written once, for all
// structs that have them. Included by adapters only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cpus.h"
#include "params.h"

namespace rkllm {

// Of the load, and of a run from 1.3.0 on: both structs name these fields alike.
template <typename Fields, typename Defaults>
void PackSampling(Fields& fields, const Sampling& sampling, const Defaults& defaults) {
  fields.top_k = sampling.top_k.value_or(defaults.top_k);
  fields.top_p = sampling.top_p.value_or(defaults.top_p);
  fields.temperature = sampling.temperature.value_or(defaults.temperature);
  fields.repeat_penalty = sampling.repeat_penalty.value_or(defaults.repeat_penalty);
  fields.frequency_penalty = sampling.frequency_penalty.value_or(defaults.frequency_penalty);
  fields.presence_penalty = sampling.presence_penalty.value_or(defaults.presence_penalty);
  fields.mirostat = sampling.mirostat.value_or(defaults.mirostat);
  fields.mirostat_tau = sampling.mirostat_tau.value_or(defaults.mirostat_tau);
  fields.mirostat_eta = sampling.mirostat_eta.value_or(defaults.mirostat_eta);
}

// What every generation's Param has. The strings of `params` must live as long as the handle: whether the vendor
// copies them is not documented.
template <typename Param>
void PackCommon(Param& param, const LoadParams& params, const Param& defaults) {
  param.model_path = params.model_path.c_str();
  param.max_context_len = params.max_context_length;
  param.max_new_tokens = -1;  // until the model stops: a limit set here could not be raised by a single run
  PackSampling(param, WithGreedyResolved(params.sampling), defaults);
  param.skip_special_token = params.skip_special_token.value_or(true) ? 1 : 0;
  param.is_async = 0;  // hangs or loses callbacks in several releases
  param.extend_param.base_domain_id = params.base_domain_id.value_or(0);
}

// Up to 1.2.3. The defaults are the vendor's own static strings.
template <typename Param>
void PackImageTags(Param& param, const LoadParams& params, const Param& defaults) {
  const auto tag = [](const std::optional<std::string>& given, const char* fallback) {
    if (given) return given->c_str();
    return fallback != nullptr ? fallback : "";
  };
  param.img_start = tag(params.image_start, defaults.img_start);
  param.img_end = tag(params.image_end, defaults.img_end);
  param.img_content = tag(params.image_content, defaults.img_content);
}

// From 1.2.0 on. The CPUs are always ours: where there are neither 4 nor 8, the runtime leaves the mask unwritten.
template <typename Param>
void PackFromG2(Param& param, const LoadParams& params, const Param& defaults) {
  param.n_keep = params.keep_tokens.value_or(defaults.n_keep);
  param.extend_param.embed_flash = params.embed_flash.value_or(defaults.extend_param.embed_flash != 0) ? 1 : 0;
  const std::uint32_t mask = params.cpu_mask ? static_cast<std::uint32_t>(*params.cpu_mask) : DefaultCpuMask();
  param.extend_param.enabled_cpus_mask = mask;
  param.extend_param.enabled_cpus_num = static_cast<std::int8_t>(CountCpus(mask));
}

// From 1.2.1 on.
template <typename Param>
void PackFromG3(Param& param, const LoadParams& params) {
  param.extend_param.n_batch = static_cast<std::uint8_t>(params.Rows());
  param.extend_param.use_cross_attn = params.cross_attention.value_or(false) ? 1 : 0;
}

}  // namespace rkllm
