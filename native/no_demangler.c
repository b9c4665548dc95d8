/*
 * Stands in for the C++ library's demangler, which would be a fifth of the whole addon. Only one thing asks for it: the
 * line that the library prints before it ends the process for an exception that nobody caught. With this the line has
 * the exception's type as the linker writes it ("St12length_error"), and what() as ever.
 */
#include <stddef.h>

__attribute__((visibility("hidden"))) char* __cxa_demangle(const char* mangled, char* buffer, size_t* size,
                                                           int* status) {
  (void)mangled;
  (void)buffer;
  (void)size;
  if (status) *status = -2; /* not a name that can be read */
  return NULL;
}
