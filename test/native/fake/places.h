// The places where a script wants something to happen: lines to be printed, or an end.
#pragma once

#include <cstdint>
#include <string>

namespace fake {

struct Script;

// A place where the library comes to a bad end.
struct Failure {
  std::string place;
  std::string how;
  std::int64_t after = 1;  // decode: after so many tokens; idle: after so many milliseconds
};

// What a script says at a place.
struct Saying {
  std::string place;
  std::string line;
  bool on_stderr = false;
};

// Whether anything reaches it: load, second-load, prefill, abort, run-end, destroy, load-lora, load-prompt-cache.
bool IsPlace(const std::string& place);

// The same, or one where only an end can be: decode, idle.
bool IsFailurePlace(const std::string& place);

// Prints the script's lines for a place and comes to the end that it wants there.
void ReachPlace(const Script& script, const std::string& place);

}  // namespace fake
