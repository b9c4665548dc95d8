// What the caller hands over, read by the offsets of layout.h and checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "words.h"

namespace fake {

struct Script;

// What the fake uses of RKLLMParam.
struct InitArguments {
  std::string model_path;
  std::int32_t max_context_len = 0;
  std::int32_t max_new_tokens = 0;
  std::int32_t n_keep = 0;
  bool skip_special_token = true;
  bool ignore_eos_token = false;
  int enabled_cpus = 0;
  std::uint32_t cpu_mask = 0;
  std::size_t n_batch = 1;
  bool use_cross_attn = false;
  std::string summary;  // all values, for the trace
};

enum class InputType { kPrompt, kTokens, kEmbeddings, kMultimodal };

// Images, videos or sounds of a multimodal input.
struct Media {
  std::string tag;             // what stands for one of them in the prompt
  std::size_t count = 0;       // how many
  std::size_t tokens = 0;      // of each
  std::string summary;         // for the journal
  std::vector<Token> content;  // count x tokens
};

// What the fake uses of one RKLLMInput.
struct InputArguments {
  InputType type = InputType::kPrompt;
  std::string prompt;
  std::string role;  // empty: NULL
  bool thinking = false;
  std::vector<Token> tokens;  // of tokens and embeddings
  std::vector<Media> media;
};

// ... and of RKLLMInferParam.
struct RunArguments {
  std::vector<InputArguments> inputs;  // n_batch of them
  std::int32_t mode = 0;
  bool has_lora = false;
  std::string lora;
  bool save_cache = false;
  std::string cache_path;
  bool keep_history = false;
  std::int32_t max_new_tokens = 0;  // 0 or less: as at the initialization
  std::string summary;
};

// False when a promise was broken; each one has then been reported.
bool ReadParam(const void* param, InitArguments& arguments);
bool ReadRun(const void* input, const void* infer, const InitArguments& init, const Script& script,
             RunArguments& arguments);

// The part of it that reads the struct behind a multimodal input.
bool ReadMultimodal(const void* multimodal, const Script& script, InputArguments& arguments);

}  // namespace fake
