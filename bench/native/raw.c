// The least that any consumer does: a callback in C that looks at every token's id and text, on the runtime's thread.
//   raw <runtime> <warm-up model> <model>
#define _GNU_SOURCE
#include <sys/resource.h>
#include <time.h>

#include "fake_runtime.h"

typedef struct {
  int64_t tokens, bytes, ids;
} sums;

static void on_result(const rt_result* result, void* userdata, int32_t state) {
  if (state != RT_NORMAL && state != RT_WAITING) return;
  sums* all = userdata;
  all->tokens++;
  all->ids += result->token_id;
  if (result->text != NULL) all->bytes += (int64_t)strlen(result->text);
}

static double wall_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double ms(struct timeval time) { return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3; }

int main(int argc, char** argv) {
  rt_model warm_up, model;
  sums all = {0, 0, 0};
  if (argc != 4 || rt_load(&warm_up, argv[1], argv[2], on_result) != 0 ||
      rt_load(&model, argv[1], argv[3], on_result) != 0) {
    return 1;
  }
  rt_run(&warm_up, &all);
  all = (sums){0, 0, 0};
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const double start = wall_ms();
  rt_run(&model, &all);
  const double wall = wall_ms() - start;
  getrusage(RUSAGE_SELF, &after);
  const double cpu = ms(after.ru_utime) + ms(after.ru_stime) - ms(before.ru_utime) - ms(before.ru_stime);
  printf("{\"tokens\":%lld,\"bytes\":%lld,\"ids\":%lld,\"wallMs\":%.4f,\"cpuMs\":%.4f,\"peakRssMb\":%.1f}\n",
         (long long)all.tokens, (long long)all.bytes, (long long)all.ids, wall, cpu, (double)after.ru_maxrss / 1024);
  return 0;
}
