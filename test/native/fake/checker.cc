#include "checker.h"

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "memory.h"
#include "report.h"

namespace fake {

void Checker::Expect(bool condition, const std::string& what) {
  if (condition) return;
  fine_ = false;
  Violation(subject_ + ": " + what);
}

void Checker::ExpectAligned(const void* address, std::size_t alignment) {
  Expect(reinterpret_cast<std::uintptr_t>(address) % alignment == 0,
         "not aligned to " + std::to_string(alignment) + " bytes");
}

void Checker::ExpectZero(const void* base, std::size_t from, std::size_t to, const std::string& what) {
  for (std::size_t i = from; i < to; ++i) {
    if (ReadAt<unsigned char>(base, i) == 0) continue;
    Expect(false, what + " is not zero at byte " + std::to_string(i));
    return;
  }
}

void Checker::ExpectFlag(const void* base, std::size_t offset, std::size_t size, const std::string& name) {
  const bool low = ReadAt<unsigned char>(base, offset) <= 1;
  bool high = true;
  for (std::size_t i = 1; i < size; ++i) high = high && ReadAt<unsigned char>(base, offset + i) == 0;
  Expect(low && high, name + " is neither 0 nor 1");
}

void Checker::ExpectSampling(const void* base, std::size_t top_k, std::size_t top_p) {
  const auto value = [&](std::size_t index) { return ReadAt<float>(base, top_p + 4 * index); };
  const auto within = [&](std::size_t index, float low, float high, const char* name) {
    const float v = value(index);
    Expect(std::isfinite(v) && v >= low && v <= high, std::string(name) + " is " + std::to_string(v));
  };
  const auto k = ReadAt<std::int32_t>(base, top_k);
  Expect(k >= 1 && k <= 1000000, "top_k is " + std::to_string(k));
  within(0, 1e-6F, 1, "top_p");
  within(1, 1e-6F, 100, "temperature");
  within(2, 1e-6F, 100, "repeat_penalty");
  within(3, -100, 100, "frequency_penalty");
  within(4, -100, 100, "presence_penalty");
  const auto mirostat = ReadAt<std::int32_t>(base, top_p + 20);
  Expect(mirostat >= 0 && mirostat <= 2, "mirostat is " + std::to_string(mirostat));
  within(6, 0, 1000, "mirostat_tau");
  within(7, 0, 1000, "mirostat_eta");
}

std::string SamplingSummary(const void* base, std::size_t top_p) {
  const char* const names[] = {"top_p",    "temperature",  "repeat_penalty", "frequency_penalty", "presence_penalty",
                               "mirostat", "mirostat_tau", "mirostat_eta"};
  std::ostringstream out;
  for (std::size_t i = 0; i < 8; ++i) {
    out << (i > 0 ? " " : "") << names[i] << '=';
    if (i == 5) {
      out << ReadAt<std::int32_t>(base, top_p + 4 * i);
    } else {
      out << ReadAt<float>(base, top_p + 4 * i);
    }
  }
  return out.str();
}

bool IsCode(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/maps");
  if (!maps) return true;  // nothing to tell by
  std::string line;
  while (std::getline(maps, line)) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char write = '-';
    char execute = '-';
    // NOLINTNEXTLINE(cert-err34-c): the kernel wrote the line
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %*c%c%c", &from, &to, &write, &execute) != 4) continue;
    if (wanted >= from && wanted < to) return execute == 'x' && write != 'w';
  }
  return false;
}

}  // namespace fake
