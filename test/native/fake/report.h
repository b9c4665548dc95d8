// What the fake tells the tests: through files, so that it exports nothing of its own.
#pragma once

#include <string>

namespace fake {

// Where a model's script wants the journal; the last one wins. Before that it is $FAKE_RKLLM_JOURNAL.
void SetJournal(const std::string& path);

// A broken promise of the caller: printed on stderr and entered in the journal.
void Violation(const std::string& what);

// A call that came in, entered in the journal.
void Trace(const std::string& call);

// A line as the vendor prints it: on stdout, only with FAKE_RKLLM_LOG=1.
void Log(const std::string& line);

}  // namespace fake
