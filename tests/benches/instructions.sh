#!/usr/bin/env bash
# How many instructions each byte of a fixed log costs, against a limit with a wide margin: it catches what makes reading
# twice as dear, on any machine and under any load. Needs valgrind; without it, and without root to install it, it is
# skipped with a word.
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
cargo build --quiet --bin rdptriage
cargo test --quiet --bench reading -- --make "$folder" --megabytes 1,5

# What a run costs beside reading (start, rules, report) is the same for both sizes.
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/out" target/debug/rdptriage \
        diagnose --no-hash --exit-zero -q -j 1 "$1" >/dev/null 2>"$folder/said" || [ $? -le 3 ]
    awk '/^summary:/ { print $2 }' "$folder/out"
}
small=$(instructions "$folder/1.evtx")
large=$(instructions "$folder/5.evtx")
bytes=$(($(stat -c %s "$folder/5.evtx") - $(stat -c %s "$folder/1.evtx")))
each=$(((large - small) / bytes))
echo "instructions: $each for each byte of a log, $limit allowed"
[ "$each" -le "$limit" ]
