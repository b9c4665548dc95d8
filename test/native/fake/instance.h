// A model that rkllm_init has made.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "arguments.h"
#include "callbacks.h"
#include "chat.h"
#include "idle_watch.h"
#include "kv_cache.h"
#include "script.h"

namespace fake {

struct Instance {
  Script script;
  InitArguments arguments;
  Callbacks callbacks;
  const char* model_path = nullptr;  // the caller's
  std::atomic<bool> running{false};
  std::atomic<bool> aborted{false};
  std::atomic<bool> leaving{false};  // running, but too late for an abort

  // Touched by whoever has set `running`.
  std::vector<KvCache> kv;  // of each row of the batch
  Chat chat;
  std::size_t system_tokens = 0;  // of the last run
  bool paused = false;            // the last run, by its callback, with keep_history == 0
  std::size_t runs = 0;
  std::map<std::string, float> loras;
  std::string active_lora;  // of the content of `kv`
  std::vector<Token> prompt_cache;
  bool cross_attn = false;

  std::mutex threads_mutex;
  std::vector<std::thread> threads;  // of late events and of rkllm_run_async; joined by rkllm_destroy

  IdleWatch idle;
};

// The instance of a live handle; another one is a violation, reported for `function`.
Instance* Find(void* handle, const char* function);

void* Enlist(Instance* instance);  // makes a handle live
void Delist(Instance* instance);
bool AnyLive();

// Takes the instance for a call that may not coincide with a run or with another such call.
class Exclusive {
 public:
  Exclusive(void* handle, const char* function);
  ~Exclusive();
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

  explicit operator bool() const { return instance_ != nullptr; }
  Instance* operator->() const { return instance_; }
  Instance& operator*() const { return *instance_; }

 private:
  Instance* instance_;
};

void Details(const Instance& instance, const std::string& line);

}  // namespace fake
