// How the library comes to a bad end.
#pragma once

#include <string>

namespace fake {

// Whether ComeToAnEnd knows it: segv, bus, abrt, assert, kill, exit, quick-exit, hang.
bool IsEnd(const std::string& how);

// Does not return, unless it is no such end.
void ComeToAnEnd(const std::string& how);

}  // namespace fake
