#include <cstdio>
#include <cstdlib>

#include "checks.h"

namespace self_test {
namespace {

// The last `prefill N reused M` of the journal.
std::string Prefill(const Model& model) {
  std::string last;
  for (const std::string& line : model.Journal()) {
    if (line.rfind("prefill", 0) == 0) last = line;
  }
  return last;
}

int Size(Model& model) {
  int sizes[8] = {-1};
  Expect(model.Call("rkllm_get_kv_cache_size", static_cast<int*>(sizes)) == 0, "no size");
  return sizes[0];
}

int Clear(const Runtime& runtime, Model& model, int keep_system) {
  if (!runtime.From(3)) return model.Call("rkllm_clear_kv_cache", keep_system);
  return model.Call("rkllm_clear_kv_cache", keep_system, static_cast<int*>(nullptr), static_cast<int*>(nullptr));
}

int SetTemplate(Model& model, const char* system, const char* prefix, const char* postfix) {
  return model.Call("rkllm_set_chat_template", system, prefix, postfix);
}

}  // namespace

void CheckHistory(const Runtime& runtime) {
  Model model(runtime, {"details", "token x", "token y"});
  Expect(model.Init() == 0, "rkllm_init fails");
  if (runtime.From(1)) SetTemplate(model, "", "", "");
  model.Run("a b c");
  ExpectEqual(Prefill(model), "prefill 3 reused 0", "the first run");
  model.Run("a b d e");
  ExpectEqual(Prefill(model), runtime.From(1) ? "prefill 2 reused 2" : "prefill 4 reused 0", "a common prefix");
  model.Run("a b d e x y f");
  ExpectEqual(Prefill(model), runtime.From(1) ? "prefill 1 reused 6" : "prefill 7 reused 0", "with what it generated");
  model.Run("a b d e x y f");
  ExpectEqual(Prefill(model), runtime.From(1) ? "prefill 1 reused 6" : "prefill 7 reused 0", "the same again");
  if (!runtime.From(1)) return;
  ExpectEqual(Clear(runtime, model, 0), 0, "rkllm_clear_kv_cache");
  model.KeepHistory(1);
  model.Run("a b");
  ExpectEqual(Prefill(model), "prefill 2 reused 0", "after a clear");
  model.Run("c");
  ExpectEqual(Prefill(model), "prefill 1 reused 4", "the second turn");
  if (runtime.From(3)) ExpectEqual(Size(model), 7, "the size");
  model.KeepHistory(0);
  model.Run("d");
  ExpectEqual(Prefill(model), "prefill 1 reused 7", "a turn that is not kept");
  model.Run("e");
  ExpectEqual(Prefill(model), "prefill 1 reused 7", "the next one");
  ExpectEqual(SetTemplate(model, "sys tem ", "", ""), 0, "rkllm_set_chat_template");
  if (runtime.From(3)) ExpectEqual(Size(model), 0, "the size after a new template");
  model.Run("e");
  ExpectEqual(Prefill(model), "prefill 3 reused 0", "after a new template");
  ExpectEqual(Clear(runtime, model, 1), 0, "rkllm_clear_kv_cache");
  if (runtime.From(3)) ExpectEqual(Size(model), 2, "the size of the system prompt");
  model.Run("f");
  ExpectEqual(Prefill(model), "prefill 1 reused 2", "with the system prompt kept");
  Expect(!model.Noted("violation"), "there was a violation");
}

void CheckTemplate(const Runtime& runtime) {
  if (runtime.From(3)) {
    Model strict(runtime, {"role-required"});
    Expect(strict.Init() == 0, "rkllm_init fails");
    ExpectEqual(strict.Run("hi").code, -1, "no role");
    strict.input.Set(0, "user");
    ExpectEqual(strict.Run("hi").code, 0, "a role");
  }
  Model model(runtime, {"details"});
  Expect(model.Init() == 0, "rkllm_init fails");
  ExpectEqual(model.Run("hi").Text(), runtime.From(1) ? "You said: [user] hi [assistant]" : "You said: hi", "the echo");
  if (runtime.From(3)) {
    model.input.Set<unsigned char>(8, 1);
    model.input.Set(0, "user");
    ExpectEqual(model.Run("hi").Text(), "You said: [user] hi [assistant] [think]", "the echo with thinking");
    model.input.Set<unsigned char>(8, 0);
    model.input.Set(0, "tool");
    ExpectEqual(model.Run("[1]").Text(), "You said: [tool] [1] [assistant]", "the echo of a tool");
    ExpectEqual(model.Run("one").code, -1, "a tool's response that is not JSON");
    model.input.Set(0, static_cast<const char*>(nullptr));
    ExpectEqual(model.Call("rkllm_set_function_tools", "S", "[{}]", "T"), 0, "rkllm_set_function_tools");
    ExpectEqual(model.Run("hi").Text(), "You said: [system] S [tools] [{}] [tag] T [user] hi [assistant]", "tools");
  }
  if (!runtime.From(1)) return;
  ExpectEqual(SetTemplate(model, "S ", "<", ">"), 0, "rkllm_set_chat_template");
  ExpectEqual(model.Run("hi").Text(), "You said: S <hi>", "the echo with a template");
  ExpectEqual(SetTemplate(model, "", "", ""), 0, "rkllm_set_chat_template");
  ExpectEqual(model.Run("hi").Text(), "You said: hi", "the echo without a template");
  Expect(SetTemplate(model, nullptr, "", "") == -1 && model.Noted("violation"), "a template of NULL was taken");
}

void CheckPromptCache(const Runtime& runtime) {
  Model model(runtime, {"details", "no-prefix-reuse", "token x"});
  Expect(model.Init() == 0, "rkllm_init fails");
  if (runtime.From(1)) SetTemplate(model, "", "", "");
  const std::string path = model.path() + ".cache";
  Memory cache(16);
  cache.Set<std::int32_t>(0, 1);
  cache.Set(8, path.c_str());
  model.infer.Set(16, cache.Data());
  model.Run("a b c");
  model.infer.Set<void*>(16, nullptr);
  ExpectEqual(model.Call("rkllm_load_prompt_cache", path.c_str()), 0, "rkllm_load_prompt_cache");
  model.Run("a b d");
  ExpectEqual(Prefill(model), "prefill 1 reused 2", "with a prompt cache");
  ExpectEqual(model.Call("rkllm_release_prompt_cache"), 0, "rkllm_release_prompt_cache");
  model.Run("a b d");
  ExpectEqual(Prefill(model), "prefill 3 reused 0", "without one");
  std::remove(path.c_str());
  ExpectEqual(model.Call("rkllm_load_prompt_cache", path.c_str()), -1, "a cache that is missing");
  ExpectEqual(model.Call("rkllm_load_prompt_cache", model.path().c_str()), -1, "a cache that is none");
  cache.Set<std::int32_t>(0, 2);
  model.infer.Set(16, cache.Data());
  Expect(model.Run("a").code == -1 && model.Noted("save_prompt_cache is neither"), "save_prompt_cache 2 was taken");
}

void CheckContext(const Runtime& runtime) {
  const int limit = runtime.From(3) ? 16 : 12;
  Model model(runtime, {"details", "token x", "repeat 40"});
  model.param.Set<std::int32_t>(8, 16);
  Expect(model.Init() == 0, "rkllm_init fails");
  if (runtime.From(1)) SetTemplate(model, "", "", "");
  std::string prompt;
  for (int i = 0; i < limit; ++i) prompt += std::to_string(i) + " ";
  ExpectEqual(model.Run(prompt).events.size(), 41U, "events beyond the context");
  if (runtime.From(3)) Expect(Size(model) <= 16, "the size is beyond the context");
  const Outcome refused = model.Run(prompt + "more");
  ExpectEqual(refused.code, -1, "a prompt that is too long");
  ExpectEqual(refused.States(), "", "its events");
  Expect(!model.Noted("violation"), "there was a violation");

  Model fixed(runtime, {"token x", "repeat 40", "no-context-shift"});
  fixed.param.Set<std::int32_t>(8, 16);
  Expect(fixed.Init() == 0, "rkllm_init fails");
  if (runtime.From(1)) SetTemplate(fixed, "", "", "");
  ExpectEqual(fixed.Run("1 2 3 4").events.size(), 14U, "events up to the context");

  for (const char* line : {"max-context 32", "context-step 48", "npu-cores 5"}) {
    if (!runtime.From(1) && line[0] == 'n') continue;
    Model small(runtime, {line, "details"});
    ExpectEqual(small.Init(), -1, std::string("rkllm_init with ") + line);
    Expect(small.Noted("refused: ") && !small.Noted("violation"), std::string(line) + " was not told");
  }
  Model exact(runtime, {"max-context 64"});
  ExpectEqual(exact.Init(), 0, "rkllm_init with the whole context");
}

void CheckPause(const Runtime& runtime) {
  Model model(runtime, {"details", "token a", "token b", "token c", "token d"});
  Expect(model.Init() == 0, "rkllm_init fails");
  if (runtime.From(1)) SetTemplate(model, "", "", "");
  model.on_event = [&](const Event& event) { return event.id == 1001 ? 1 : 0; };
  const Outcome outcome = model.Run("p q");
  ExpectEqual(outcome.States(), runtime.From(3) ? "00" : "00002", "the states of a pause");
  ExpectEqual(outcome.code, 0, "its code");
  if (!runtime.From(3)) return;
  ExpectEqual(Size(model), 4, "the size in a pause");
  int start[8] = {1};
  int end[8] = {3};
  const auto clear = [&] {
    return model.Call("rkllm_clear_kv_cache", 0, static_cast<int*>(start), static_cast<int*>(end));
  };
  ExpectEqual(clear(), 0, "to clear a range");
  ExpectEqual(Size(model), 2, "the size without it");
  model.on_event = [](const Event&) { return 0; };
  model.Run("p q");
  ExpectEqual(clear(), -1, "to clear a range without a pause");
  model.on_event = [](const Event&) { return 2; };
  model.Run("p q");
  Expect(model.Noted("the result callback returned 2"), "a wrong answer was not told");
}

}  // namespace self_test
