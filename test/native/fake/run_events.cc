// The events of a run, and the callbacks that answer for what a model lacks.
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "layout.h"
#include "memory.h"
#include "report.h"
#include "run_script.h"
#include "run_states.h"

namespace fake {
namespace {

// VmHWM of the process, as the vendor reports it.
float PeakMegabytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    float kilobytes = 0;
    status >> kilobytes;
    return kilobytes / 1024;
  }
  return 0;
}

float Milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<float, std::milli>(duration).count();
}

}  // namespace

// A row without a token has ended: no text and a negative id.
void ScriptedRun::Fill(Row& row, std::size_t index, const Piece* piece) {
  unsigned char* result = results_.data() + index * result_size_;
  row.dirty = 0;
  const bool text = piece != nullptr && (piece->kind == Piece::Kind::kText || piece->kind == Piece::Kind::kPartial);
  if (text) {
    row.dirty = piece->text.size() + 1;
    if (row.dirty > row.text.size()) row.text.resize(row.dirty);
    std::memcpy(row.text.data(), piece->text.c_str(), row.dirty);
  }
  WriteAt<const char*>(result, 0, text ? row.text.data() : nullptr);
  WriteAt<std::int32_t>(result, 8, piece == nullptr ? -1 : piece->id);
}

void ScriptedRun::Emit(const Piece& piece) {
  Fill(rows_[0], 0, &piece);
  Deliver(results_.data(), kNormal);
  std::memset(rows_[0].text.data(), '#', rows_[0].dirty);
}

void ScriptedRun::EmitBare(std::int32_t state) {
  const bool terminal = state == kFinish || state == kError;
  WriteAt<const char*>(bare_.data(), 0, nullptr);
  WriteAt<std::int32_t>(bare_.data(), 8, script_.finish_last_id ? last_id_ : script_.finish_id);
  Deliver(terminal && script_.null_result ? nullptr : bare_.data(), state);
}

void ScriptedRun::EmitFinish() {
  if (Has(Field::kPerf)) {
    const auto now = std::chrono::steady_clock::now();
    const auto first = tokens_ > 0 ? first_token_ : now;
    const std::size_t perf = Offset(Field::kPerf);
    WriteAt<float>(bare_.data(), perf, Milliseconds(first - start_));
    WriteAt<std::int32_t>(bare_.data(), perf + 4, static_cast<std::int32_t>(setup_.prefilled));
    WriteAt<float>(bare_.data(), perf + 8, Milliseconds(now - first));
    WriteAt<std::int32_t>(bare_.data(), perf + 12, static_cast<std::int32_t>(tokens_ > 0 ? tokens_ - 1 : 0));
    WriteAt<float>(bare_.data(), perf + 16, PeakMegabytes());
  }
  EmitBare(kFinish);
}

void ScriptedRun::Deliver(void* result, std::int32_t state) {
  const int answer = CallResult(instance_.callbacks, result, userdata_, state);
  if (answer == 0) return;
  if (answer == 1) {
    if (state <= kWaiting && !script_.pause_ignored && ending_ == Ending::kNone) ending_ = Ending::kPaused;
  } else if (answer == 2 && AtLeast(Generation::kG4) && setup_.arguments->mode != 0) {
    Details(instance_, "payload released");
    payload_.clear();
    payload_.shrink_to_fit();
  } else {
    Violation("the result callback returned " + std::to_string(answer));
  }
}

int ScriptedRun::DeliverPayload() {
  if (setup_.arguments->mode == 2 && rows_.size() > 1) {
    Log("E rkllm: Getting the logits is not supported for multiple batches", script_.log);
    return -1;
  }
  if (script_.payload_bare_first) EmitBare(kNormal);
  for (int i = 0; i < script_.payload_repeat; ++i) {
    if (Stopping()) return EndAborted();
    EmitPayload();
    if (ending_ == Ending::kPaused) return EndPaused();
  }
  if (script_.error_after) return EndFailed();
  return EndFinished();
}

// A row for every token of the prompt: the values count up, so that each one tells its place. That of logits ends in
// .5.
void ScriptedRun::EmitPayload() {
  const bool logits = setup_.arguments->mode == 2;
  const auto width = static_cast<std::size_t>(logits ? script_.vocab : script_.embed_dim);
  const std::size_t height = setup_.prompts[0].size();
  payload_.resize(width * height);
  for (std::size_t i = 0; i < payload_.size(); ++i) payload_[i] = static_cast<float>(i) + (logits ? 0.5F : 0.0F);
  const std::size_t at = logits ? Offset(Field::kLogits) : 16;
  WriteAt<const float*>(bare_.data(), at, script_.payload_null ? nullptr : payload_.data());
  WriteAt<std::int32_t>(bare_.data(), at + 8, static_cast<std::int32_t>(width));
  WriteAt<std::int32_t>(bare_.data(), at + 12, static_cast<std::int32_t>(height));
  EmitBare(AtLeast(Generation::kG2) ? kNormal : kHiddenLayer);
  std::memset(bare_.data() + at, 0, 16);
  for (float& value : payload_) value = std::numeric_limits<float>::quiet_NaN();
  payload_.clear();
}

bool ScriptedRun::EmbedPrompts() {
  for (const auto& prompt : setup_.prompts) {
    std::vector<std::int32_t> chunk;
    for (const Token& token : prompt) {
      if (token.id < 0) continue;  // has its embedding
      chunk.push_back(token.id);
      if (static_cast<int>(chunk.size()) != script_.embed_chunk) continue;
      if (!Embed(std::move(chunk))) return false;
      chunk = {};
    }
    if (!chunk.empty() && !Embed(std::move(chunk))) return false;
  }
  return true;
}

// Asks the caller for the embeddings of tokens. Poisoned before: what is not written shows.
bool ScriptedRun::Embed(std::vector<std::int32_t> ids) {
  const std::size_t count = ids.size() * static_cast<std::size_t>(script_.embed_dim);
  std::vector<float> rows(count, std::numeric_limits<float>::quiet_NaN());
  using Function = int (*)(void*, std::int32_t*, std::uint64_t, void*, std::uint64_t);
  const auto function = reinterpret_cast<Function>(const_cast<void*>(instance_.callbacks.embedding));
  if (function == nullptr) {
    Log("E rkllm: the model has no embedding and there is no embedding callback", script_.log);
    ending_ = Ending::kFailed;
    return false;
  }
  const int code = function(instance_.callbacks.embedding_userdata, ids.data(), ids.size(), rows.data(), count * 4);
  if (code == 0) {
    for (const float value : rows) {
      if (value == value) continue;
      Violation("the embedding callback has not written all floats");
      break;
    }
    Details(instance_, "embedded " + std::to_string(ids.size()) + " first=" + std::to_string(rows.front()) +
                           " last=" + std::to_string(rows.back()));
    return true;
  }
  Details(instance_, "embedding failed with " + std::to_string(code));
  if (script_.unanswered_ignored && !instance_.aborted) return true;
  ending_ = instance_.aborted ? Ending::kAborted : Ending::kFailed;
  return false;
}

}  // namespace fake
