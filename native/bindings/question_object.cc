#include "question_object.h"

#include <string>
#include <utility>

#include "../arguments.h"
#include "handles.h"

namespace rkllm {
namespace {

constexpr napi_type_tag kQuestionTag = {0x5e1b9a47d3c8402f, 0xb6f03d7ea9125c84};
using QuestionObject = Handle<Question, kQuestionTag>;

bool IsArray(Napi::Value value, napi_typedarray_type type) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type;
}

std::optional<bool> AnswerTokenIds(Napi::Env env, Question& question, Napi::Value answer) {
  constexpr const char* kName = "the answer";
  if (!IsArray(answer, napi_int32_array)) return Refuse(env, "the answer must be an Int32Array");
  const std::size_t count = answer.As<Napi::TypedArray>().ElementLength();
  if (count > question.room()) {
    return Refuse(env, "the answer must not have more than " + std::to_string(question.room()) + " elements");
  }
  if (count == 0) return question.Answer(nullptr, 0);  // an empty text has no tokens
  const auto ids = ReadTokenIds(env, answer, kName);
  return ids ? std::optional<bool>(question.Answer(ids->data(), ids->size())) : std::nullopt;
}

std::optional<bool> AnswerFloats(Napi::Env env, Question& question, Napi::Value answer) {
  if (!IsArray(answer, napi_float32_array)) return Refuse(env, "the answer must be a Float32Array");
  const auto floats = answer.As<Napi::Float32Array>();
  const std::size_t count = floats.ElementLength();
  if (count != question.room() || (count > 0 && floats.Data() == nullptr)) {
    return Refuse(env, "the answer must have " + std::to_string(question.room()) + " elements");
  }
  return question.Answer(floats.Data(), count);
}

}  // namespace

napi_value WrapQuestion(napi_env env, std::shared_ptr<Question> question) {
  return QuestionObject::Wrap(env, std::move(question));
}

Napi::Value AnswerQuestion(Napi::Env env, Napi::Value question, Napi::Value answer) {
  const auto asked = QuestionObject::Unwrap(env, question, "question");
  if (!asked) return env.Undefined();
  const bool wants_ids = asked->kind() == Question::Kind::kTokenize;
  const std::optional<bool> taken = answer.IsUndefined() ? asked->Refuse()
                                    : wants_ids          ? AnswerTokenIds(env, *asked, answer)
                                                         : AnswerFloats(env, *asked, answer);
  return taken ? Napi::Value(Napi::Boolean::New(env, *taken)) : env.Undefined();
}

}  // namespace rkllm
