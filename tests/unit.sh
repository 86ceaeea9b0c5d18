#!/usr/bin/env bash
# Runs the unit tests that are named, one line each; what a failed one printed follows it.
set -uo pipefail
cd "$(dirname "$0")/.."
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for test in "$@"; do
    if "$test" >"$log" 2>&1; then
        n=$(grep -c '^\[       OK \]' "$log")
        echo "ok   $(basename "$test") ($n)"
        passed=$((passed + n))
    else
        echo "FAIL $(basename "$test")"
        grep -v '^\[ RUN\|^\[       OK' "$log" | sed 's/^/    /'
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
