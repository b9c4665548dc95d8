#include "places.h"

#include <unistd.h>

#include "ends.h"
#include "report.h"
#include "script.h"

namespace fake {

bool IsPlace(const std::string& place) {
  for (const char* known :
       {"load", "second-load", "prefill", "abort", "run-end", "destroy", "load-lora", "load-prompt-cache"}) {
    if (place == known) return true;
  }
  return false;
}

bool IsFailurePlace(const std::string& place) { return IsPlace(place) || place == "decode" || place == "idle"; }

void ReachPlace(const Script& script, const std::string& place) {
  for (const Saying& saying : script.sayings) {
    if (saying.place == place) saying.on_stderr ? Complain(saying.line) : Print(saying.line);
  }
  for (const Scribble& scribble : script.scribbles) {
    if (scribble.place == place && write(scribble.descriptor, scribble.bytes.data(), scribble.bytes.size()) < 0) {
      Complain("write failed");
    }
  }
  for (const Failure& failure : script.failures) {
    if (failure.place == place) ComeToAnEnd(failure.how);
  }
}

}  // namespace fake
