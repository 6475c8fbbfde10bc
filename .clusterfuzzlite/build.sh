#!/usr/bin/env bash
# Builds every fuzz target for ClusterFuzzLite, and lays its seeds and its dictionary beside it: all goes into $OUT.
set -euo pipefail
[[ -d fuzz ]] || cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo fuzz build -O
for target in $(cargo fuzz list); do
    cp "${CARGO_TARGET_DIR:-target}/x86_64-unknown-linux-gnu/release/$target" "$OUT/"
    # The regressions are good seeds as well.
    find "fuzz/seeds/$target" "fuzz/regressions/$target" -type f ! -name .gitkeep -print0 |
        xargs -0 zip -q -j "$OUT/${target}_seed_corpus.zip"
    if [[ -e fuzz/dictionaries/$target.dict ]]; then cp "fuzz/dictionaries/$target.dict" "$OUT/"; fi
done
