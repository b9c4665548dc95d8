#include <cstdlib>

#include "checks.h"

namespace self_test {

void CheckDefaults(const Runtime& runtime, bool zeroed) {
  const Shape& shape = runtime.GetShape();
  for (const char* cpus : {"8", "4", "2"}) {
    setenv("FAKE_RKLLM_CPUS", cpus, 1);
    const std::vector<unsigned char> bytes = runtime.Defaults();
    std::size_t last = bytes.size();
    while (last > 0 && bytes[last - 1] == 0xAA) --last;
    const std::size_t wanted = zeroed                                ? shape.param_size - 1
                               : *cpus == '2' && shape.mask != kNone ? shape.default_end_without_mask
                                                                     : shape.default_end;
    ExpectEqual(last - 1, wanted, std::string("the last byte of the defaults on CPUs ") + cpus);
    float top_p = 0;
    std::memcpy(&top_p, bytes.data() + shape.top_p, 4);
    Expect(top_p == 0.9F, "top_p is not where it has to be");
    if (shape.mask == kNone) continue;
    std::uint32_t mask = 0;
    std::memcpy(&mask, bytes.data() + shape.mask, 4);
    const std::uint32_t unset = zeroed ? 0 : 0xAAAAAAAA;
    ExpectEqual(mask, *cpus == '8' ? 0xF0 : *cpus == '4' ? 0x0F : unset, "the CPU mask");
  }
  unsetenv("FAKE_RKLLM_CPUS");
}

namespace {

// One wrong value has to be told, and rkllm_init fails.
void ExpectRefused(const Runtime& runtime, const std::string& why, const std::function<void(Model&)>& spoil) {
  Model model(runtime, {});
  spoil(model);
  ExpectEqual(model.Init(), -1, "rkllm_init with " + why);
  Expect(model.Noted("violation: "), why + " was not told");
}

void ExpectRunRefused(const Runtime& runtime, const std::string& why, const std::function<void(Model&)>& spoil) {
  Model model(runtime, {"token a"});
  ExpectEqual(model.Init(), 0, "rkllm_init");
  model.SetData(0, "hi");
  spoil(model);
  const Outcome outcome = model.RunPrepared();
  ExpectEqual(outcome.code, -1, "rkllm_run with " + why);
  ExpectEqual(outcome.States(), "", "the events with " + why);
  Expect(model.Noted("violation: "), why + " was not told");
}

}  // namespace

void CheckPromises(const Runtime& runtime) {
  const Shape& shape = runtime.GetShape();
  for (std::size_t i = shape.reserved; i < shape.param_size; ++i) {
    ExpectRefused(runtime, "byte " + std::to_string(i), [&](Model& m) { m.param.Set<unsigned char>(i, 1); });
  }
  ExpectRefused(runtime, "is_async", [&](Model& m) { m.param.Set<unsigned char>(shape.is_async, 1); });
  ExpectRefused(runtime, "padding", [&](Model& m) { m.param.Set<unsigned char>(shape.is_async + 1, 1); });
  ExpectRefused(runtime, "a boolean 2", [&](Model& m) { m.param.Set<unsigned char>(shape.skip_special, 2); });
  ExpectRefused(runtime, "top_k 0", [&](Model& m) { m.param.Set<std::int32_t>(16, 0); });
  ExpectRefused(runtime, "top_p 7", [&](Model& m) { m.param.Set<float>(shape.top_p, 7); });
  ExpectRefused(runtime, "a callback of data",
                [&](Model& m) { m.callback_override = runtime.From(4) ? m.input.Data() : m.param.Data(); });
  if (runtime.From(4)) {
    ExpectRefused(runtime, "a function", [&](Model& m) { m.callback_override = reinterpret_cast<void*>(&CheckRuns); });
    ExpectRefused(runtime, "a tokenizer of data", [&](Model& m) { m.callback.Set(16, m.param.Data()); });
    ExpectRunRefused(runtime, "top_k -1", [&](Model& m) {
      m.sampling.Set<std::int32_t>(0, -1);
      m.infer.Set(shape.sampling, m.sampling.Data());
    });
  }
  if (shape.mask != kNone) {
    ExpectRefused(runtime, "another mask", [&](Model& m) { m.param.Set<std::uint32_t>(shape.mask, 0xF8); });
    ExpectRefused(runtime, "no CPUs", [&](Model& m) { m.param.Set<unsigned char>(shape.cpus, 0); });
    ExpectRefused(runtime, "padding", [&](Model& m) { m.param.Set<unsigned char>(shape.cpus + 1, 1); });
  }
  ExpectRunRefused(runtime, "type 4", [&](Model& m) { m.input.Set<std::int32_t>(shape.type, 4); });
  ExpectRunRefused(runtime, "no prompt", [&](Model& m) { m.SetData(0, nullptr); });
  ExpectRunRefused(runtime, "a full union", [&](Model& m) { m.input.Set<unsigned char>(shape.input_size - 1, 1); });
  ExpectRunRefused(runtime, "padding", [&](Model& m) { m.input.Set<unsigned char>(shape.type == 0 ? 4 : 9, 1); });
  ExpectRunRefused(runtime, "mode 3", [&](Model& m) { m.Mode(3); });
  ExpectRunRefused(runtime, "padding of infer", [&](Model& m) { m.infer.Set<std::int32_t>(4, 1); });
  if (!runtime.From(1)) ExpectRunRefused(runtime, "mode 2", [&](Model& m) { m.Mode(2); });
  if (runtime.From(1)) ExpectRunRefused(runtime, "history 2", [&](Model& m) { m.KeepHistory(2); });
  if (runtime.From(3)) {
    ExpectRunRefused(runtime, "role system", [&](Model& m) { m.input.Set(0, "system"); });
    ExpectRunRefused(runtime, "thinking 2", [&](Model& m) { m.input.Set<unsigned char>(8, 2); });
  }
  Model model(runtime, {});
  ExpectEqual(model.Init(), 0, "rkllm_init");
  ExpectEqual(
      model.Call("rkllm_run", static_cast<void*>(nullptr), static_cast<void*>(nullptr), static_cast<void*>(nullptr)),
      -1, "a run of NULL");
  Expect(model.Noted("RKLLMInferParam: is NULL"), "infer parameters of NULL were not told");
  Expect(runtime.Symbol<int(void*)>("rkllm_is_running")(nullptr) == -1, "NULL runs");
  ExpectEqual(model.Call("rkllm_is_running"), 0, "rkllm_is_running");
  ExpectEqual(model.Call("rkllm_run_async", static_cast<void*>(nullptr), static_cast<void*>(nullptr),
                         static_cast<void*>(nullptr)),
              -1, "rkllm_run_async");
}

void CheckRuns(const Runtime& runtime) {
  Model model(runtime, {"token Hello", "id 7", "token  world", "null", "waiting", R"(waiting-text \xe2)"});
  ExpectEqual(model.Init(), 0, "rkllm_init");
  const Outcome outcome = model.Run("hi there");
  ExpectEqual(outcome.code, 0, "rkllm_run");
  ExpectEqual(outcome.States(), "000112", "the states");
  ExpectEqual(outcome.Text(), "Hello world\xe2", "the text");
  if (outcome.events.size() != 6) return;
  ExpectEqual(outcome.events[0].id, 1000, "the first id");
  ExpectEqual(outcome.events[1].id, 7, "the second id");
  Expect(!outcome.events[2].has_text && !outcome.events[3].has_text, "there is a text");
  Expect(!outcome.events[5].has_text && outcome.events[0].own_thread, "FINISH has a text, or another thread it was");
  if (runtime.From(3)) {
    ExpectEqual(outcome.events[5].generate_tokens, 4, "perf.generate_tokens");
    ExpectEqual(outcome.events[5].prefill_tokens, 4, "perf.prefill_tokens");
  }
  const std::vector<std::string> journal = model.Journal();
  ExpectEqual(journal.size(), 3U, "the length of the journal");
  Expect(journal[0].find("init max_context_len=64 max_new_tokens=-1 top_k=40 ") == 0, "the journal has another init");
  Expect(journal[1] == "run hi there" && journal[2] == "run-end 0", "the journal has another run");
  // One buffer for all texts, overwritten after every callback.
  const char* buffer = nullptr;
  model.on_event = [&](const Event& event) {
    Expect(buffer == nullptr || *buffer == '#', "the text was not overwritten");
    (void)event;
    return 0;
  };
  model.Run("hi");
}

void CheckEnds(const Runtime& runtime) {
  const auto run = [&](const std::vector<std::string>& script) {
    std::vector<std::string> all = {"token a", "token b"};
    all.insert(all.end(), script.begin(), script.end());
    Model model(runtime, all);
    Expect(model.Init() == 0, "rkllm_init fails");
    return model.Run("hi");
  };
  ExpectEqual(run({"no-finish"}).States(), "00", "no-finish");
  ExpectEqual(run({"silent", "run-code -1"}).States(), "", "silent");
  ExpectEqual(run({"run-code -1"}).code, -1, "run-code");
  ExpectEqual(run({"error-after 1"}).States(), "03", "error-after");
  ExpectEqual(run({"error-after 9"}).States(), "003", "error-after more than there are");
  ExpectEqual(run({"extra-state 9"}).States(), "90902", "extra-state");
  ExpectEqual(run({"after-finish 2"}).States(), "00200", "after-finish");
  ExpectEqual(run({"repeat 3"}).States(), "0000002", "repeat");
  ExpectEqual(run({"repeat 0"}).States(), "2", "repeat 0");
  Expect(!run({"null-result"}).events.back().has_result, "null-result has one");
  Expect(!run({"foreign-thread"}).events.front().own_thread, "foreign-thread is the same");
  ExpectEqual(run({"finish-last-id"}).events.back().id, 1001, "the id at FINISH");
  ExpectEqual(run({"finish-id -1"}).events.back().id, -1, "the id at FINISH");
  const Outcome null = run({"eos null", "eos-id 5"});
  ExpectEqual(null.States(), "0002", "eos null");
  Expect(null.events.size() == 4 && !null.events[2].has_text && null.events[2].id == 5, "eos null is something else");
  Expect(run({"eos empty"}).events[2].has_text, "eos empty has no text");

  Model late(runtime, {"token a", "late-event 100", "details"});
  Expect(late.Init() == 0, "rkllm_init fails");
  ExpectEqual(late.Run("hi").States(), "02", "the states before a late event");
  late.Destroy();
  ExpectEqual(late.Received().States(), "020", "the states after it");

  Model several(runtime, {"token a", "next-reply", "token b"});
  Expect(several.Init() == 0, "rkllm_init fails");
  for (const char* text : {"a", "b", "b"}) ExpectEqual(several.Run("hi").Text(), text, "one of several replies");

  Model limited(runtime, {"token a", "endless"});
  limited.param.Set<std::int32_t>(12, 3);
  Expect(limited.Init() == 0, "rkllm_init fails");
  ExpectEqual(limited.Run("hi").States(), "0002", "max_new_tokens");
  if (!runtime.From(4)) return;
  limited.infer.Set<std::int32_t>(runtime.GetShape().max_new_tokens, 5);
  limited.infer.Set(runtime.GetShape().sampling, limited.sampling.Data());
  ExpectEqual(limited.Run("hi").States(), "000002", "max_new_tokens of a run");
  Model ignoring(runtime, {"token a", "eos null"});
  ignoring.param.Set<unsigned char>(57, 1);
  ignoring.param.Set<std::int32_t>(12, 4);
  Expect(ignoring.Init() == 0, "rkllm_init fails");
  ExpectEqual(ignoring.Run("hi").Text(), "aaaa", "the text with ignore_eos_token");
}

void CheckText(const Runtime& runtime) {
  const auto run = [&](const std::string& line) {
    Model model(runtime, {line});
    Expect(model.Init() == 0, "rkllm_init fails");
    return model.Run("hi");
  };
  ExpectEqual(run("bytes \xc3\xa4x").States(), "0002", "bytes");
  ExpectEqual(run("characters \xe2\x82\xac!").States(), "11002", "characters");
  ExpectEqual(run("characters \xe2\x82\xac!").Text(), "\xe2\x82\xac!", "the text of characters");
  ExpectEqual(run(R"(fill 65536 \xff)").Text(), std::string(65536, '\xff'), "a large text");
  ExpectEqual(run(R"(token \x01\n\\)").Text(), "\x01\n\\", "control characters");
}

void CheckAborts(const Runtime& runtime) {
  const auto run = [&](const std::vector<std::string>& script) {
    std::vector<std::string> all = {"token a", "endless"};
    all.insert(all.end(), script.begin(), script.end());
    Model model(runtime, all);
    Expect(model.Init() == 0, "rkllm_init fails");
    model.on_event = [&](const Event& event) {
      if (model.Received().events.size() == 3) ExpectEqual(model.Call("rkllm_abort"), 0, "rkllm_abort");
      if (model.Received().events.size() == 2) ExpectEqual(model.Call("rkllm_is_running"), 1, "rkllm_is_running");
      (void)event;
      return 0;
    };
    return model.Run("hi");
  };
  ExpectEqual(run({}).States(), "0002", "an abort");
  ExpectEqual(run({}).code, 0, "the code of an abort");
  ExpectEqual(run({"abort-code -1"}).code, -1, "abort-code");
  ExpectEqual(run({"after-abort 2"}).States(), "000002", "after-abort");
  ExpectEqual(run({"abort-no-finish"}).States(), "000", "abort-no-finish");
  ExpectEqual(run({"abort-error"}).States(), "0003", "abort-error");
  Expect(run({"abort-delay-ms 5"}).events.size() > 4, "abort-delay-ms has no effect");
  ExpectEqual(run({"repeat 6", "abort-ignored"}).States(), "0000002", "abort-ignored");

  for (const bool sticks : {false, true}) {
    Model model(runtime, {"token a", "abort-idle-code -1", sticks ? "abort-idle-sticks" : "repeat 1"});
    Expect(model.Init() == 0, "rkllm_init fails");
    ExpectEqual(model.Call("rkllm_abort"), -1, "rkllm_abort with nothing running");
    ExpectEqual(model.Run("hi").States(), sticks ? "2" : "02", "the run after it");
    Expect(model.Noted("abort-idle"), "it was not told");
  }
}

}  // namespace self_test
