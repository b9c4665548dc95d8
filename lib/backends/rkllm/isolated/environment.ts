import path from 'node:path';

/**
 * What the runtime's process takes over from the application's environment: what its loader, its C library, OpenMP and
 * the runtime itself read. Everything else stays behind; there may be secrets in it.
 */
const inherited: readonly RegExp[] = [
  /^(?:PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR)$/u,
  /^(?:LD_LIBRARY_PATH|LD_PRELOAD|GLIBC_TUNABLES|MALLOC_[A-Z_]+)$/u,
  /^(?:OMP|GOMP|KMP)_[A-Z_]+$/u,
  /^(?:RKLLM|RKNN)_LOG_LEVEL$/u,
  // Which build of the addon is used.
  /^RKLLM_PREBUILD$/u,
  /^(?:ASAN|UBSAN|LSAN|TSAN)_OPTIONS$/u,
];

/** The environment of the runtime's process. `extra` is what the caller asked for by name. */
export function hostEnvironment(
  env: NodeJS.ProcessEnv,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && inherited.some((pattern) => pattern.test(name))) chosen[name] = value;
  }
  Object.assign(chosen, extra);
  const libraries = chosen['LD_LIBRARY_PATH'];
  if (libraries === undefined) return chosen;
  // An empty or relative entry stands for the current directory, in which anybody may have put a library.
  const absolute = libraries.split(/[:;]/u).filter((entry) => path.isAbsolute(entry));
  if (absolute.length > 0) return { ...chosen, LD_LIBRARY_PATH: absolute.join(':') };
  delete chosen['LD_LIBRARY_PATH'];
  return chosen;
}
