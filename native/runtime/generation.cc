#include "generation.h"

#include <algorithm>
#include <array>

namespace rkllm {
namespace {

constexpr const char* kSpoken = "1.1.0 to 1.1.4";
constexpr std::array<const char*, 5> kReleasesG1 = {"1.1.0", "1.1.1", "1.1.2", "1.1.3", "1.1.4"};

// All that 1.1.x exports. Releases from 1.2.0 on have these too.
constexpr std::array<const char*, 10> kSymbolsG1 = {"rkllm_createDefaultParam",
                                                    "rkllm_init",
                                                    "rkllm_load_lora",
                                                    "rkllm_load_prompt_cache",
                                                    "rkllm_release_prompt_cache",
                                                    "rkllm_destroy",
                                                    "rkllm_run",
                                                    "rkllm_run_async",
                                                    "rkllm_abort",
                                                    "rkllm_is_running"};

using Evidence = std::vector<std::pair<std::string, std::string>>;

std::string MissingSymbols(const Library& library) {
  std::string missing;
  for (const char* symbol : kSymbolsG1) {
    if (library.Has(symbol)) continue;
    if (!missing.empty()) missing += ", ";
    missing += symbol;
  }
  return missing;
}

Error Unsupported(const std::string& found, Evidence evidence) {
  return {ErrorCode::kRuntimeUnsupported,
          "The runtime is not of a release that this version of rkllm speaks (" + std::string(kSpoken) + "): " + found,
          std::move(evidence)};
}

}  // namespace

Result<Generation> Identify(const Library& library) {
  const std::string missing = MissingSymbols(library);
  const std::string& version = library.version();
  Evidence evidence = {{"path", library.path()},
                       {"version", version.empty() ? "not stated in the file" : version},
                       {"missingSymbols", missing.empty() ? "none" : missing},
                       {"supported", kSpoken}};

  if (!library.Has("rkllm_init") || !library.Has("rkllm_run")) {
    return Error{ErrorCode::kRuntimeInvalid,
                 "The file is a shared library but not librkllmrt: it does not export " + missing + ".",
                 std::move(evidence)};
  }
  if (library.Has("rkllm_clear_kv_cache")) {
    evidence.emplace_back("newerSymbol", "rkllm_clear_kv_cache");
    const std::string release = version.empty() ? "1.2.0 or later" : version;
    return Unsupported("it exports rkllm_clear_kv_cache, so it is " + release + ".", std::move(evidence));
  }
  if (!library.Has("rkllm_run_async")) {
    return Unsupported("it exports no rkllm_run_async, so it is 1.0.x.", std::move(evidence));
  }
  if (!missing.empty()) {
    return Error{ErrorCode::kRuntimeInvalid, "The runtime is incomplete: it does not export " + missing + ".",
                 std::move(evidence)};
  }
  const bool version_fits =
      version.empty() || std::find(kReleasesG1.begin(), kReleasesG1.end(), version) != kReleasesG1.end();
  if (!version_fits) {
    return Unsupported("its symbols are those of 1.1.x, but the file says that it is " + version + ".",
                       std::move(evidence));
  }
  return Generation::kG1;
}

}  // namespace rkllm
