# Shared by tests/cli/run.sh and tests/vm/run.sh: runs the functions test_* of the caller, each in its own
# scratch directory $T, and counts. A test fails when it calls `fail` or a command of it fails.

fail() {
    echo "$*" >&2
    exit 1
}

# Where the machine cannot do what the test needs: said, never silent.
skip() {
    echo "$*"
    exit 77
}

# expect STATUS COMMAND...: runs it, output to $T/out and $T/err.
expect() {
    local wanted=$1 got=0
    shift
    "$@" >"$T/out" 2>"$T/err" </dev/null || got=$?
    [[ $got -eq $wanted ]] || { tail -n 5 "$T/err" >&2; fail "exit status $got, expected $wanted: $*"; }
}

# contains FILE TEXT: the file has the text somewhere.
contains() {
    grep -qF -- "$2" "$1" || fail "$1 does not contain: $2"
}

# Runs one test and returns its status. Not for use in a condition: bash ignores `set -e` there.
run_test() {
    (
        set -eEuo pipefail
        trap 'echo "line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND" >&2' ERR
        "$1"
    ) >"$T.log" 2>&1
}

run_tests() {
    local test passed=0 failed=0 skipped=0 started status
    for test in "$@"; do
        T=$(mktemp -d "${TMPDIR:-/tmp}/bootdiag-test-XXXXXX")
        started=$SECONDS
        set +e
        run_test "$test"
        status=$?
        set -e
        if [[ $status -eq 0 ]]; then
            echo "ok   $test ($((SECONDS - started)) s)"
            passed=$((passed + 1))
        elif [[ $status -eq 77 ]]; then
            echo "SKIP $test: $(cat "$T.log")"
            skipped=$((skipped + 1))
        else
            echo "FAIL $test ($((SECONDS - started)) s)"
            sed 's/^/    /' "$T.log"
            failed=$((failed + 1))
        fi
        rm -rf "$T" "$T.log"
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    [[ $failed -eq 0 ]]
}

# all_tests FILE...: the names of all functions test_* in them, in the order of definition.
all_tests() {
    grep -oh '^test_[a-z0-9_]*' "$@"
}
