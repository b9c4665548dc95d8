#!/bin/sh
# Format and static analysis of the C++ sources. Needs clang-format and clang-tidy, and a build (for the compile commands).
set -eu
cd "$(dirname "$0")/.."

for tool in clang-format clang-tidy; do
  if ! command -v "$tool" >/dev/null; then
    echo "lint:native: $tool is missing: sudo apt-get install clang-format clang-tidy" >&2
    exit 1
  fi
done

sources=$(find native test/native -name '*.cc' -o -name '*.h' -o -name '*.c')
# shellcheck disable=SC2086 # a list of files without spaces
clang-format --dry-run --Werror $sources

find native test/native -name '*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build/Release --warnings-as-errors='*'
