#pragma once

namespace fake {

// As in the line that the library prints at its initialization.
const char* LoggedVersion();

}  // namespace fake
