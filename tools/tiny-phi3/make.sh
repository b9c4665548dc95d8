#!/bin/sh
# Trains the demo model and writes it to models/tiny-phi3; see README.md.
# Usage: tools/tiny-phi3/make.sh WORK_DIRECTORY [options of train.py]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../../models/tiny-phi3
work=${1:?usage: make.sh WORK_DIRECTORY [options of train.py]}
shift
python=${PYTHON:-python3}
# Keep freed memory: giving it back after every step costs a third of the time.
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184
export MALLOC_TOP_PAD_=268435456 OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
# Sleep at barriers: spinning beside other programs makes it ten times slower.
export OMP_WAIT_POLICY=passive
mkdir -p "$work"
cd "$here"
"$python" corpus.py
"$python" tokenizer.py --out "$work"
"$python" train.py --dir "$work" "$@"
"$python" export.py --dir "$work"
"$python" convert.py --work "$work" --out "$out"
"$python" evaluate.py --model "$out" --report evaluation.json
