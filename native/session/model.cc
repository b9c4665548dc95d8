#include "model.h"

#include <optional>
#include <string>
#include <utility>

#include "exit_guard.h"

namespace rkllm {

namespace {

std::optional<Error> FindLacking(const RuntimeChoice& runtime, const Identity& identity) {
  for (const auto& [option, since] : runtime.needs) {
    if ((SetFrom(Oldest(GenerationOf(since))) & SetOf(identity.generation)) != 0) continue;
    return Error{ErrorCode::kUnsupportedByRuntime,
                 std::string(option).append(" needs a runtime from ").append(since).append(" on; this one is ") +
                     identity.releases + ".",
                 {{"option", option}, {"since", since}, {"releases", identity.releases}, {"path", runtime.path}},
                 identity.evidence};
  }
  return std::nullopt;
}

// Releases that look alike differ in the size of an input: the second row would be read from the wrong place.
std::optional<Error> FindUnknownRows(const RuntimeChoice& runtime, const LoadParams& params, const Identity& identity) {
  if (params.Rows() == 1 || identity.certain) return std::nullopt;
  return Error{
      ErrorCode::kUnsupportedByRuntime,
      std::string("batchSize above 1 needs a runtime that states its release; this one is ") + identity.releases + ".",
      {{"option", "batchSize"}, {"releases", identity.releases}, {"path", runtime.path}},
      identity.evidence};
}

}  // namespace

bool Model::Load(RuntimeChoice runtime, LoadParams params) {
  if (!thread_.Start()) return false;
  // Jobs share the model: it stays until its thread is done with it, however long a stuck driver takes.
  return thread_.Post([self = shared_from_this(), runtime = std::move(runtime), params = std::move(params)] {
    self->LoadOnThread(runtime, params);
  });
}

std::shared_ptr<Run> Model::Start(std::uint32_t id, RunParams params) {
  auto run = std::make_shared<Run>(id, std::move(params), run_mutex_);
  const bool accepted = thread_.Post([self = shared_from_this(), run] { self->RunOnThread(run); });
  return accepted ? run : nullptr;
}

bool Model::Perform(std::uint32_t call, Operation operation) {
  return thread_.Post([self = shared_from_this(), call, operation = std::move(operation)] {
    self->Say(Performed{call, self->TryPerform(operation)});
  });
}

bool Model::Abort(Run& run) {
  run.RequestAbort();
  // First: the vendor's abort may wait for the callback, and the callback for its answer.
  const bool asking = questions_.Break(run);
  const std::lock_guard<std::mutex> lock(abort_mutex_);
  if (abortable_ != &run) return true;  // not started, ended, or giving tokens: the next token's callback aborts it
  if (!asking && !adapter_->IsRunning()) return false;
  abortable_ = nullptr;     // once: a second call could come after the end and hit the next run
  if (asking) return true;  // Ask() aborts it, inside the callback
  told_from_outside_ = true;
  run.MarkAborted();
  adapter_->Abort();
  return true;
}

void Model::Dispose() {
  bool again = false;
  {
    const std::lock_guard<std::mutex> lock(abort_mutex_);
    again = std::exchange(disposing_, true);
  }
  AbortCurrent();
  if (again) return;
  questions_.Close();
  thread_.Post([self = shared_from_this()] { self->DestroyOnThread(); });
  thread_.Close();
}

void Model::AbortCurrent() {
  std::shared_ptr<Run> running;
  {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    running = current_;
  }
  if (running) Abort(*running);
}

bool Model::Join(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  bool joined = JoinBriefly();
  while (!joined && std::chrono::steady_clock::now() < deadline) joined = JoinBriefly();
  if (!joined) LeaveAlone();
  return joined;
}

bool Model::JoinBriefly() {
  constexpr std::chrono::milliseconds kAskAgain{20};
  if (thread_.Join(kAskAgain)) return true;
  AbortCurrent();
  return false;
}

std::vector<Notice> Model::TakeNotices() {
  const std::lock_guard<std::mutex> lock(notices_mutex_);
  return std::exchange(notices_, {});
}

void Model::Say(Notice notice) {
  {
    const std::lock_guard<std::mutex> lock(notices_mutex_);
    notices_.push_back(std::move(notice));
  }
  waker_->Wake();
}

void Model::LoadOnThread(const RuntimeChoice& runtime, const LoadParams& params) {
  try {
    Say(TryLoad(runtime, params));
  } catch (...) {  // the vendor's own exceptions have types of another copy of the standard library
    Say(Error{ErrorCode::kInitFailed, "The runtime or this addon threw a C++ exception while loading.", {}});
  }
}

Notice Model::TryLoad(const RuntimeChoice& runtime, const LoadParams& params) {
  {
    const std::lock_guard<std::mutex> lock(abort_mutex_);
    if (disposing_) return Error{ErrorCode::kDisposed, "The model was disposed before it was loaded.", {}};
  }
  auto library = Library::Open(runtime.path);
  if (!library.ok()) return library.error();
  auto identity = Identify(*library.value(), runtime.stated);
  if (!identity.ok()) return identity.error();
  // Before the model is read, which may take a minute.
  if (auto lacking = FindLacking(runtime, identity.value())) return *std::move(lacking);
  if (auto unknown = FindUnknownRows(runtime, params, identity.value())) return *std::move(unknown);

  Say(Identified{});
  GuardExit(weak_from_this(), *library.value());
  auto adapter = MakeAdapter(identity.value().generation, library.value());
  const CallResult result = adapter->Init(params, *this);
  if (!result.ok()) {
    const std::string code = std::to_string(result.code);
    return Error{ErrorCode::kInitFailed,
                 "The runtime could not load the model: " + std::string(result.function) + " returned " + code + ".",
                 {{"code", code},
                  {"function", result.function},
                  {"modelPath", params.model_path},
                  {"runtimePath", runtime.path},
                  {"maxContextLength", std::to_string(params.max_context_length)}}};
  }
  GuardExitAfterInit(*library.value());
  adapter_ = std::move(adapter);
  return Loaded{std::move(identity.value()), library.value()->version()};
}

CallResult Model::TryPerform(const Operation& operation) {
  constexpr int kNotMade = -1;
  if (!adapter_) return {"nothing, as no model is loaded: the call", kNotMade, {}};
  try {
    return adapter_->Perform(operation);
  } catch (...) {  // the vendor's own exceptions have types of another copy of the standard library
    return {"a function that threw a C++ exception", kNotMade, {}};
  }
}

void Model::RunOnThread(const std::shared_ptr<Run>& run) {
  RunOutcome outcome;
  try {
    outcome = TryRun(run);
  } catch (...) {  // the vendor's own exceptions have types of another copy of the standard library
    Leave();
    outcome.kind = RunOutcome::Kind::kFailed;
    outcome.failure = "The runtime or this addon threw a C++ exception during the run.";
  }
  Say(Ended{run->id(), std::move(outcome)});
}

RunOutcome Model::TryRun(const std::shared_ptr<Run>& run) {
  RunOutcome outcome;
  if (!adapter_) {
    outcome.kind = RunOutcome::Kind::kFailed;
    outcome.failure = "No model is loaded.";
    return outcome;
  }
  if (!Enter(run)) {
    outcome.kind = RunOutcome::Kind::kAborted;
    return outcome;
  }
  const int code = RunInside(*run);
  Leave();
  return run->Conclude(code);
}

// An abort that came just after the end of a run may have hit this one: whether the runtime forgets it is not
// documented. A run that ended without a cause is then made again, once. With history that would not be the same run.
int Model::RunInside(Run& run) {
  const bool repeatable = std::exchange(doubtful_, false) && !run.params().keep_history.value_or(false);
  run.Begin(adapter_->Limits(run.params()));
  const int code = adapter_->Run(run.params());
  if (!repeatable || !run.EndedWithoutCause(code)) return code;
  run.Begin(adapter_->Limits(run.params()));
  return adapter_->Run(run.params());
}

// False: aborted before it started. The runtime must not hear of it: whether an abort without a run in flight would
// hit the next run is not documented.
bool Model::Enter(const std::shared_ptr<Run>& run) {
  {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    current_ = run;
    first_event_ = true;
  }
  {
    const std::lock_guard<std::mutex> lock(abort_mutex_);
    if (!disposing_ && !run->abort_requested()) {
      abortable_ = run.get();
      return true;
    }
  }
  Leave();
  return false;
}

// After this, an event of the runtime that comes late finds no run and is ignored.
void Model::Leave() {
  {
    const std::lock_guard<std::mutex> lock(abort_mutex_);
    abortable_ = nullptr;
    if (std::exchange(told_from_outside_, false)) doubtful_ = true;
  }
  const std::lock_guard<std::mutex> lock(*run_mutex_);
  current_.reset();
}

void Model::DestroyOnThread() {
  if (adapter_) {
    adapter_->Destroy();
    adapter_.reset();
  }
  Say(Disposed{});
}

// In the runtime's callback, so inside rkllm_run. From the first event on, aborts are made from here and only here:
// this is the one place where the run is certainly in flight.
template <typename Take>
Reply Model::React(const Take& take) noexcept {
  Run::Reaction reaction;
  std::uint32_t id = 0;
  {
    const std::lock_guard<std::mutex> lock(*run_mutex_);
    if (!current_) return Reply::kGoOn;
    id = current_->id();
    try {
      reaction = take(*current_);
    } catch (...) {
      current_->Fail("Out of memory for the generated tokens.");
      reaction.abort_runtime = true;
    }
    if (first_event_) {
      // Not taken: another thread is inside Abort() for this very run. The next event tries again.
      const std::unique_lock<std::mutex> abort_lock(abort_mutex_, std::try_to_lock);
      if (abort_lock.owns_lock()) abortable_ = nullptr;
      first_event_ = !abort_lock.owns_lock();
    }
  }
  if (reaction.abort_runtime) adapter_->Abort();
  if (reaction.announce) Say(Readable{id});
  return reaction.reply;
}

Reply Model::OnToken(const Token& token) noexcept {
  return React([&](Run& run) { return run.TakeToken(token); });
}

Reply Model::OnMatrix(const MatrixView& matrix) noexcept {
  return React([&](Run& run) { return run.TakeMatrix(matrix); });
}

Reply Model::OnFinish(const std::optional<PerfStats>& perf) noexcept {
  return React([&](Run& run) { return run.TakeFinish(perf); });
}

Reply Model::OnError() noexcept {
  return React([](Run& run) { return run.TakeError(); });
}

}  // namespace rkllm
