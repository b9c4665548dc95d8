// What a run has in several generations under the same name, at offsets of its own; see pack_load.h. Included by
// adapters only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "abi/common.h"
#include "pack_media.h"
#include "params.h"

namespace rkllm {

template <typename Input>
void PackInput(Input& input, const RunInput& row, const LoadParams& load) {
  if (const auto* prompt = std::get_if<std::string>(&row)) {
    input.input_type = abi::kPrompt;
    input.prompt_input = prompt->c_str();
    return;
  }
  // The vendor's declarations lack a const; it only reads.
  if (const auto* embeddings = std::get_if<Embeddings>(&row)) {
    input.input_type = abi::kEmbed;
    input.embed_input = {const_cast<float*>(embeddings->values.data()), embeddings->tokens};
    return;
  }
  if (const auto* multimodal = std::get_if<MultiModal>(&row)) {
    input.input_type = abi::kMultiModal;
    PackMedia(input.multimodal_input, *multimodal, load);
    return;
  }
  const auto& ids = std::get<std::vector<std::int32_t>>(row);
  input.input_type = abi::kToken;
  input.token_input = {const_cast<std::int32_t*>(ids.data()), ids.size()};
}

// From 1.2.0 on. Normally a prompt is the whole conversation.
template <typename InferParam>
void PackHistory(InferParam& infer, const RunParams& params) {
  infer.keep_history = params.keep_history.value_or(false) ? 1 : 0;
}

// From 1.2.1 on.
template <typename Input>
void PackInputFromG3(Input& input, const RunInput& row, const RunParams& params, const LoadParams& load) {
  input.role = params.role ? params.role->c_str() : "user";
  input.enable_thinking = params.enable_thinking.value_or(false) ? 1 : 0;
  PackInput(input, row, load);
}

}  // namespace rkllm
