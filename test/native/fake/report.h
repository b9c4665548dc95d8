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

// A line as the vendor prints it: on stdout, only with FAKE_RKLLM_LOG=1 or `wanted`.
void Log(const std::string& line, bool wanted = false);

// A line on stdout in any case, and one on stderr.
void Print(const std::string& line);
void Complain(const std::string& line);

// A text in quotes, in one line.
std::string Quoted(const std::string& text);
std::string Quoted(const char* text);

}  // namespace fake
