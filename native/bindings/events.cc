#include "events.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "question_object.h"

namespace rkllm {
namespace {

class ObjectWriter {
 public:
  explicit ObjectWriter(napi_env env) : env_(env) {
    if (napi_create_object(env, &object_) != napi_ok) object_ = nullptr;
  }

  napi_value object() const { return object_; }

  void Set(const char* key, napi_value value) {
    if (object_ != nullptr && value != nullptr) napi_set_named_property(env_, object_, key, value);
  }
  void Set(const char* key, const char* text) { Set(key, std::string_view(text)); }  // not as a flag
  void Set(const char* key, std::string_view text) {
    napi_value value = nullptr;
    if (napi_create_string_utf8(env_, text.data(), text.size(), &value) == napi_ok) Set(key, value);
  }
  void Set(const char* key, double number) {
    napi_value value = nullptr;
    if (napi_create_double(env_, number, &value) == napi_ok) Set(key, value);
  }
  void Set(const char* key, bool flag) {
    napi_value value = nullptr;
    if (napi_get_boolean(env_, flag, &value) == napi_ok) Set(key, value);
  }

 private:
  napi_env env_;
  napi_value object_ = nullptr;
};

napi_value ToArray(napi_env env, const std::vector<Finding>& evidence) {
  napi_value array = nullptr;
  if (napi_create_array_with_length(env, evidence.size(), &array) != napi_ok) return nullptr;
  std::uint32_t index = 0;
  for (const Finding& finding : evidence) {
    ObjectWriter item(env);
    item.Set("source", finding.source);
    item.Set("found", finding.found);
    if (!finding.suggests.empty()) item.Set("suggests", finding.suggests);
    if (item.object() != nullptr) napi_set_element(env, array, index++, item.object());
  }
  return array;
}

napi_value ToArray(napi_env env, const std::vector<std::int32_t>& numbers) {
  napi_value array = nullptr;
  if (napi_create_array_with_length(env, numbers.size(), &array) != napi_ok) return nullptr;
  std::uint32_t index = 0;
  for (const std::int32_t number : numbers) {
    napi_value value = nullptr;
    if (napi_create_int32(env, number, &value) == napi_ok) napi_set_element(env, array, index++, value);
  }
  return array;
}

// The Float32Array lies on the memory that the matrix was copied to; JavaScript owns it from here on.
napi_value ToMatrix(napi_env env, const Matrix& matrix) {
  const std::size_t count = matrix.rows * matrix.columns;
  auto keep = std::make_unique<std::shared_ptr<const float[]>>(matrix.values);
  const auto drop = [](napi_env /*env*/, void* /*data*/, void* hint) {
    const std::unique_ptr<std::shared_ptr<const float[]>> dropped(static_cast<std::shared_ptr<const float[]>*>(hint));
  };
  napi_value buffer = nullptr;
  napi_value view = nullptr;
  if (napi_create_external_arraybuffer(env, const_cast<float*>(matrix.values.get()), count * sizeof(float), drop,
                                       keep.get(), &buffer) != napi_ok) {
    return nullptr;
  }
  static_cast<void>(keep.release());
  if (napi_create_typedarray(env, napi_float32_array, count, buffer, 0, &view) != napi_ok) return nullptr;
  ObjectWriter object(env);
  object.Set("values", view);
  object.Set("rows", static_cast<double>(matrix.rows));
  object.Set("columns", static_cast<double>(matrix.columns));
  return object.object();
}

napi_value ToInt32Array(napi_env env, const std::vector<std::int32_t>& numbers) {
  const std::size_t size = numbers.size() * sizeof(std::int32_t);
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value view = nullptr;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok) return nullptr;
  if (size > 0) std::memcpy(data, numbers.data(), size);
  return napi_create_typedarray(env, napi_int32_array, numbers.size(), buffer, 0, &view) == napi_ok ? view : nullptr;
}

constexpr const char* Name(RunOutcome::Kind kind) {
  switch (kind) {
    case RunOutcome::Kind::kCompleted:
      return "completed";
    case RunOutcome::Kind::kLimited:
      return "limited";
    case RunOutcome::Kind::kAborted:
      return "aborted";
    case RunOutcome::Kind::kFailed:
      return "failed";
  }
  return "failed";
}

struct NoticeWriter {
  napi_env env;
  ObjectWriter& event;

  void operator()(const Identified& /*notice*/) const { event.Set("type", "identified"); }

