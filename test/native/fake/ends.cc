#include "ends.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "report.h"

namespace fake {
namespace {

// As the kernel does it, whatever handler there is.
void DieBy(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Hang() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

struct End {
  const char* name;
  void (*come)();
};

constexpr End kEnds[] = {
    // A wild pointer.
    {"segv", [] { DieBy(SIGSEGV); }},
    // A file that is mapped and was cut short.
    {"bus", [] { DieBy(SIGBUS); }},
    // The C library on a destroyed heap.
    {"abrt",
     [] {
       Complain("free(): invalid pointer");
       std::abort();
     }},
    // ggml, which does not say where: the vendor's build has no file names.
    {"assert",
     [] {
       Complain(
           ":0: GGML_ASSERT(view_src == NULL || data_size == 0 || data_size + view_offs <= ggml_nbytes(view_src)) "
           "failed");
       Complain("/usr/lib/librkllmrt.so(+0x1c7e34)[0x7f84da7e34]");
       std::abort();
     }},
    // The kernel that is out of memory.
    {"kill", [] { kill(getpid(), SIGKILL); }},
    {"exit", [] { std::exit(77); }},
    {"quick-exit", [] { _exit(77); }},
    {"hang", Hang},
};

}  // namespace

bool IsEnd(const std::string& how) {
  for (const End& end : kEnds) {
    if (how == end.name) return true;
  }
  return false;
}

void ComeToAnEnd(const std::string& how) {
  for (const End& end : kEnds) {
    if (how == end.name) end.come();
  }
}

}  // namespace fake
