#include "report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace fake {
namespace {

// Never destroyed: a thread that exit() does not wait for may still come here.
struct Journal {
  std::mutex mutex;
  std::string path;  // guarded by mutex
};

Journal& TheJournal() {
  static auto* const journal = new Journal;
  return *journal;
}

std::string JournalPath() {
  const std::lock_guard<std::mutex> lock(TheJournal().mutex);
  if (!TheJournal().path.empty()) return TheJournal().path;
  const char* path = std::getenv("FAKE_RKLLM_JOURNAL");
  return path != nullptr ? path : "";
}

// One write per line in append mode: lines of several threads and processes do not mix.
void Enter(const std::string& text) {
  const std::string path = JournalPath();
  if (path.empty()) return;
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return;
  const std::string line = text + "\n";
  if (write(file, line.data(), line.size()) < 0) std::perror(path.c_str());
  close(file);
}

}  // namespace

void SetJournal(const std::string& path) {
  const std::lock_guard<std::mutex> lock(TheJournal().mutex);
  TheJournal().path = path;
}

void Violation(const std::string& what) {
  std::fprintf(stderr, "fake rkllm: violation: %s\n", what.c_str());
  Enter("violation: " + what);
}

void Trace(const std::string& call) { Enter(call); }

void Log(const std::string& line, bool wanted) {
  const char* environment = std::getenv("FAKE_RKLLM_LOG");
  if (wanted || (environment != nullptr && *environment == '1')) Print(line);
}

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Complain(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

std::string Quoted(const char* text) { return text == nullptr ? "NULL" : Quoted(std::string(text)); }

}  // namespace fake
