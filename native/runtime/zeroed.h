// Structs of the vendor's as they have to be before their fields are set. Included by adapters only.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

namespace rkllm {

// Behind what is passed; longer than any release's struct.
constexpr std::size_t kZeroedRoom = 512;

// A struct of the vendor's with zeros in its padding and reserved bytes, and behind it: should the runtime be of a
// look-alike release whose struct is longer, it reads zeros there.
template <typename Struct>
class Zeroed {
 public:
  Zeroed() { std::memset(static_cast<void*>(this), 0, sizeof(*this)); }

  Struct* operator->() { return &content_; }
  Struct& operator*() { return content_; }

 private:
  static_assert(sizeof(Struct) < kZeroedRoom);

  Struct content_{};
  unsigned char rest_[kZeroedRoom - sizeof(Struct)] = {};
};

// Structs that follow each other without a gap, as a batch of several rows is passed, with zeros in and behind them.
template <typename Struct>
class ZeroedRows {
 public:
  explicit ZeroedRows(std::size_t rows) : structs_(rows + kZeroedRoom / sizeof(Struct) + 1) {
    std::memset(static_cast<void*>(structs_.data()), 0, structs_.size() * sizeof(Struct));
  }

  Struct& operator[](std::size_t row) { return structs_[row]; }
  Struct* Data() { return structs_.data(); }

 private:
  std::vector<Struct> structs_;
};

}  // namespace rkllm
