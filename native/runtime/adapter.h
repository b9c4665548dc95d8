// The neutral side of every runtime generation. An adapter translates it to one generation's structs and back;
// nothing outside native/runtime/ knows a vendor struct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "generation.h"
#include "library.h"
#include "operations.h"
#include "params.h"

namespace rkllm {

// What the runtime is told by the return of its callback. A generation that does not know it goes on.
enum class Reply {
  kGoOn,
  kPause,    // from 1.2.1 on: the run ends and leaves what it has computed in the KV cache
  kRelease,  // from 1.3.0 on: the matrix of this event is no longer needed
};

// Receives what happens while Run() is in progress: normally on the thread that called it, but that is not relied on.
class RunSink {
 public:
  virtual Reply OnToken(const Token& token) noexcept = 0;
  virtual Reply OnMatrix(const MatrixView& matrix) noexcept = 0;
  virtual Reply OnFinish(const std::optional<PerfStats>& perf) noexcept = 0;
  virtual Reply OnError() noexcept = 0;

  // What a model was exported without, from 1.3.0 on. Both wait for the answer, which is written to the vendor's
  // memory. The number of token ids, or a negative number when there is none.
  virtual std::int32_t OnTokenize(std::string_view text, std::int32_t* ids, std::size_t room) noexcept = 0;
  // As many bytes of 32-bit floats, a row for each of the tokens. False when there are none.
  virtual bool OnEmbed(const std::int32_t* ids, std::size_t tokens, void* floats, std::size_t bytes) noexcept = 0;

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

  // `sink` must outlive the handle. A failure leaves no handle.
  virtual CallResult Init(const LoadParams& params, RunSink& sink) = 0;
  // Blocks until the run has ended. Its return, with the vendor's code, is the end, whatever events came.
  virtual int Run(const RunParams& params) = 0;
  // Between runs.
  virtual CallResult Perform(const Operation& operation) = 0;
  // Any thread, also from inside a run event, but only while Run() is in progress.
  virtual int Abort() = 0;
  // Any thread. Whether the runtime itself says that a run is in progress.
  virtual bool IsRunning() = 0;
  virtual int Destroy() = 0;
  // Whether the runtime itself ends this run at its max_new_tokens.
  virtual bool Limits(const RunParams& params) const = 0;
};

std::unique_ptr<Adapter> MakeAdapter(Generation generation, std::shared_ptr<const Library> library);

}  // namespace rkllm
