#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "checks.h"

namespace self_test {

namespace {

// Whether a child process ends as it should: by a signal, or with an exit code.
void ExpectDeath(const Runtime& runtime, const std::string& line, int signal, int code) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);
    alarm(1);
    Model model(runtime, {"token a", "token b", line});
    model.Init();
    model.Run("hi");
    model.Destroy();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (signal != 0) Expect(WIFSIGNALED(status) && WTERMSIG(status) == signal, line + " ends otherwise");
  if (signal == 0) Expect(WIFEXITED(status) && WEXITSTATUS(status) == code, line + " ends otherwise");
}

}  // namespace

void CheckDeaths(const Runtime& runtime) {
  for (const std::string place : {"load", "prefill", "decode", "destroy"}) {
    ExpectDeath(runtime, "fail " + place + " segv", SIGSEGV, 0);
    ExpectDeath(runtime, "fail " + place + " abrt", SIGABRT, 0);
    ExpectDeath(runtime, "fail " + place + " exit", 0, 77);
  }
  ExpectDeath(runtime, "fail load quick-exit", 0, 77);
  ExpectDeath(runtime, "fail prefill hang", SIGALRM, 0);
  ExpectDeath(runtime, "init-false-success abrt", SIGABRT, 0);
  ExpectDeath(runtime, "fail second-load segv", 0, 0);
  Model other(runtime, {});
  Expect(other.Init() == 0, "rkllm_init fails");
  ExpectDeath(runtime, "fail second-load segv", SIGSEGV, 0);
}

namespace {

std::int64_t flood_bytes = 0;

int Count(void* result, void* userdata, std::int32_t state) {
  const char* text = nullptr;
  std::memcpy(&text, result, sizeof(text));
  if (state == 0 && text != nullptr) flood_bytes += *text;
  (void)userdata;
  return 0;
}

}  // namespace

void MeasureFlood(const Runtime& runtime) {
  constexpr int kTokens = 20000000;
  Model model(runtime, {"token hello", "repeat " + std::to_string(kTokens)});
  if (runtime.From(4)) {
    model.callback.Set(0, &Count);
  } else {
    model.callback_override = reinterpret_cast<void*>(&Count);
  }
  Expect(model.Init() == 0, "rkllm_init fails");
  const auto start = std::chrono::steady_clock::now();
  model.Run("hi");
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  Expect(flood_bytes == std::int64_t{'h'} * kTokens, "tokens are missing");
  std::printf("%.1f million tokens/s\n", kTokens / taken.count() / 1e6);
}

void ShowLog(const Runtime& runtime) {
  Model model(runtime, {"log", "print load E RKNN: as the vendor says it", "token a"});
  model.Init();
  model.Run("hi");
}

}  // namespace self_test
