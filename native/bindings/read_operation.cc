#include <utility>

#include "../arguments.h"
#include "params.h"

namespace rkllm {
namespace {

// The fields of one operation. After a field that is wrong the rest is not read.
class Fields {
 public:
  Fields(Napi::Env env, Napi::Object object) : env_(env), object_(object) {}

  bool fine() const { return fine_; }

  std::string Text(const char* name) {
    auto text = fine_ ? ReadText(env_, GetProperty(object_, name), name) : std::nullopt;
    fine_ = text.has_value();
    return std::move(text).value_or("");
  }

  // May be empty or absent.
  std::string Remark(const char* name) {
    if (!fine_) return {};
    const Napi::Value value = GetProperty(object_, name);
    if (env_.IsExceptionPending()) return fine_ = false, "";
    if (value.IsUndefined() || (value.IsString() && value.As<Napi::String>().Utf8Value().empty())) return {};
    return Text(name);
  }

  template <typename T>
  T Optional(const char* name, T fallback) {
    std::optional<T> value;
    fine_ = fine_ && ReadOptional(env_, object_, name, value);
    return value.value_or(fallback);
  }

  std::vector<float> Floats(const char* name) {
    auto values = fine_ ? ReadFloats(env_, GetProperty(object_, name), name) : std::nullopt;
    fine_ = values.has_value();
    return std::move(values).value_or(std::vector<float>());
  }

  std::vector<std::int32_t> Integers(const char* name) {
    auto values = fine_ ? ReadTokenIds(env_, GetProperty(object_, name), name) : std::nullopt;
    fine_ = values.has_value();
    return std::move(values).value_or(std::vector<std::int32_t>());
  }

  std::vector<std::int32_t> OptionalIntegers(const char* name) {
    const bool absent = !fine_ || GetProperty(object_, name).IsUndefined();
    fine_ = fine_ && !env_.IsExceptionPending();
    return absent ? std::vector<std::int32_t>() : Integers(name);
  }

  void Wrong(const std::string& message) {
    Refuse(env_, message);
    fine_ = false;
  }

 private:
  Napi::Env env_;
  Napi::Object object_;
  bool fine_ = true;
};

Operation ReadCrossAttention(Fields& fields) {
  SetCrossAttention set;
  set.key_cache = fields.Floats("keyCache");
  set.value_cache = fields.Floats("valueCache");
  set.mask = fields.Floats("mask");
  set.positions = fields.Integers("positions");
  if (fields.fine() && set.mask.size() != set.positions.size()) fields.Wrong("mask and positions differ in length");
  return set;
}

Operation ReadClearKvCache(Fields& fields) {
  ClearKvCache clear;
  clear.keep_system_prompt = fields.Optional("keepSystemPrompt", false);
  clear.from = fields.OptionalIntegers("from");
  clear.to = fields.OptionalIntegers("to");
  if (fields.fine() && clear.from.size() != clear.to.size()) fields.Wrong("from and to differ in length");
  return clear;
}

Operation ReadFields(const std::string& name, Fields& fields) {
  // Braces: the fields are read in this order.
  if (name == "loadLora") return LoadLora{fields.Text("path"), fields.Text("name"), fields.Optional("scale", 1.0F)};
  if (name == "loadPromptCache") return LoadPromptCache{fields.Text("path")};
  if (name == "releasePromptCache") return ReleasePromptCache{};
  if (name == "clearKvCache") return ReadClearKvCache(fields);
  if (name == "kvCacheSizes") return GetKvCacheSizes{};
  if (name == "setChatTemplate") {
    return SetChatTemplate{fields.Remark("system"), fields.Remark("prefix"), fields.Remark("postfix")};
  }
  if (name == "setFunctionTools") {
    return SetFunctionTools{fields.Remark("system"), fields.Text("tools"), fields.Text("responseTag")};
  }
  if (name == "setCrossAttention") return ReadCrossAttention(fields);
  if (name == "clearCrossAttention") return SetCrossAttention{};
  fields.Wrong("there is no operation " + name);
  return ReleasePromptCache{};
}

}  // namespace

std::optional<Operation> ReadOperation(Napi::Env env, Napi::Value operation) {
  if (!operation.IsObject()) return Refuse(env, "operation must be an object");
  Fields fields(env, operation.As<Napi::Object>());
  const std::string name = fields.Text("operation");
  if (!fields.fine()) return std::nullopt;
  Operation read = ReadFields(name, fields);
  return fields.fine() ? std::optional<Operation>(std::move(read)) : std::nullopt;
}

}  // namespace rkllm
