// Run modes, what the vendor's callback brings and what it returns, in terms of no generation. Included by adapters
// only.
#pragma once

#include <cstdint>
#include <optional>

#include "abi/common.h"
#include "adapter.h"
#include "params.h"

namespace rkllm {

constexpr abi::Mode ToAbi(RunMode mode) {
  switch (mode) {
    case RunMode::kGenerate:
      return abi::kGenerate;
    case RunMode::kHiddenStates:
      return abi::kGetLastHiddenLayer;
    case RunMode::kLogits:
      return abi::kGetLogits;
  }
  return abi::kGenerate;
}

// What the callback returns. A generation that does not know the reply goes on.
template <typename Abi>
constexpr int ToAbi(Reply reply) {
  if (reply == Reply::kPause && Abi::kPauses) return abi::kPause;
  if (reply == Reply::kRelease && Abi::kReleases) return abi::kReleaseOutput;
  return abi::kContinue;
}

// Nothing when there is none in this event, or it has no shape.
inline MatrixView ToMatrix(const float* values, std::int32_t rows, std::int32_t columns) {
  if (values == nullptr || rows <= 0 || columns <= 0) return {};
  return {values, static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
}

template <typename Abi>
MatrixView ReadMatrix(const typename Abi::RunResult& result, RunMode mode) {
  if (mode == RunMode::kHiddenStates) {
    const abi::LastHiddenLayer& layer = result.last_hidden_layer;
    return ToMatrix(layer.hidden_states, layer.num_tokens, layer.embd_size);
  }
  if constexpr (Abi::kHasLogits) {
    const auto& logits = result.logits;
    if (mode == RunMode::kLogits) return ToMatrix(logits.logits, logits.num_tokens, logits.vocab_size);
  }
  return {};
}

// Whether such an event brings a result for each row of the batch; others have to do with the whole run.
constexpr bool HasRows(std::int32_t state) { return state == abi::kNormal || state == abi::kWaiting; }

// Hands an event to the sink, or nothing where it says nothing. Reads no field that the generation does not have.
template <typename Abi>
Reply Deliver(RunSink& sink, const typename Abi::RunResult* result, std::int32_t state, RunMode mode,
              std::size_t row) noexcept {
  switch (state) {
    case abi::kLastHiddenLayer:  // in 1.1.x; the other releases give hidden states as kNormal
    case abi::kNormal:
    case abi::kWaiting:  // a token that ends inside a character
      if (result == nullptr) return Reply::kGoOn;
      if (const MatrixView matrix = ReadMatrix<Abi>(*result, mode); matrix.values != nullptr) {
        return sink.OnMatrix(matrix);
      }
      if (state == abi::kLastHiddenLayer) return Reply::kGoOn;
      return sink.OnToken({result->token_id, result->text == nullptr ? "" : result->text, row});
    case abi::kFinish:
      return sink.OnFinish(result == nullptr ? std::nullopt : Abi::Perf(*result));
    case abi::kError:
      return sink.OnError();
    default:  // not documented
      return Reply::kGoOn;
  }
}

}  // namespace rkllm
