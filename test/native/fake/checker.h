// Promises of the caller about one struct. Each broken one is reported.
#pragma once

#include <cstddef>
#include <string>

namespace fake {

class Checker {
 public:
  explicit Checker(std::string subject) : subject_(std::move(subject)) {}

  bool fine() const { return fine_; }

  void Expect(bool condition, const std::string& what);
  void ExpectAligned(const void* address, std::size_t alignment = 8);
  void ExpectZero(const void* base, std::size_t from, std::size_t to, const std::string& what);
  // A bool or a flag of four bytes.
  void ExpectFlag(const void* base, std::size_t offset, std::size_t size, const std::string& name);
  // top_p and the seven values behind it, in RKLLMParam as in RKLLMSamplingParam.
  void ExpectSampling(const void* base, std::size_t top_k, std::size_t top_p);

 private:
  std::string subject_;
  bool fine_ = true;
};

// The same values for the journal: `top_p=0.9 temperature=0.8 ...`.
std::string SamplingSummary(const void* base, std::size_t top_p);

// Whether an address lies in memory that may be executed and not written. Under valgrind all memory may be executed.
bool IsCode(const void* address);

}  // namespace fake
