#include "layout_checks.h"

#include <sstream>

#include "report.h"

namespace fake {
namespace {

class Checker {
 public:
  explicit Checker(std::string subject) : subject_(std::move(subject)) {}

  bool fine() const { return fine_; }

  void Expect(bool condition, const std::string& what) {
    if (condition) return;
    fine_ = false;
    Violation(subject_ + ": " + what);
  }

  void ExpectAligned(const void* address) {
    Expect(reinterpret_cast<std::uintptr_t>(address) % 8 == 0, "not aligned to 8 bytes");
  }

  void ExpectZero(const void* base, std::size_t from, std::size_t to, const std::string& what) {
    for (std::size_t i = from; i < to; ++i) {
      if (ReadAt<unsigned char>(base, i) == 0) continue;
      Expect(false, what + " is not zero at byte " + std::to_string(i));
      return;
    }
  }

 private:
  std::string subject_;
  bool fine_ = true;
};

std::string Summary(const void* param) {
  std::ostringstream out;
  out << "max_context_len=" << ReadAt<std::int32_t>(param, 8) << " max_new_tokens=" << ReadAt<std::int32_t>(param, 12)
      << " top_k=" << ReadAt<std::int32_t>(param, 16) << " top_p=" << ReadAt<float>(param, 20)
      << " temperature=" << ReadAt<float>(param, 24) << " repeat_penalty=" << ReadAt<float>(param, 28)
      << " frequency_penalty=" << ReadAt<float>(param, 32) << " presence_penalty=" << ReadAt<float>(param, 36)
      << " mirostat=" << ReadAt<std::int32_t>(param, 40) << " mirostat_tau=" << ReadAt<float>(param, 44)
      << " mirostat_eta=" << ReadAt<float>(param, 48) << " base_domain_id=" << ReadAt<std::int32_t>(param, 80);
  return out.str();
}

}  // namespace

bool ReadParam(const void* param, InitArguments& arguments) {
  Checker check("RKLLMParam");
  check.Expect(param != nullptr, "is NULL");
  if (!check.fine()) return false;
  check.ExpectAligned(param);
  check.Expect(ReadAt<unsigned char>(param, 52) == 1, "skip_special_token is not 1");
  check.Expect(ReadAt<unsigned char>(param, 53) == 0, "is_async is not 0");
  check.ExpectZero(param, 54, 56, "padding");
  for (const std::size_t offset : {56U, 64U, 72U}) {
    const char* text = ReadAt<const char*>(param, offset);
    check.Expect(text != nullptr && *text == '\0', "img_* at byte " + std::to_string(offset) + " is not the default");
  }
  check.ExpectZero(param, 84, 196, "reserved");
  check.ExpectZero(param, 196, 200, "padding");
  const char* path = ReadAt<const char*>(param, 0);
  check.Expect(path != nullptr, "model_path is NULL");
  arguments.max_context_len = ReadAt<std::int32_t>(param, 8);
  arguments.max_new_tokens = ReadAt<std::int32_t>(param, 12);
  check.Expect(arguments.max_context_len > 0, "max_context_len is not positive");
  check.Expect(ReadAt<std::int32_t>(param, 16) > 0, "top_k is not positive");
  check.Expect(ReadAt<float>(param, 24) > 0, "temperature is not positive");
  if (!check.fine()) return false;
  arguments.model_path = path;
  arguments.summary = Summary(param);
  return true;
}

bool ReadInput(const void* input, const void* infer, RunArguments& arguments) {
  Checker check("RKLLMInput");
  check.Expect(input != nullptr, "is NULL");
  Checker infer_check("RKLLMInferParam");
  infer_check.Expect(infer != nullptr, "is NULL");
  if (!check.fine() || !infer_check.fine()) return false;

  infer_check.ExpectAligned(infer);
  infer_check.Expect(ReadAt<std::int32_t>(infer, 0) == 0, "mode is not generate");
  infer_check.ExpectZero(infer, 4, 24, "padding, lora_params or prompt_cache_params");

  check.ExpectAligned(input);
  const auto type = ReadAt<std::int32_t>(input, 0);
  check.ExpectZero(input, 4, 8, "padding");
  check.Expect(type == 0 || type == 1, "input_type is neither prompt nor tokens");
  check.Expect(ReadAt<const void*>(input, 8) != nullptr, "the input's pointer is NULL");
  if (!check.fine() || !infer_check.fine()) return false;
  if (type == 0) {
    check.ExpectZero(input, 16, 32, "the union behind prompt_input");
    arguments.prompt = ReadAt<const char*>(input, 8);
  } else {
    check.ExpectZero(input, 24, 32, "the union behind token_input");
    const auto* ids = ReadAt<const unsigned char*>(input, 8);
    const auto count = ReadAt<std::size_t>(input, 16);
    arguments.is_prompt = false;
    for (std::size_t i = 0; i < count; ++i) arguments.tokens.push_back(ReadAt<std::int32_t>(ids, 4 * i));
  }
  return check.fine();
}

}  // namespace fake