  void operator()(const Loaded& notice) const {
    event.Set("type", "loaded");
    event.Set("generation", rkllm::Name(notice.identity.generation));
    event.Set("releases", notice.identity.releases);
    event.Set("certain", notice.identity.certain);
    event.Set("overridden", notice.identity.overridden);
    event.Set("evidence", ToArray(env, notice.identity.evidence));
    if (!notice.version.empty()) event.Set("version", notice.version);
  }

  void operator()(const Error& notice) const {
    event.Set("type", "failed");
    event.Set("code", rkllm::Name(notice.code));
    event.Set("message", notice.message);
    ObjectWriter details(env);
    for (const auto& [key, value] : notice.details) details.Set(key.c_str(), value);
    event.Set("details", details.object());
    if (!notice.evidence.empty()) event.Set("evidence", ToArray(env, notice.evidence));
  }

  void operator()(const Readable& notice) const {
    event.Set("type", "readable");
    event.Set("run", static_cast<double>(notice.run));
  }

  void operator()(const Ended& notice) const {
    const RunOutcome& outcome = notice.outcome;
    event.Set("type", "ended");
    event.Set("run", static_cast<double>(notice.run));
    event.Set("outcome", Name(outcome.kind));
    event.Set("returned", static_cast<double>(outcome.code));
    if (outcome.paused) event.Set("paused", true);
    if (!outcome.failure.empty()) event.Set("message", outcome.failure);
    if (outcome.prefill_ms >= 0) event.Set("prefillMs", outcome.prefill_ms);
    if (outcome.decode_ms >= 0) event.Set("decodeMs", outcome.decode_ms);
    if (outcome.matrix.values) event.Set("matrix", ToMatrix(env, outcome.matrix));
    if (!outcome.perf) return;
    ObjectWriter perf(env);
    perf.Set("prefillMs", outcome.perf->prefill_ms);
    perf.Set("prefillTokens", static_cast<double>(outcome.perf->prefill_tokens));
    perf.Set("generateMs", outcome.perf->generate_ms);
    perf.Set("generateTokens", static_cast<double>(outcome.perf->generate_tokens));
    perf.Set("memoryMb", outcome.perf->memory_mb);
    event.Set("perf", perf.object());
  }

  void operator()(const Performed& notice) const {
    event.Set("type", "performed");
    event.Set("call", static_cast<double>(notice.call));
    event.Set("function", notice.result.function);
    event.Set("returned", static_cast<double>(notice.result.code));
    event.Set("values", ToArray(env, notice.result.values));
  }

  void operator()(const Asked& notice) const {
    const Question& question = *notice.question;
    const auto room = static_cast<double>(question.room());
    event.Set("type", "asked");
    event.Set("question", WrapQuestion(env, notice.question));
    if (question.kind() == Question::Kind::kTokenize) {
      event.Set("text", question.text());
      event.Set("maxTokens", room);
    } else {
      event.Set("tokenIds", ToInt32Array(env, question.token_ids()));
      event.Set("floats", room);
    }
  }

  void operator()(const Disposed& /*notice*/) const { event.Set("type", "disposed"); }
};

}  // namespace

napi_value ToEvent(napi_env env, const Notice& notice) {
  ObjectWriter event(env);
  std::visit(NoticeWriter{env, event}, notice);
  return event.object();
}

napi_value ToTokens(napi_env env, const TokenBatch& batch) {
  const std::size_t count = batch.ids.size();
  const std::size_t table = count * sizeof(std::int32_t);
  void* data = nullptr;
  napi_value buffer = nullptr;
  const std::size_t rows = 2 * table + batch.bytes.size();
  if (napi_create_arraybuffer(env, rows + batch.rows.size(), &data, &buffer) != napi_ok) return nullptr;
  auto* target = static_cast<char*>(data);
  std::memcpy(target, batch.ids.data(), table);
  std::memcpy(target + table, batch.ends.data(), table);
  if (!batch.bytes.empty()) std::memcpy(target + 2 * table, batch.bytes.data(), batch.bytes.size());
  if (!batch.rows.empty()) std::memcpy(target + rows, batch.rows.data(), batch.rows.size());

  ObjectWriter tokens(env);
  const auto set_view = [&](const char* key, napi_typedarray_type type, std::size_t length, std::size_t offset) {
    napi_value view = nullptr;
    if (napi_create_typedarray(env, type, length, buffer, offset, &view) == napi_ok) tokens.Set(key, view);
  };
  set_view("tokenIds", napi_int32_array, count, 0);
  set_view("ends", napi_uint32_array, count, table);
  set_view("bytes", napi_uint8_array, batch.bytes.size(), 2 * table);
  if (!batch.rows.empty()) set_view("rows", napi_uint8_array, batch.rows.size(), rows);
  return tokens.object();
}

}  // namespace rkllm
