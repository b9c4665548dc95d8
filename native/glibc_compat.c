/*
 * Lets an addon that was linked on a new glibc load on an old one (Debian 11 and Ubuntu 20.04 have 2.31).
 *
 * glibc 2.34 moved libpthread and libdl into libc.so.6 and gave their functions a new symbol version, so a
 * plain link on Debian 12 asks for pthread_create@GLIBC_2.34. Every glibc still exports the old versions.
 * Each hidden function below stands in for the libc one inside this addon, objects pulled out of
 * libstdc++.a included, and jumps to the old version. One section each: --gc-sections drops the unused.
 */
#define _GNU_SOURCE
#if defined(__linux__)
#include <features.h>
#endif

#if defined(__GLIBC__) && (defined(__aarch64__) || defined(__x86_64__)) && __GLIBC_MINOR__ >= 32

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

#if defined(__aarch64__)
#define BASE "GLIBC_2.17"
#define SETNAME "GLIBC_2.17"
#define JUMP "hint #34\n\tb "
#define PLT ""
#else
#define BASE "GLIBC_2.2.5"
#define SETNAME "GLIBC_2.12"
#define JUMP "endbr64\n\tjmp "
#define PLT "@PLT"
#endif

/* clang-format off */
#define FORWARD(fn, version)                                                                 \
  __asm__(".symver old_" #fn ", " #fn "@" version "\n"                                       \
          ".pushsection .text.compat_" #fn ", \"ax\", %progbits\n"                           \
          ".globl " #fn "\n.hidden " #fn "\n.type " #fn ", %function\n"                      \
          #fn ":\n\t" JUMP "old_" #fn PLT "\n.size " #fn ", .-" #fn "\n.popsection\n")
/* clang-format on */

#if __GLIBC_MINOR__ >= 34
FORWARD(dlopen, BASE);
FORWARD(dlsym, BASE);
FORWARD(dlclose, BASE);
FORWARD(dlerror, BASE);
FORWARD(pthread_create, BASE);
FORWARD(pthread_join, BASE);
FORWARD(pthread_detach, BASE);
FORWARD(pthread_once, BASE);
FORWARD(pthread_key_create, BASE);
FORWARD(pthread_key_delete, BASE);
FORWARD(pthread_getspecific, BASE);
FORWARD(pthread_setspecific, BASE);
FORWARD(pthread_mutex_trylock, BASE);
FORWARD(pthread_rwlock_rdlock, BASE);
FORWARD(pthread_rwlock_wrlock, BASE);
FORWARD(pthread_rwlock_tryrdlock, BASE);
FORWARD(pthread_rwlock_trywrlock, BASE);
FORWARD(pthread_rwlock_unlock, BASE);
FORWARD(pthread_cond_clockwait, "GLIBC_2.30"); /* condition_variable::wait_for */
FORWARD(pthread_setname_np, SETNAME);
#endif

/* 2.33 gave these a symbol of their own; older ones only have __xstat. */
#if __GLIBC_MINOR__ >= 33
#define STAT_FAMILY(sfx)                                                                                               \
  HIDDEN int stat##sfx(const char* p, struct stat##sfx* s) { return (int)syscall(SYS_newfstatat, AT_FDCWD, p, s, 0); } \
  HIDDEN int lstat##sfx(const char* p, struct stat##sfx* s) {                                                          \
    return (int)syscall(SYS_newfstatat, AT_FDCWD, p, s, AT_SYMLINK_NOFOLLOW);                                          \
  }                                                                                                                    \
  HIDDEN int fstat##sfx(int fd, struct stat##sfx* s) { return (int)syscall(SYS_fstat, fd, s); }
STAT_FAMILY()
STAT_FAMILY(64)
#endif

/* 2.32, read by libstdc++'s shared_ptr: always take the multi-threaded path. */
HIDDEN char __libc_single_threaded = 0;

/* 2.36, called by std::random_device in a libstdc++.a built against it. */
#if __GLIBC_MINOR__ >= 36
HIDDEN uint32_t arc4random(void) {
  uint32_t v = 0;
  size_t have = 0;
  while (have < sizeof v) {
    ssize_t n = getrandom((char*)&v + have, sizeof v - have, 0);
    if (n > 0) have += (size_t)n;
  }
  return v;
}
#endif

#endif
