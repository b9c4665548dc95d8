// What is asked of a runtime and what it answers, in terms of no generation. TypeScript has checked that the loaded
// generation has what is asked for; an adapter leaves out what its structs have no field for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "inputs.h"

namespace rkllm {

// An absent option means the runtime's own default; of a run: what was given at load.
struct Sampling {
  std::optional<std::int32_t> top_k;
  std::optional<float> top_p;
  std::optional<float> temperature;  // 0: greedy
  std::optional<float> repeat_penalty;
  std::optional<float> frequency_penalty;
  std::optional<float> presence_penalty;
  std::optional<std::int32_t> mirostat;
  std::optional<float> mirostat_tau;
  std::optional<float> mirostat_eta;

  bool empty() const {
    return !(top_k || top_p || temperature || repeat_penalty || frequency_penalty || presence_penalty || mirostat ||
             mirostat_tau || mirostat_eta);
  }
};

struct LoadParams {
  std::string model_path;
  std::int32_t max_context_length = 0;
  Sampling sampling;
  std::optional<std::int32_t> keep_tokens;  // from 1.2.0 on
  std::optional<bool> skip_special_token;
  std::optional<bool> runtime_template;  // from 1.2.0 on: the runtime applies the converted model's own
  std::optional<bool> ignore_eos;        // from 1.3.0 on
  std::optional<std::int32_t> base_domain_id;
  std::optional<std::int32_t> batch_size;  // from 1.2.1 on; absent: 1
  std::optional<bool> cross_attention;     // from 1.2.1 on
  std::optional<bool> embed_flash;         // from 1.2.0 on
  std::optional<std::int32_t> cpu_mask;    // from 1.2.0 on
  std::optional<bool> has_tokenizer;       // these two from 1.3.0 on: the runtime may ask for what its model lacks
  std::optional<bool> has_embedder;
  std::optional<std::string> image_start;  // these three: up to 1.2.3, later with the input
  std::optional<std::string> image_end;
  std::optional<std::string> image_content;

  std::size_t Rows() const { return static_cast<std::size_t>(batch_size.value_or(1)); }
};

enum class RunMode { kGenerate, kHiddenStates, kLogits };  // the last one from 1.2.0 on

// A prompt without NUL characters, token ids, embeddings, or a prompt with media.
using RunInput = std::variant<std::string, std::vector<std::int32_t>, Embeddings, MultiModal>;

struct RunParams {
  std::vector<RunInput> rows;  // as many as LoadParams::Rows()
  RunMode mode = RunMode::kGenerate;
  // Of each row. From 1.3.0 on the runtime stops there; before, Run counts and stops it in the callback of the last
  // token.
  std::optional<std::int32_t> max_new_tokens;
  Sampling sampling;                             // from 1.3.0 on
  std::optional<bool> enable_thinking;           // from 1.2.1 on
  std::optional<bool> keep_history;              // from 1.2.0 on
  std::optional<std::string> role;               // from 1.2.1 on
  bool stop_by_pause = false;                    // from 1.2.1 on: see Reply::kPause
  std::optional<std::string> lora;               // the name of one that has been loaded
  std::optional<std::string> save_prompt_cache;  // a path
};

// The answer in the modes that give no text: `rows` tokens, row after row. The vendor's memory: valid only during the
// call that brings it.
struct MatrixView {
  const float* values = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
};

// As the runtime measured it, from 1.2.1 on.
struct PerfStats {
  double prefill_ms = 0;
  std::int32_t prefill_tokens = 0;
  double generate_ms = 0;
  std::int32_t generate_tokens = 0;  // those after the first one
  double memory_mb = 0;
};

// It may have no text: inside a split character, or a hidden special token.
struct Token {
  std::int32_t id = 0;    // negative in a batch: the row has ended
  std::string_view text;  // the vendor's memory: valid only during the call
  std::size_t row = 0;
};

// `over` where it has a value, else `under`.
Sampling Merged(const Sampling& under, const Sampling& over);

// What sampling at temperature 0 means: the most likely token, always. No release documents temperature 0 itself.
Sampling WithGreedyResolved(Sampling sampling);

}  // namespace rkllm
