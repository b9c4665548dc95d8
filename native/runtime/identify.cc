#include "identify.h"

#include <array>
#include <utility>

#include "default_param.h"

namespace rkllm {
namespace {

struct Symbol {
  const char* name;
  GenerationSet exported_by;
};

constexpr GenerationSet kFromG2 = SetFrom(Generation::kG2);
constexpr GenerationSet kFromG3 = SetFrom(Generation::kG3);

// All that the releases document.
constexpr std::array<Symbol, 15> kSymbols = {{{"rkllm_createDefaultParam", kAllGenerations},
                                              {"rkllm_init", kAllGenerations},
                                              {"rkllm_load_lora", kAllGenerations},
                                              {"rkllm_load_prompt_cache", kAllGenerations},
                                              {"rkllm_release_prompt_cache", kAllGenerations},
                                              {"rkllm_destroy", kAllGenerations},
                                              {"rkllm_run", kAllGenerations},
                                              {"rkllm_run_async", kAllGenerations},
                                              {"rkllm_abort", kAllGenerations},
                                              {"rkllm_is_running", kAllGenerations},
                                              {"rkllm_clear_kv_cache", kFromG2},
                                              {"rkllm_set_chat_template", kFromG2},
                                              {"rkllm_get_kv_cache_size", kFromG3},
                                              {"rkllm_set_function_tools", kFromG3},
                                              {"rkllm_set_cross_attn_params", kFromG3}}};

struct Symbols {
  GenerationSet possible = kAllGenerations;
  std::string missing;  // of those that a library with the others should have
  std::string found;    // in words
};

void AddTo(std::string& list, const char* name) { list += (list.empty() ? "" : ", ") + std::string(name); }

Symbols LookUp(const Library& library) {
  Symbols symbols;
  GenerationSet suggested = kAllGenerations;
  std::string newer;
  for (const auto& [name, exported_by] : kSymbols) {
    const bool present = library.Has(name);
    symbols.possible &= present ? exported_by : ~exported_by;
    if (!present || exported_by == kAllGenerations) continue;
    suggested &= exported_by;
    AddTo(newer, name);
  }
  // What every generation that the newest of the symbols suggests has.
  for (const auto& [name, exported_by] : kSymbols) {
    if ((exported_by & suggested) == suggested && !library.Has(name)) AddTo(symbols.missing, name);
  }
  symbols.found = newer.empty() ? "none that 1.1.x does not have" : "exports " + newer;
  if (!symbols.missing.empty()) symbols.found += "; lacks " + symbols.missing;
  return symbols;
}

std::string InWords(const std::vector<Finding>& evidence) {
  std::string text;
  for (const Finding& finding : evidence) {
    text += (text.empty() ? "" : "; ") + finding.source + ": " + finding.found;
    if (!finding.suggests.empty()) text += " (suggests " + finding.suggests + ")";
  }
  return text;
}

class Investigation {
 public:
  Investigation(const Library& library, const std::string& stated) : library_(library), stated_(stated) {}

  Result<Identity> Conclude() {
    const Symbols symbols = LookUp(library_);
    const GenerationSet by_symbols = symbols.possible;
    Note("symbols", symbols.found, by_symbols);
    const GenerationSet by_version = NoteVersion();

    if (!library_.Has("rkllm_init") || !library_.Has("rkllm_run")) {
      return Refuse(ErrorCode::kRuntimeInvalid,
                    "The file is a shared library but not librkllmrt: it does not export " + symbols.missing + ".");
    }
    if (!library_.Has("rkllm_run_async")) return Unspoken("it exports no rkllm_run_async, so it is 1.0.x");
    if (by_symbols == kNoGeneration) {
      return Refuse(ErrorCode::kRuntimeInvalid,
                    "The runtime is incomplete: it does not export " + symbols.missing + ".");
    }
    if (by_version == kNoGeneration) return Unspoken("it is " + (stated_.empty() ? library_.version() : stated_));
    if ((by_symbols & by_version) == kNoGeneration) return Unspoken("what was found is contradictory");

    const Footprint footprint = MeasureFootprint(library_);
    Note("rkllm_createDefaultParam", footprint.found, footprint.possible);
    const GenerationSet possible = by_symbols & by_version & footprint.possible;
    if (possible == kNoGeneration) return Unspoken("what was found is contradictory");
    if (!AreAlike(possible)) return Unspoken("nothing tells which release from " + Releases(possible) + " it is");
    return Identity{Oldest(possible), Releases(possible), (possible & (possible - 1)) == 0, !stated_.empty(),
                    std::move(evidence_)};
  }

 private:
  // What the user says replaces what the file says; what the library does still has to agree with it.
  GenerationSet NoteVersion() {
    const std::string& version = library_.version();
    const GenerationSet by_file = version.empty() ? kAllGenerations : GenerationOf(version);
    Note("version string", version.empty() ? "none in the file" : version, by_file);
    if (stated_.empty()) return by_file;
    const GenerationSet by_user = GenerationOf(stated_);
    Note("option runtimeVersion", stated_, by_user);
    return by_user;
  }

  void Note(std::string source, std::string found, GenerationSet suggested) {
    std::string suggests = suggested == kAllGenerations ? "" : Releases(suggested);
    if (suggested == kNoGeneration) suggests = "a release that is not spoken";
    evidence_.push_back({std::move(source), std::move(found), std::move(suggests)});
  }

  Error Unspoken(const std::string& reason) {
    return Refuse(ErrorCode::kRuntimeUnsupported,
                  "The runtime is not of a release that this version of rkllm speaks (" + Releases(kAllGenerations) +
                      "): " + reason + ".");
  }

  Error Refuse(ErrorCode code, const std::string& message) {
    const std::string& version = library_.version();
    return {code,
            message + " Evidence: " + InWords(evidence_) + ".",
            {{"path", library_.path()},
             {"version", version.empty() ? "not stated in the file" : version},
             {"supported", Releases(kAllGenerations)}},
            std::move(evidence_)};
  }

  const Library& library_;
  const std::string& stated_;
  std::vector<Finding> evidence_;
};

}  // namespace

Result<Identity> Identify(const Library& library, const std::string& stated) {
  return Investigation(library, stated).Conclude();
}

}  // namespace rkllm
