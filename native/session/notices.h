// What the inference thread has to say to JavaScript.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "../errors.h"
#include "../runtime/adapter.h"
#include "../runtime/identify.h"
#include "questions.h"
#include "run.h"

namespace rkllm {

// Every load passes one Identified, unless it fails before, and ends in one Loaded or one Error, every run that was
// accepted in one Ended, every call in one Performed, every disposal in one Disposed.
struct Identified {};
struct Loaded {
  Identity identity;
  std::string version;  // as the file states it; may be empty
};
struct Readable {
  std::uint32_t run;
};
struct Ended {
  std::uint32_t run;
  RunOutcome outcome;
};
struct Performed {
  std::uint32_t call;
  CallResult result;
};
// In the middle of any of these.
struct Asked {
  std::shared_ptr<Question> question;
};
struct Disposed {};
using Notice = std::variant<Identified, Loaded, Error, Readable, Ended, Performed, Asked, Disposed>;

}  // namespace rkllm
