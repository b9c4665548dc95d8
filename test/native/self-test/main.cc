// self-test LIBRARY VERSION [zeroed | flood | play LINE...]: drives a fake runtime and says what it does not do as
// documented. VERSION is one of shape.h's. Exit code 0 when all is well.
#include <cstdio>
#include <string>

#include "checks.h"

namespace {

using self_test::Runtime;

int RunAll(const Runtime& runtime, bool zeroed) {
  const struct {
    const char* name;
    void (*run)(const Runtime& runtime);
  } checks[] = {
      {"promises", self_test::CheckPromises},
      {"runs", self_test::CheckRuns},
      {"ends", self_test::CheckEnds},
      {"text", self_test::CheckText},
      {"aborts", self_test::CheckAborts},
      {"history", self_test::CheckHistory},
      {"template", self_test::CheckTemplate},
      {"prompt cache", self_test::CheckPromptCache},
      {"context", self_test::CheckContext},
      {"pause", self_test::CheckPause},
      {"inputs", self_test::CheckInputs},
      {"multimodal", self_test::CheckMultimodal},
      {"payloads", self_test::CheckPayloads},
      {"lora", self_test::CheckLora},
      {"cross attention", self_test::CheckCrossAttention},
      {"batch", self_test::CheckBatch},
      {"model callbacks", self_test::CheckModelCallbacks},
      {"deaths", self_test::CheckDeaths},
      {"deaths while idle", self_test::CheckIdleDeaths},
      {"words", self_test::CheckWords},
  };
  std::printf("defaults\n");
  CheckDefaults(runtime, zeroed);
  for (const auto& check : checks) {
    std::printf("%s\n", check.name);
    check.run(runtime);
  }
  return self_test::Failures() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string version = argc >= 3 ? argv[2] : "";
  const std::string what = argc >= 4 ? argv[3] : "";
  for (const self_test::Shape& shape : self_test::kShapes) {
    if (version != shape.version) continue;
    const Runtime runtime(argv[1], shape);
    if (what == "play") {
      self_test::Play(runtime, {argv + 4, argv + argc});
    } else if (what == "flood") {
      self_test::MeasureFlood(runtime);
    } else {
      return RunAll(runtime, what == "zeroed");
    }
    return self_test::Failures();
  }
  std::fprintf(stderr, "usage: self-test LIBRARY VERSION [zeroed | flood | play LINE...]\n");
  return 2;
}
