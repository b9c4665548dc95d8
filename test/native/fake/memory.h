// Access to memory by byte offsets, whatever its alignment.
#pragma once

#include <cstdint>
#include <cstring>

namespace fake {

template <typename T>
T ReadAt(const void* base, std::size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(base) + offset, sizeof(value));
  return value;
}

template <typename T>
void WriteAt(void* base, std::size_t offset, T value) {
  std::memcpy(static_cast<unsigned char*>(base) + offset, &value, sizeof(value));
}

}  // namespace fake
