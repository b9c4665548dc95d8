// The neutral side of every runtime generation. An adapter translates it to one generation's structs and back;
// nothing outside native/runtime/ knows a vendor struct.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "generation.h"
#include "library.h"

namespace rkllm {

// An absent option means the runtime's own default.
struct LoadParams {
  std::string model_path;
  std::int32_t max_context_length = 0;
  std::optional<std::int32_t> top_k;
  std::optional<float> top_p;
  std::optional<float> temperature;  // 0: greedy
  std::optional<float> repeat_penalty;
  std::optional<float> frequency_penalty;
  std::optional<float> presence_penalty;
};

struct RunParams {
  // A prompt without NUL characters, or token ids.
  std::variant<std::string, std::vector<std::int32_t>> input;
  // Run counts and stops at it, in the callback of the last token. Before 1.3 a runtime takes no limit per run.
  std::optional<std::int32_t> max_new_tokens;
};

struct RunEvent {
  // A token may come without text: inside a split character, or a hidden special token.
  enum class Kind { kToken, kFinish, kError };
  Kind kind;
  std::int32_t token_id = 0;
  std::string_view text;  // the vendor's memory: valid only during the call
};

// Receives what happens while Run() is in progress: normally on the thread that called it, but that is not relied on.
class RunSink {
 public:
  virtual void OnRunEvent(const RunEvent& event) noexcept = 0;

 protected:
  ~RunSink() = default;
};

// One handle of the runtime. Every function but Abort() is called on the inference thread only.
class Adapter {
 public:
  Adapter() = default;
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;
  virtual ~Adapter() = default;

  // Both arguments are kept: `sink` must outlive the handle. The functions return the vendor's code, 0 for success.
  virtual int Init(const LoadParams& params, RunSink& sink) = 0;
  // Blocks until the run has ended. Its return is the end, whatever events came.
  virtual int Run(const RunParams& params) = 0;
  // Any thread, also from inside a run event, but only while Run() is in progress.
  virtual int Abort() = 0;
  virtual int Destroy() = 0;
};

std::unique_ptr<Adapter> MakeAdapter(Generation generation, std::shared_ptr<const Library> library);

// What sampling at temperature 0 means: the most likely token, always. No release documents temperature 0 itself.
LoadParams WithGreedyResolved(LoadParams params);

}  // namespace rkllm
