// Tells which ABI a library speaks, before the first struct is passed to it.
#pragma once

#include <string>
#include <vector>

#include "../errors.h"
#include "generation.h"
#include "library.h"

namespace rkllm {

struct Identity {
  Generation generation = Generation::kG1;
  // The releases that it may be, in words; more than one generation where nothing tells them apart.
  std::string releases;
  // One generation and no other: what differs between look-alikes (multimodal inputs) can be used.
  bool certain = false;
  bool overridden = false;  // the user has said which release it is
  std::vector<Finding> evidence;
};

// Symbols first, then the version string (or `stated`, when the user names the release; empty otherwise), then the
// footprint of rkllm_createDefaultParam. Contradictory or unknown evidence is an error that names the evidence:
// guessing would end in a segmentation fault in the vendor's code. Nothing in the library is called unless the first
// two agree.
Result<Identity> Identify(const Library& library, const std::string& stated);

}  // namespace rkllm
