#!/usr/bin/env bash
# Builds the fuzzers with AddressSanitizer and UBSan and feeds them damaged copies of every sample bundle's plans, of what else the
# executor reads, and of configs for the look at their bytes (src/engine).
#   bash src/executor/fuzz/run.sh [ROUNDS [SEED]]      a long run: 50000000
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-cc} -DHOSTED -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all src/executor/fuzz/plan-fuzz.c -o "$work/plan-fuzz"
${CC:-cc} -DHOSTED -g -O1 -w -fsanitize=address,undefined -fno-sanitize-recover=all src/executor/fuzz/input-fuzz.c -o "$work/input-fuzz"
${CC:-cc} -DHOSTED -g -O1 -w -fsanitize=address,undefined -fno-sanitize-recover=all src/engine/fuzz/json-fuzz.c -o "$work/json-fuzz"
node src/build/run-ts.mjs src/build/sample-plans.ts "$work"
"$work/plan-fuzz" "${1:-200000}" "${2:-$RANDOM}" "$work"/*.plan "$work"/*.kept
"$work/input-fuzz" "${1:-200000}" "${2:-$RANDOM}"
"$work/json-fuzz" "${1:-200000}" "${2:-$RANDOM}" "$work/spec.table" "$work/large.json" bundles/*/config.json
