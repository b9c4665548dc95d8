#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "checks.h"

namespace self_test {

namespace {

// How a child process is to end: by a signal, or with an exit code.
struct Death {
  int signal = 0;
  int code = 0;
};

void InitRunDestroy(Model& model) {
  model.Init();
  model.Run("hi");
  model.Destroy();
}

// Whether a child process that does this with a model of such a script ends as it should. What it noted can be read.
void ExpectDeath(const Runtime& runtime, const std::vector<std::string>& script, const Death& death,
                 void (*work)(Model& model) = InitRunDestroy) {
  std::fflush(stdout);
  std::vector<std::string> lines = {"token a", "token b"};
  lines.insert(lines.end(), script.begin(), script.end());
  Model model(runtime, lines);
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stdout);
    std::freopen("/dev/null", "w", stderr);
    alarm(10);
    work(model);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const bool as_wanted = death.signal != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == death.signal
                                           : WIFEXITED(status) && WEXITSTATUS(status) == death.code;
  Expect(as_wanted, script.back() + " ends otherwise");
  const bool idle = script.back().find("fail idle hang") == 0;
  Expect(!idle || model.Noted("idle hang"), script.back() + " does not hang");
}

// For what hangs: no call is to come back from here on.
void EndSoon() { ualarm(100000, 0); }

void WaitForIdleHang(Model& model) {
  model.Init();
  while (!model.Noted("idle hang")) usleep(1000);
  EndSoon();
}

struct End {
  const char* name = "";
  Death death;
};

constexpr End kEnds[] = {
    {"segv", {SIGSEGV, 0}}, {"bus", {SIGBUS, 0}}, {"abrt", {SIGABRT, 0}},  {"assert", {SIGABRT, 0}},
    {"kill", {SIGKILL, 0}}, {"exit", {0, 77}},    {"quick-exit", {0, 77}},
};

}  // namespace

void CheckDeaths(const Runtime& runtime) {
  for (const std::string place : {"load", "prefill", "decode", "run-end", "destroy"}) {
    for (const auto& [name, death] : kEnds) ExpectDeath(runtime, {"fail " + place + " " + name}, death);
  }
  ExpectDeath(runtime, {"fail prefill hang"}, {SIGALRM, 0}, [](Model& model) {
    model.Init();
    EndSoon();
    model.Run("hi");
  });
  ExpectDeath(runtime, {"fail abort bus"}, {SIGBUS, 0}, [](Model& model) {
    model.on_event = [&model](const Event&) { return model.Call("rkllm_abort"); };
    InitRunDestroy(model);
  });
  ExpectDeath(runtime, {"init-false-success abrt"}, {SIGABRT, 0});
  ExpectDeath(runtime, {"init-false-success assert"}, {SIGABRT, 0});
  ExpectDeath(runtime, {"fail second-load segv"}, {0, 0});
  Model other(runtime, {});
  Expect(other.Init() == 0, "rkllm_init fails");
  ExpectDeath(runtime, {"fail second-load segv"}, {SIGSEGV, 0});
}

void CheckIdleDeaths(const Runtime& runtime) {
  const auto rest = [](Model& model) {
    model.Init();
    pause();
  };
  for (const auto& [name, death] : kEnds) ExpectDeath(runtime, {std::string("fail idle ") + name}, death, rest);
  ExpectDeath(runtime, {"fail idle segv"}, {SIGSEGV, 0}, [](Model& model) {
    model.Init();
    model.Run("hi");
    pause();
  });
  // Not before its time, and not while a call is made.
  ExpectDeath(runtime, {"prefill-ms 450", "fail idle segv 300"}, {0, 0});
  ExpectDeath(runtime, {"fail idle hang"}, {SIGALRM, 0}, [](Model& model) {
    WaitForIdleHang(model);
    model.Run("hi");
  });
  ExpectDeath(runtime, {"fail idle hang"}, {SIGALRM, 0}, [](Model& model) {
    WaitForIdleHang(model);
    model.Call("rkllm_release_prompt_cache");
  });
  ExpectDeath(runtime, {"fail idle hang"}, {SIGALRM, 0}, [](Model& model) {
    WaitForIdleHang(model);
    model.Destroy();
  });
}

void CheckWords(const Runtime& runtime) {
  for (const char* line :
       {"fail load sgv", "fail laod segv", "fail-as no-such", "print idle x", "init-false-success x"}) {
    Model model(runtime, {line});
    ExpectEqual(model.Init(), -1, std::string("rkllm_init with the line ") + line);
    Expect(model.Noted("violation: "), std::string(line) + " was not told");
  }
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

void Play(const Runtime& runtime, const std::vector<std::string>& script) {
  Model model(runtime, script);
  const auto say = [](const char* call, int code) {
    std::printf("%s %d\n", call, code);
    std::fflush(stdout);
  };
  const int code = model.Init();
  say("init", code);
  if (code != 0) return;
  say("run", model.Run("hi").code);
  say("destroy", model.Destroy());
}

}  // namespace self_test
