// One loaded model: the order of load, runs and destruction, and who may call the runtime when. Knows no Node-API.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../runtime/adapter.h"
#include "inference_thread.h"
#include "notices.h"
#include "questions.h"
#include "run.h"
#include "waker.h"

namespace rkllm {

// Which library to drive.
struct RuntimeChoice {
  std::string path;    // absolute
  std::string stated;  // the release that the user says it is; normally empty
  // Options that were given, each with the first release that has it.
  std::vector<std::pair<std::string, std::string>> needs;
};

class Model final : public std::enable_shared_from_this<Model>, private RunSink {
 public:
  explicit Model(std::shared_ptr<Waker> waker) : waker_(std::move(waker)) {}

  // Starts the thread and the load. False when the system has no thread to give.
  bool Load(RuntimeChoice runtime, LoadParams params);
  // The run waits its turn behind earlier ones. nullptr after Dispose().
  std::shared_ptr<Run> Start(std::uint32_t id, RunParams params);
  // An operation waits its turn likewise. False after Dispose().
  bool Perform(std::uint32_t call, Operation operation);
  // Concerns this run only: the runtime is touched only while this very run is in flight. False when the run is about
  // to enter the runtime, or to leave it: its first token will abort it, and asking again is worth while.
  bool Abort(Run& run);
  // Ends what runs, frees the handle on the inference thread and lets that thread go. Returns at once. Again: only ends
  // what runs, which may not have been heard (see Abort).
  void Dispose();
  // Waits for the end of the thread after Dispose(). False when it is stuck; it is then left alone for good.
  bool Join(std::chrono::milliseconds limit);
  // One step of it: waits for a moment. False when there is need for more; what runs has then been told again to end,
  // as an abort that came while it was entering the runtime was not heard.
  bool JoinBriefly();
  // Nobody should wait for this model again: it is stuck.
  void LeaveAlone() { stuck_ = true; }
  bool stuck() const { return stuck_; }
  // No more notices leave this model.
  void Silence() { waker_->Close(); }

  std::vector<Notice> TakeNotices();

 private:
  void LoadOnThread(const RuntimeChoice& runtime, const LoadParams& params);
  Notice TryLoad(const RuntimeChoice& runtime, const LoadParams& params);
  CallResult TryPerform(const Operation& operation);
  void RunOnThread(const std::shared_ptr<Run>& run);
  RunOutcome TryRun(const std::shared_ptr<Run>& run);
  void DestroyOnThread();
  bool Enter(const std::shared_ptr<Run>& run);
  int RunInside(Run& run);
  void Leave();

  void AbortCurrent();
  Reply OnToken(const Token& token) noexcept override;
  Reply OnMatrix(const MatrixView& matrix) noexcept override;
  Reply OnFinish(const std::optional<PerfStats>& perf) noexcept override;
  Reply OnError() noexcept override;
  // `take` has the run in progress take an event.
  template <typename Take>
  Reply React(const Take& take) noexcept;
  std::int32_t OnTokenize(std::string_view text, std::int32_t* ids, std::size_t room) noexcept override;
  bool OnEmbed(const std::int32_t* ids, std::size_t tokens, void* floats, std::size_t bytes) noexcept override;
  // False: there is no answer.
  bool Ask(const std::shared_ptr<Question>& question);
  void FailCurrent(const char* failure) noexcept;
  void Say(Notice notice);

  const std::shared_ptr<Waker> waker_;
  InferenceThread thread_;
  std::unique_ptr<Adapter> adapter_;  // inference thread; Abort() borrows it under abort_mutex_

  std::mutex notices_mutex_;
  std::vector<Notice> notices_;  // guarded by notices_mutex_

  // Guards the run whose events are accepted, and all runs' contents (see Run). Held in every callback.
  const std::shared_ptr<std::mutex> run_mutex_ = std::make_shared<std::mutex>();
  std::shared_ptr<Run> current_;
  bool first_event_ = false;  // of current_: still abortable from outside its callback

  // Guards the three below. A callback of the runtime never waits for it; may be held when taking run_mutex_.
  std::mutex abort_mutex_;
  bool told_from_outside_ = false;  // the run in flight may have ended just before the runtime was told to abort it
  Run* abortable_ = nullptr;        // in flight and without an event yet: another thread may abort it
  bool disposing_ = false;

  bool doubtful_ = false;  // inference thread: an abort of the run before may still hit the next one
  Questions questions_;
  std::atomic<bool> stuck_{false};
};

}  // namespace rkllm
