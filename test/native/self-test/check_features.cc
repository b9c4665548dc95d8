#include "checks.h"

namespace self_test {

void CheckInputs(const Runtime& runtime) {
  Model model(runtime, {"details", "embed-dim 4"});
  Expect(model.Init() == 0, "rkllm_init fails");
  const std::vector<std::int32_t> ids = {5, 6, 7};
  model.SetData(1, ids.data(), ids.size());
  ExpectEqual(model.RunPrepared().Text(), "Tokens: 5 6 7", "the echo of tokens");
  Expect(model.Noted("run 3 tokens"), "the tokens were not told");
  const std::vector<float> floats(8, 0.5F);
  model.SetData(2, floats.data(), 2);
  ExpectEqual(model.RunPrepared().Text(), "Embeddings: 2", "the echo of embeddings");
  Expect(model.Noted("run 2 embeddings") && model.Noted("prefill 2 reused 0"), "the embeddings were not told");
  model.RunPrepared();
  Expect(model.Noted("prefill 1 reused 1") == runtime.From(3), "embeddings are recognized, or not");
  Expect(!model.Noted("violation"), "there was a violation");
  model.SetData(1, ids.data(), 0);
  Expect(model.RunPrepared().code == -1 && model.Noted("n_tokens is 0"), "no tokens were taken");
}

void CheckMultimodal(const Runtime& runtime) {
  const Shape& shape = runtime.GetShape();
  Model model(runtime, {"details", "embed-dim 2"});
  Expect(model.Init() == 0, "rkllm_init fails");
  const std::vector<float> floats = {1, 2, 3, 4, 5, 6};
  const std::vector<float> frames(16, 7);
  const std::size_t at = shape.data;
  model.input.Set<std::int32_t>(shape.type, 3);
  model.input.Set(at, "see <image> now");
  model.input.Set(at + 8, floats.data());
  model.input.Set<std::size_t>(at + 16, 3);
  if (runtime.From(2)) {
    ExpectEqual(model.RunPrepared().code, -1, "an image without n_image");
    Expect(!model.Noted("violation"), "it was a violation");
    model.input.Set<std::size_t>(at + 24, 1);
  }
  if (runtime.From(4)) {
    for (std::size_t i = 0; i < 3; ++i) model.input.Set(at + 32 + 8 * i, "t");
  }
  const Outcome outcome = model.RunPrepared();
  ExpectEqual(outcome.code, 0, "a run with an image");
  Expect(model.Noted("media image count=1 tokens=3 first=1.000000 last=6") || model.Noted("first=1 last=6"),
         "the image was not told");
  Expect(model.Noted(runtime.From(1) ? "prefill 9 " : "prefill 7 "), "the image was not counted");
  if (runtime.From(4)) {
    model.input.Set(at, "<image> <video>");
    model.input.Set(at + 72, frames.data());
    for (std::size_t i = 0; i < 3; ++i) {
      model.input.Set<std::size_t>(at + 80 + 8 * i, i == 2 ? 1 : 2);
      model.input.Set(at + 104 + 8 * i, "v");
    }
    ExpectEqual(model.RunPrepared().code, 0, "a run with a video");
    Expect(model.Noted("media video count=1 tokens=4 first=7 last=7 frames=2"), "the video was not told");
  }
  if (runtime.From(5)) {
    model.input.Set(at, "<image> <video> <audio>");
    model.input.Set(at + 144, floats.data());
    model.input.Set<std::size_t>(at + 152, 2);
    model.input.Set<std::size_t>(at + 160, 1);
    for (std::size_t i = 0; i < 3; ++i) model.input.Set(at + 168 + 8 * i, "a");
    ExpectEqual(model.RunPrepared().code, 0, "a run with an audio");
    Expect(model.Noted("media audio count=1 tokens=2 first=1 last=4"), "the audio was not told");
  }
  Expect(!model.Noted("violation"), "there was a violation");
  model.input.Set(at, "two <image> <image>");
  Expect(model.RunPrepared().code == -1 && model.Noted("holds 2 of <image>"), "a stray tag was taken");
}

void CheckPayloads(const Runtime& runtime) {
  for (const int mode : {1, 2}) {
    if (mode == 2 && !runtime.From(1)) continue;
    const auto run = [&](const std::vector<std::string>& script) {
      std::vector<std::string> all = {"embed-dim 3", "vocab 3"};
      all.insert(all.end(), script.begin(), script.end());
      Model model(runtime, all);
      Expect(model.Init() == 0, "rkllm_init fails");
      if (runtime.From(1)) model.Call("rkllm_set_chat_template", "", "", "");
      model.Mode(mode);
      return model.Run("a b");
    };
    const std::string state = runtime.From(1) ? "0" : "4";
    const Outcome outcome = run({});
    ExpectEqual(outcome.States(), state + "2", "the states");
    const Event& event = outcome.events.front();
    ExpectEqual(event.rows, 2, "the rows");
    ExpectEqual(event.values.size(), 6U, "the values");
    if (event.values.size() == 6) ExpectEqual(event.values[5], mode == 2 ? 5.5F : 5.0F, "the last value");
    Expect(!event.has_text && outcome.events[1].values.empty(), "there is a text, or FINISH has values");
    ExpectEqual(run({"payload-no-finish"}).States(), state, "payload-no-finish");
    ExpectEqual(run({"payload-bare-first"}).States(), "0" + state + "2", "payload-bare-first");
    ExpectEqual(run({"payload-repeat 2"}).States(), state + state + "2", "payload-repeat");
    Expect(run({"payload-null"}).events.front().values.empty(), "payload-null has values");
  }
  if (!runtime.From(4)) return;
  Model model(runtime, {"details"});
  Expect(model.Init() == 0, "rkllm_init fails");
  model.Mode(1);
  model.on_event = [](const Event& event) { return event.state == 0 ? 2 : 0; };
  ExpectEqual(model.Run("a").code, 0, "a run whose buffer is released");
  Expect(model.Noted("payload released") && !model.Noted("violation"), "the release was not told");
}

void CheckLora(const Runtime& runtime) {
  Model model(runtime, {"token a", "details"});
  Expect(model.Init() == 0, "rkllm_init fails");
  Memory adapter(24);
  const std::string path = model.path();
  adapter.Set(0, path.c_str());
  adapter.Set(8, "style");
  adapter.Set(16, 0.5F);
  Memory choice(8);
  choice.Set(0, "style");
  model.infer.Set(8, choice.Data());
  ExpectEqual(model.Run("hi").code, -1, "an adapter that is not loaded");
  ExpectEqual(model.Call("rkllm_load_lora", adapter.Data()), 0, "rkllm_load_lora");
  ExpectEqual(model.Run("hi").code, 0, "an adapter that is loaded");
  Expect(model.Noted(R"(load-lora "style" ")" + path) && model.Noted("scale=0.5"), "the adapter was not told");
  model.infer.Set<void*>(8, nullptr);
  model.Run("hi");
  Expect(!model.Noted("reused 1") && !model.Noted("violation"), "one adapter reuses what another has computed");
  adapter.Set(0, "/no/such/file");
  ExpectEqual(model.Call("rkllm_load_lora", adapter.Data()), -1, "a file that is missing");
  adapter.Set<std::int32_t>(20, 1);
  Expect(model.Call("rkllm_load_lora", adapter.Data()) == -1 && model.Noted("padding"), "padding was taken");
}

void CheckCrossAttention(const Runtime& runtime) {
  if (!runtime.From(3)) return;
  const std::vector<float> floats(4, 1);
  const std::vector<std::int32_t> places = {0, 1, 2, 3};
  Memory params(40);
  for (std::size_t i = 0; i < 3; ++i) params.Set(8 * i, floats.data());
  params.Set(24, places.data());
  params.Set<std::int32_t>(32, 4);
  for (const int use : {0, 1}) {
    Model model(runtime, {});
    model.param.Set(runtime.GetShape().n_batch + 1, static_cast<unsigned char>(use));
    Expect(model.Init() == 0, "rkllm_init fails");
    ExpectEqual(model.Call("rkllm_set_cross_attn_params", params.Data()), use - 1, "rkllm_set_cross_attn_params");
    Expect(model.Noted("set-cross-attn 4 mask=1.000000..1.000000 pos=0..3"), "the parameters were not told");
    ExpectEqual(model.Call("rkllm_set_cross_attn_params", static_cast<void*>(nullptr)), 0, "NULL");
    Expect(!model.Noted("violation"), "there was a violation");
  }
}

void CheckBatch(const Runtime& runtime) {
  if (!runtime.From(3)) return;
  const Shape& shape = runtime.GetShape();
  Model model(runtime, {"details"});
  model.param.Set<std::uint8_t>(shape.n_batch, 2);
  Expect(model.Init() == 0, "rkllm_init fails");
  model.Call("rkllm_set_chat_template", "", "", "");
  Memory inputs(2 * shape.input_size);
  inputs.Set(shape.data, "one two");
  inputs.Set(shape.input_size + shape.data, "one");
  model.input = inputs;
  const Outcome outcome = model.RunPrepared();
  ExpectEqual(outcome.code, 0, "a batch");
  ExpectEqual(outcome.Text(), "You said: one two", "the first row");
  ExpectEqual(outcome.States(), "00002", "the states");
  if (outcome.events.size() == 5) ExpectEqual(outcome.events[3].batch_ids[1], -1, "the id of a row that has ended");
  Expect(model.Noted("run one two | one"), "the rows were not told");
  int sizes[2] = {0, 0};
  ExpectEqual(model.Call("rkllm_get_kv_cache_size", static_cast<int*>(sizes)), 0, "rkllm_get_kv_cache_size");
  Expect(sizes[0] == 6 && sizes[1] == 4, "the sizes are others");
  model.Mode(2);
  ExpectEqual(model.RunPrepared().code, -1, "logits of a batch");

  Model scripted(runtime, {"token a", "next-row", "token b", "token c"});
  scripted.param.Set<std::uint8_t>(shape.n_batch, 2);
  Expect(scripted.Init() == 0, "rkllm_init fails");
  scripted.input = inputs;
  const Outcome rows = scripted.RunPrepared();
  ExpectEqual(rows.Text(), "a", "the first row of a script");
  ExpectEqual(rows.States(), "002", "the states of rows of different length");
}

namespace {

int tokenizer_answer = 0;

int Tokenize(void* userdata, const char* text, std::int32_t length, std::int32_t* tokens, std::int32_t limit) {
  Expect(*static_cast<int*>(userdata) == 1 && std::string(text).size() == static_cast<std::size_t>(length), "wrong");
  for (int i = 0; i < tokenizer_answer && i < limit; ++i) tokens[i] = 30 + i;
  return tokenizer_answer;
}

int EmbedTokens(void* userdata, std::int32_t* tokens, std::uint64_t count, void* embed, std::uint64_t size) {
  const int& answer = *static_cast<int*>(userdata);
  const std::uint64_t width = size / 4 / count;
  for (std::uint64_t i = 0; i < count * width && answer != 2; ++i) {
    const std::uint64_t row = i / width;
    static_cast<float*>(embed)[i] = static_cast<float>(tokens[row]);
  }
  return answer < 0 ? answer : 0;
}

}  // namespace

void CheckModelCallbacks(const Runtime& runtime) {
  if (!runtime.From(4)) return;
  int one = 1;
  int answer = 0;
  Model model(runtime, {"details", "no-tokenizer", "no-embedding", "embed-dim 2", "embed-chunk 2"});
  model.callback.Set(16, &Tokenize);
  model.callback.Set(24, &one);
  model.callback.Set(32, &EmbedTokens);
  model.callback.Set(40, &answer);
  Expect(model.Init() == 0, "rkllm_init fails");
  tokenizer_answer = 3;
  const Outcome outcome = model.Run("hi");
  ExpectEqual(outcome.States(), "0002", "the states");
  Expect(outcome.events.size() == 4 && outcome.events[2].id == 32 && outcome.Text().empty(), "other tokens came back");
  Expect(model.Noted(R"(tokenized "[user] hi [assistant]" to 3)"), "the tokenizer was not asked");
  Expect(model.Noted("embedded 2 first=30.0") && model.Noted("embedded 1 first=32.0"), "the embedding was not asked");
  Expect(!model.Noted("violation"), "there was a violation");
  answer = -1;
  ExpectEqual(model.Run("hi").code, -1, "an embedding that fails");
  answer = 2;
  model.Run("hi");
  Expect(model.Noted("has not written all floats"), "it was not told");
  tokenizer_answer = -5;
  ExpectEqual(model.Run("hi").code, -1, "a tokenizer that fails");
  Model hiding(runtime, {"no-tokenizer", "unanswered-code 0"});
  hiding.callback.Set(16, &Tokenize);
  hiding.callback.Set(24, &one);
  Expect(hiding.Init() == 0, "rkllm_init fails");
  const Outcome hidden = hiding.Run("hi");
  Expect(hidden.code == 0 && hidden.events.empty(), "the failure is not hidden");
  Model deaf(runtime, {"token a", "no-embedding", "unanswered-ignored"});
  answer = -1;
  deaf.callback.Set(32, &EmbedTokens);
  deaf.callback.Set(40, &answer);
  Expect(deaf.Init() == 0, "rkllm_init fails");
  ExpectEqual(deaf.Run("hi").Text(), "a", "the reply without an embedding");
  Model without(runtime, {"no-tokenizer"});
  Expect(without.Init() == 0, "rkllm_init fails");
  ExpectEqual(without.Run("hi").code, -1, "a tokenizer that is missing");
  Model early(runtime, {"details", "ask-at-init"});
  early.callback.Set(16, &Tokenize);
  early.callback.Set(24, &one);
  ExpectEqual(early.Init(), -1, "rkllm_init with a tokenizer that fails");
  tokenizer_answer = 3;
  Expect(early.Init() == 0 && early.Noted(R"(tokenized "</s>" to 3)"), "the tokenizer was not asked");
}

}  // namespace self_test
