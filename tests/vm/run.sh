#!/usr/bin/env bash
# Real boots of the bundled guest in QEMU. `run.sh PROGRAM` is what `make test` runs, in some minutes;
# `run.sh PROGRAM --all` is what only `make test-all` runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
PROGRAM=$(realpath "$1")
source tests/lib.sh

TARGET=fixtures/targets/bundled.json

# QEMU processes that this shell's bootdiag started: they carry the scratch directory in their environment.
qemu_of() {
    local dir=$1 pid
    for pid in $(pgrep -f qemu-system || true); do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -q "^TMPDIR=$dir" && echo "$pid"
    done
    return 0
}

no_qemu() {
    [[ -z $(qemu_of "$1") ]]
}

# nothing_left DIR: no QEMU of ours and nothing in its temporary directory.
nothing_left() {
    [[ -z $(qemu_of "$1") ]] || fail "a QEMU survived: $(qemu_of "$1")"
    [[ -z $(ls -A "$1") ]] || fail "left behind in the temporary directory: $(ls -A "$1")"
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $deadline ]] || fail "did not happen in time: $*"
        sleep 0.2
    done
}

consoles_with_bytes() {
    [[ $(find "$1" -name console.log -size +0 2>/dev/null | wc -l) -ge $2 ]]
}

# start_run DIR OPTION...: a run in the background with its own temporary directory; sets PID.
start_run() {
    local dir=$1
    shift
    mkdir -p "$T/tmp"
    TMPDIR=$T/tmp "$PROGRAM" run --target $TARGET --quiet --no-baseline --out "$dir" "$@" \
        >"$T/out" 2>"$T/err" &
    PID=$!
}

test_good_boot() {
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp
    expect 0 "$PROGRAM" run --target $TARGET --quiet --no-baseline --boots 1 --out "$T/run" --json
    jq -e '.boots[0].outcome // .boots[0].analysis.outcome | . == "ready"' "$T/out" >/dev/null
    jq -e '.end == "ready" and .ready_ms > 0 and .vmm.argv[0] == "qemu-system-x86_64"' \
        "$T/run/boot-0001/boot.json" >/dev/null
    tests/cli/check_schema.py reports/schema/report.json "$T/run/report.json"
    tests/cli/check_schema.py reports/schema/boot.json "$T/run/boot-0001/boot.json"
    nothing_left "$T/tmp"
}

# one_fault NAME: the expected cause is the fault's own.
one_fault() {
    local cause
    cause=$(jq -r .cause "fixtures/faults/$1/fault.json")
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp
    expect 1 "$PROGRAM" run --target $TARGET --quiet --no-baseline --boots 1 --fault "$1" --out "$T/run"
    contains "$T/out" "$cause"
    "$PROGRAM" analyze --json "$T/run/boot-0001" >"$T/analysis" || true
    [[ $(jq -r .verdict.cause "$T/analysis") == "$cause" ]] || fail "$(jq -c .verdict "$T/analysis")"
    nothing_left "$T/tmp"
}

test_fault_kernel_panic_ends_early() {
    one_fault kernel-panic
    jq -e '.end == "fatal-evidence" and .ended_ms < 30000' "$T/run/boot-0001/boot.json" >/dev/null
}

test_fault_agent_module_missing() {
    one_fault agent-module-missing
}

test_fault_network_not_configured() {
    one_fault network-not-configured
}

test_interrupt_ends_boots_and_reports() {
    start_run "$T/run" --boots 4 --jobs 2
    wait_for 30 consoles_with_bytes "$T/run" 2
    kill -INT $PID
    local status=0
    wait $PID || status=$?
    [[ $status -eq 2 ]] || fail "exit status $status"
    jq -e '.boots | length == 2' "$T/run/report.json" >/dev/null
    jq -e '.end == "interrupted"' "$T/run/boot-0001/boot.json" >/dev/null
    nothing_left "$T/tmp"
}

test_terminate_ends_boots_and_reports() {
    start_run "$T/run" --boots 1
    wait_for 30 consoles_with_bytes "$T/run" 1
    kill -TERM $PID
    local status=0
    wait $PID || status=$?
    [[ $status -eq 2 ]] || fail "exit status $status"
    nothing_left "$T/tmp"
}

test_vmm_killed_is_named() {
    start_run "$T/run" --boots 1
    wait_for 30 consoles_with_bytes "$T/run" 1
    kill -KILL $(qemu_of "$T/tmp")
    local status=0
    wait $PID || status=$?
    [[ $status -eq 1 ]] || fail "exit status $status"
    jq -e '.end == "vmm-exit" and .vmm.signal == 9' "$T/run/boot-0001/boot.json" >/dev/null
    contains "$T/out" vmm.crashed
    nothing_left "$T/tmp"
}

test_killed_bootdiag_leaves_nothing_running() {
    start_run "$T/run" --boots 8 --jobs 4 --set deadline_ms=20000
    wait_for 60 test -s "$T/run/boot-0001/console.log"
    wait_for 60 consoles_with_bytes "$T/run" 4
    kill -KILL $PID
    wait $PID || true
    wait_for 5 no_qemu "$T/tmp"
    # What was on the consoles is kept and can be analysed; the next run cleans up behind the dead one.
    "$PROGRAM" analyze --json "$T/run" >"$T/analysis" || [[ $? -eq 1 ]]
    [[ $(wc -l <"$T/analysis") -ge 4 ]] || fail "$(cat "$T/analysis")"
    TMPDIR=$T/tmp expect 1 "$PROGRAM" run --target $TARGET --quiet --no-baseline --boots 1 \
        --fault kernel-panic --out "$T/next"
    nothing_left "$T/tmp"
}

if [[ ${2:-} == --all ]]; then
    # Every fault that `make test` does not boot.
    tests=()
    for fault in fixtures/faults/*/; do
        name=$(basename "$fault")
        case $name in kernel-panic | agent-module-missing | network-not-configured) continue ;; esac
        eval "fault_${name//-/_}() { one_fault $name; }"
        tests+=("fault_${name//-/_}")
    done
    run_tests "${tests[@]}"
else
    mapfile -t tests < <(all_tests "$0")
    run_tests "${tests[@]}"
fi
