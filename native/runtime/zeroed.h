// Structs of the vendor's as they have to be before their fields are set. Included by adapters only.
#pragma once

#include <cstddef>
#include <cstring>

namespace rkllm {

// A struct of the vendor's with zeros in its padding and reserved bytes, and behind it: should the runtime be of a
// look-alike release whose struct is longer, it reads zeros there.
template <typename Struct>
class Zeroed {
 public:
  Zeroed() { std::memset(static_cast<void*>(this), 0, sizeof(*this)); }

  Struct* operator->() { return &content_; }
  Struct& operator*() { return content_; }

 private:
  static constexpr std::size_t kRoom = 512;
  static_assert(sizeof(Struct) < kRoom);

  Struct content_{};
  unsigned char rest_[kRoom - sizeof(Struct)] = {};
};

}  // namespace rkllm
