#include "callbacks.h"

#include "checker.h"
#include "layout.h"
#include "memory.h"

namespace fake {
namespace {

void ReadStruct(const void* given, Callbacks& callbacks) {
  callbacks.result = ReadAt<const void*>(given, 0);
  callbacks.result_userdata = ReadAt<void*>(given, 8);
  callbacks.tokenizer = ReadAt<const void*>(given, 16);
  callbacks.tokenizer_userdata = ReadAt<void*>(given, 24);
  callbacks.embedding = ReadAt<const void*>(given, 32);
  callbacks.embedding_userdata = ReadAt<void*>(given, 40);
}

}  // namespace

bool ReadCallbacks(const void* given, Callbacks& callbacks) {
  Checker check("rkllm_init");
  check.Expect(given != nullptr, "the callback is NULL");
  if (given == nullptr) return false;
  callbacks.given = given;
  callbacks.result = given;
  if (AtLeast(Generation::kG4)) {
    check.Expect(!IsCode(given), "the callback is a function, not a RKLLMCallback");
    check.ExpectAligned(given);
    if (!check.fine()) return false;
    ReadStruct(given, callbacks);
    check.Expect(callbacks.result != nullptr, "the result callback is NULL");
    check.Expect(callbacks.tokenizer == nullptr || IsCode(callbacks.tokenizer), "the tokenizer callback is no code");
    check.Expect(callbacks.embedding == nullptr || IsCode(callbacks.embedding), "the embedding callback is no code");
  }
  check.Expect(callbacks.result == nullptr || IsCode(callbacks.result), "the result callback is no code");
  return check.fine();
}

bool Unchanged(const Callbacks& callbacks) {
  if (!AtLeast(Generation::kG4)) return true;
  Callbacks now;
  ReadStruct(callbacks.given, now);
  return now.result == callbacks.result && now.result_userdata == callbacks.result_userdata &&
         now.tokenizer == callbacks.tokenizer && now.tokenizer_userdata == callbacks.tokenizer_userdata &&
         now.embedding == callbacks.embedding && now.embedding_userdata == callbacks.embedding_userdata;
}

int CallResult(const Callbacks& callbacks, void* result, void* userdata, std::int32_t state) {
  if (AtLeast(Generation::kG3)) {
    using Function = int (*)(void*, void*, std::int32_t);
    return reinterpret_cast<Function>(const_cast<void*>(callbacks.result))(result, userdata, state);
  }
  using Function = void (*)(void*, void*, std::int32_t);
  reinterpret_cast<Function>(const_cast<void*>(callbacks.result))(result, userdata, state);
  return 0;
}

}  // namespace fake
