// The states of the result callback.
#pragma once

#include <cstdint>

namespace fake {

constexpr std::int32_t kNormal = 0;
constexpr std::int32_t kWaiting = 1;
constexpr std::int32_t kFinish = 2;
constexpr std::int32_t kError = 3;
constexpr std::int32_t kHiddenLayer = 4;  // 1.1.x only

}  // namespace fake
