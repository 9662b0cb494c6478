#!/usr/bin/env bash
# How many instructions each byte of a fixed log costs. As it stands, against a limit with a wide margin, in the build that the tests
# use: it catches what makes reading twice as dear, on any machine and under any load. With --release, for each kind of log in the
# build that is shipped: the table in README.md. Needs valgrind; without it, and without root to install it, it is skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Measured: 29 instructions for each byte in the build that the tests use, which is not optimized (3 where it is).
limit=60

if ! command -v valgrind >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y --no-install-recommends valgrind; } >/dev/null 2>&1 || true
fi
if ! command -v valgrind >/dev/null; then
    echo "instructions: skipped, valgrind is not installed"
    exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
build=debug
[ "${1:-}" != --release ] || build=release
if [ "$build" = release ]; then cargo build --quiet --release --bin rdptriage; else cargo build --quiet --bin rdptriage; fi
program=${CARGO_TARGET_DIR:-target}/$build/rdptriage

# What a run costs beside reading (start, rules, report) is the same for all sizes.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/out" "$program" \
        diagnose --no-hash --exit-zero -q -j 1 "$1" >/dev/null 2>"$folder/said" || [ $? -le 3 ]
    awk '/^summary:/ { print $2 }' "$folder/out"
}

# Tenths of an instruction for each byte of a kind of log, out of one of so many megabytes and a larger one.
tenths() {
    cargo test --quiet --bench reading -- --make "$folder" --kind "$1" --megabytes "$2,$3"
    local small large bytes
    small=$(instructions "$folder/$2.evtx")
    large=$(instructions "$folder/$3.evtx")
    bytes=$(($(stat -c %s "$folder/$3.evtx") - $(stat -c %s "$folder/$2.evtx")))
    echo $(((large - small) * 10 / bytes))
}

if [ "$build" = release ]; then
    for kind in sparse templateless dense; do
        each=$(tenths "$kind" 4 16)
        echo "instructions: $kind: $((each / 10)).$((each % 10)) for each byte of a log"
    done
    exit 0
fi
each=$(($(tenths sparse 1 5) / 10))
echo "instructions: $each for each byte of a log, $limit allowed"
[ "$each" -le "$limit" ]
