// Failures in the vendor's own words, as reports of them have it (reference 4.1 and 4.2).
#pragma once

#include <string>

namespace fake {

struct Script;

enum class FailureStage {
  kWarning,  // before the runtime says which version it is; it goes on
  kOpening,  // in place of that; rkllm_init fails
  kLoading,  // while the model is read; rkllm_init fails
  kRun,      // in every run, which goes on
};

bool IsVendorFailure(const std::string& name);

// Prints what the script wants to fail as at this stage. False when it wants nothing.
bool FailAs(const Script& script, FailureStage stage);

// The last words of a load that fails. They say nothing of the reason.
void SayNotLoaded();

}  // namespace fake
