#include <sstream>

#include "arguments.h"
#include "checker.h"
#include "layout.h"
#include "memory.h"
#include "report.h"
#include "script.h"

namespace fake {
namespace {

// The rest of the union behind what the input's type uses.
void ExpectRestZero(const void* input, std::size_t used, Checker& check) {
  check.ExpectZero(input, Offset(Field::kInputUnion) + used, Offset(Field::kInputSize), "the rest of the union");
}

void ReadHead(const void* input, Checker& check, InputArguments& arguments) {
  const auto type = ReadAt<std::int32_t>(input, Offset(Field::kInputType));
  check.Expect(type >= 0 && type <= 3, "input_type is " + std::to_string(type));
  arguments.type = static_cast<InputType>(type);
  const std::size_t padding_end = Has(Field::kRole) ? Offset(Field::kInputType) : Offset(Field::kInputUnion);
  check.ExpectZero(input, Offset(Field::kInputPadding), padding_end, "padding");
  if (!Has(Field::kRole)) return;
  const char* role = ReadAt<const char*>(input, Offset(Field::kRole));
  arguments.role = role == nullptr ? "" : role;
  check.Expect(role == nullptr || arguments.role == "user" || arguments.role == "tool",
               "role is " + Quoted(arguments.role));
  check.ExpectFlag(input, Offset(Field::kEnableThinking), 1, "enable_thinking");
  arguments.thinking = ReadAt<std::int8_t>(input, Offset(Field::kEnableThinking)) == 1;
}

void ReadIds(const void* data, std::size_t count, Checker& check, InputArguments& arguments) {
  check.ExpectAligned(data, 4);
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = ReadAt<std::int32_t>(data, 4 * i);
    check.Expect(id >= 0, "token id " + std::to_string(id) + " is negative");
    arguments.tokens.push_back({id, 0});
  }
}

void ReadEmbeddings(const void* data, std::size_t count, const Script& script, Checker& check,
                    InputArguments& arguments) {
  check.ExpectAligned(data, 4);
  const std::size_t row = 4 * static_cast<std::size_t>(script.embed_dim);
  for (std::size_t i = 0; i < count; ++i)
    arguments.tokens.push_back({-1, BytesHash(static_cast<const unsigned char*>(data) + i * row, row)});
}

bool ReadInput(const void* input, const Script& script, InputArguments& arguments) {
  Checker check("RKLLMInput");
  check.Expect(input != nullptr, "is NULL");
  if (input == nullptr) return false;
  check.ExpectAligned(input);
  ReadHead(input, check, arguments);
  const std::size_t start = Offset(Field::kInputUnion);
  const auto* data = ReadAt<const void*>(input, start);
  check.Expect(data != nullptr, "the input's pointer is NULL");
  if (!check.fine()) return false;
  if (arguments.type == InputType::kMultimodal) {
    ExpectRestZero(input, Offset(Field::kMultimodalSize), check);
    arguments.prompt = static_cast<const char*>(data);
    const bool fine = ReadMultimodal(static_cast<const unsigned char*>(input) + start, script, arguments);
    return fine && check.fine();
  }
  if (arguments.type == InputType::kPrompt) {
    ExpectRestZero(input, 8, check);
    arguments.prompt = static_cast<const char*>(data);
    return check.fine();
  }
  ExpectRestZero(input, 16, check);
  const auto count = ReadAt<std::size_t>(input, start + 8);
  check.Expect(count >= 1 && count <= 10000000, "n_tokens is " + std::to_string(count));
  if (!check.fine()) return false;
  if (arguments.type == InputType::kTokens) {
    ReadIds(data, count, check, arguments);
  } else {
    ReadEmbeddings(data, count, script, check, arguments);
  }
  return check.fine();
}

void ReadPromptCache(const void* cache, Checker& check, RunArguments& arguments) {
  if (cache == nullptr) return;
  check.ExpectAligned(cache);
  check.ExpectFlag(cache, 0, 4, "save_prompt_cache");
  check.ExpectZero(cache, 4, 8, "padding of prompt_cache_params");
  const char* path = ReadAt<const char*>(cache, 8);
  arguments.save_cache = ReadAt<std::int32_t>(cache, 0) == 1;
  arguments.cache_path = path == nullptr ? "./prompt_cache.bin" : path;
}

void ReadSampling(const void* infer, Checker& check, std::ostringstream& summary) {
  const auto* sampling = ReadAt<const void*>(infer, Offset(Field::kSamplingParams));
  if (sampling == nullptr) return;
  Checker own("RKLLMSamplingParam");
  own.ExpectAligned(sampling, 4);
  own.ExpectSampling(sampling, 0, 4);
  check.Expect(own.fine(), "sampling_params is not plausible");
  summary << " top_k=" << ReadAt<std::int32_t>(sampling, 0) << ' ' << SamplingSummary(sampling, 4);
}

bool ReadInfer(const void* infer, RunArguments& arguments) {
  Checker check("RKLLMInferParam");
  check.Expect(infer != nullptr, "is NULL");
  if (infer == nullptr) return false;
  check.ExpectAligned(infer);
  arguments.mode = ReadAt<std::int32_t>(infer, 0);
  check.Expect(arguments.mode >= 0 && arguments.mode <= (AtLeast(Generation::kG2) ? 2 : 1),
               "mode is " + std::to_string(arguments.mode));
  check.ExpectZero(infer, 4, 8, "padding");
  std::ostringstream summary;
  summary << "mode=" << arguments.mode;
  const auto* lora = ReadAt<const void*>(infer, 8);
  if (lora != nullptr) {
    check.ExpectAligned(lora);
    const char* name = ReadAt<const char*>(lora, 0);
    check.Expect(name != nullptr, "lora_adapter_name is NULL");
    arguments.has_lora = true;
    arguments.lora = name == nullptr ? "" : name;
    summary << " lora=" << Quoted(arguments.lora);
  }
  ReadPromptCache(ReadAt<const void*>(infer, 16), check, arguments);
  if (arguments.save_cache) summary << " save_prompt_cache=" << Quoted(arguments.cache_path);
  if (Has(Field::kKeepHistory)) {
    check.ExpectFlag(infer, Offset(Field::kKeepHistory), 4, "keep_history");
    arguments.keep_history = ReadAt<std::int32_t>(infer, Offset(Field::kKeepHistory)) == 1;
    summary << " keep_history=" << arguments.keep_history;
    if (!Has(Field::kSamplingParams)) check.ExpectZero(infer, Offset(Field::kKeepHistory) + 4, 32, "padding");
  }
  if (Has(Field::kSamplingParams)) {
    arguments.max_new_tokens = ReadAt<std::int32_t>(infer, Offset(Field::kInferMaxNewTokens));
    summary << " max_new_tokens=" << arguments.max_new_tokens;
    ReadSampling(infer, check, summary);
  }
  arguments.summary = summary.str();
  return check.fine();
}

}  // namespace

bool ReadRun(const void* input, const void* infer, const InitArguments& init, const Script& script,
             RunArguments& arguments) {
  bool fine = true;
  for (std::size_t row = 0; row < init.n_batch; ++row) {
    arguments.inputs.emplace_back();
    const auto* at = static_cast<const unsigned char*>(input);
    if (at != nullptr) at += row * Offset(Field::kInputSize);
    fine = ReadInput(at, script, arguments.inputs.back()) && fine;
  }
  return ReadInfer(infer, arguments) && fine;
}

}  // namespace fake
