// A question of the runtime as JavaScript holds it.
#pragma once

#include <napi.h>

#include <memory>

#include "../session/questions.h"

namespace rkllm {

// nullptr when the environment cannot make objects any more.
napi_value WrapQuestion(napi_env env, std::shared_ptr<Question> question);

// Answers with an Int32Array or a Float32Array, as the question wants it, or refuses with undefined. Returns whether
// the question was still open; undefined and a pending TypeError when something is wrong.
Napi::Value AnswerQuestion(Napi::Env env, Napi::Value question, Napi::Value answer);

}  // namespace rkllm
