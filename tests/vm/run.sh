#!/usr/bin/env bash
# Real boots of the bundled guest in QEMU. `run.sh PROGRAM` is what `make test` runs, in some minutes;
# `run.sh PROGRAM --all` is what only `make test-all` runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
PROGRAM=$(realpath "$1")
source tests/lib.sh

TARGET=fixtures/targets/bundled.json
TAP_TARGET=fixtures/targets/bundled-tap.json
NETWORK=fixtures/lab/network.sh

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

# ---- on a bridge, in a network namespace of our own ----

# needs_network: where no network namespace or TAP device can be had, what needs them is skipped, saying so.
needs_network() {
    local status=0
    $NETWORK run --log "$T" -- true >"$T/network" 2>&1 || status=$?
    [[ $status -eq 0 ]] || skip "no network namespace to be had here: $(tail -n 1 "$T/network")"
    $NETWORK run -- bash -c ': <>/dev/net/tun' 2>"$T/network" ||
        skip "no TAP device to be had here: $(tail -n 1 "$T/network")"
}

# in_network STATUS [OPTION...] -- COMMAND...: as `expect`, inside.
in_network() {
    local wanted=$1
    shift
    expect "$wanted" $NETWORK run --log "$T" "$@"
}

test_boot_on_a_bridge() {
    needs_network
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp
    in_network 0 -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline --boots 1 \
        --set pcap=always --out "$T/run"
    jq -e '.end == "ready" and .probe.network == "tap" and .guest.mac == "02:fc:c0:a8:64:32" and
        .guest.seen_address == "192.168.100.50" and .net.neighbour_mac == .guest.mac and
        .net.own_answered and .net.foreign_mac == null and .net.answered_before_start == false and
        .net.vnet_hdr and .net.bridge_addresses == ["192.168.100.1/24"]' \
        "$T/run/boot-0001/boot.json" >/dev/null || fail "$(jq -c .net "$T/run/boot-0001/boot.json")"
    # Nobody answered ARP at first, and it is told from a refusal.
    jq -e '.probe.classes[0].class == "host-unreachable" and
        ([.probe.classes[] | select(.class == "refused" and .neighbour != "failed")] | length > 0)' \
        "$T/run/boot-0001/boot.json" >/dev/null || fail "$(jq -c .probe "$T/run/boot-0001/boot.json")"
    tests/cli/check_schema.py reports/schema/boot.json "$T/run/boot-0001/boot.json"
    has_frames "$T/run/boot-0001/net.pcap"
    nothing_left "$T/tmp"
}

# has_frames FILE: a whole capture of Ethernet frames, none of them longer than it says, with ARP and
# DHCP in it.
has_frames() {
    python3 - "$1" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", data)
assert magic == 0xA1B2C3D4 and link == 1, "no capture of Ethernet frames"
assert len(data) <= 56 * 1024, len(data)
at, types = 24, set()
while at < len(data):
    captured, whole = struct.unpack_from("<II", data, at + 8)
    frame = data[at + 16:at + 16 + captured]
    assert len(frame) == captured <= whole, (at, captured, whole)
    types.add(frame[12:14].hex())
    if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[36:38] == b"\x00\x43":
        types.add("dhcp")
    at += 16 + captured
assert {"0806", "0800", "dhcp"} <= types, types
PYTHON
}

# preflight CAUSE TEXT [OPTION...]: refused before the first boot, without a record.
preflight() {
    local cause=$1 text=$2
    shift 2
    in_network 2 "$@" -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline --boots 1 \
        --out "$T/run" --json
    jq -e --arg cause "$cause" '.preflight[0].cause == $cause' "$T/out" >/dev/null ||
        fail "$(jq -c .preflight "$T/out")"
    contains "$T/err" "$text"
    [[ ! -e $T/run ]] || fail "left behind: $(find "$T/run")"
}

test_what_is_wrong_with_the_network_is_said_before_the_first_boot() {
    needs_network
    preflight host.bridge-misconfigured 'there is no bridge fcbr0; make it' --bridge missing
    preflight host.bridge-misconfigured 'is down; switch it on: ip link set fcbr0 up' --bridge down
    preflight host.bridge-misconfigured 'fcbr0 has no address' --bridge no-address
    preflight host.bridge-misconfigured 'has 192.168.101.1/24, which is another subnet' \
        --bridge other-subnet
    preflight host.tap-unavailable 'CAP_NET_ADMIN' --tap denied
    preflight probe.stale-responder '192.168.100.50 answers already' --impostor arp
    preflight probe.stale-responder '192.168.100.50 answers already' --impostor arp+http
    in_network 2 --tap busy -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline \
        --set addresses=1 --set tap=fc-lab --boots 1 --out "$T/run"
    contains "$T/err" 'cannot open the TAP device fc-lab: Device or resource busy'
    in_network 2 -- "$PROGRAM" run --target $TAP_TARGET --set addresses=2 --jobs 3
    contains "$T/err" '--jobs 3: the target has 2 addresses'
}

test_a_boot_may_go_on_in_spite_of_it() {
    needs_network
    in_network 2 --tap denied -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline --boots 1 \
        --set network_checks=lenient --out "$T/run"
    jq -e '.end == "start-failed" and .vmm.error_cause == "host.tap-unavailable"' \
        "$T/run/boot-0001/boot.json" >/dev/null || fail "$(jq -c .vmm "$T/run/boot-0001/boot.json")"
    contains "$T/out" host.tap-unavailable
    rm -r "$T/run"
    # An old machine answers at once: the record shows that it was not this guest.
    $NETWORK run --impostor arp+http -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline \
        --boots 1 --set network_checks=lenient --out "$T/run" >"$T/out" 2>"$T/err" || true
    jq -e '.net.answered_before_start and .net.foreign_mac != null and
        .net.foreign_mac != .guest.mac and .net.neighbour_mac == .net.foreign_mac' \
        "$T/run/boot-0001/boot.json" >/dev/null || fail "$(jq -c .net "$T/run/boot-0001/boot.json")"
}

# The pre-flight found it free; a second machine takes it while the first guest has it, and keeps it.
test_an_address_that_is_taken_meanwhile_is_a_failed_start() {
    needs_network
    local status=0
    $NETWORK run --impostor arp-late -- "$PROGRAM" run --target $TAP_TARGET --quiet --no-baseline \
        --boots 2 --jobs 1 --set deadline_ms=60000 --out "$T/run" >"$T/out" 2>"$T/err" || status=$?
    [[ $status -eq 0 || $status -eq 1 ]] || fail "exit status $status"
    jq -e '.end == "start-failed" and .vmm.error_cause == "probe.stale-responder" and
        .net.answered_before_start and .console.bytes == 0' "$T/run/boot-0002/boot.json" >/dev/null ||
        fail "$(jq -c .end,.vmm.error,.net "$T/run/boot-0002/boot.json")"
}

test_killed_bootdiag_leaves_no_tap() {
    needs_network
    mkdir "$T/tmp"
    # shellcheck disable=SC2016 # the inner shell's
    TMPDIR=$T/tmp in_network 0 -- bash -c '
        "$1" run --target "$2" --quiet --no-baseline --boots 1 --out "$3" & pid=$!
        until [[ -s $3/boot-0001/console.log ]]; do kill -0 $pid; sleep 0.2; done
        [[ -n $(ip -o link show type tun) ]]
        kill -KILL $pid
        for _ in $(seq 50); do [[ -n $(ip -o link show type tun) ]] || exit 0; sleep 0.1; done
        ip -o link show type tun >&2; exit 1' kill "$PROGRAM" $TAP_TARGET "$T/run"
    wait_for 5 no_qemu "$T/tmp"
}

test_the_network_ends_with_its_command() {
    needs_network
    local pid helper status=0
    expect 7 $NETWORK run -- bash -c 'exit 7'
    # Killed in the middle: its helpers and its command go with it.
    # shellcheck disable=SC2016
    $NETWORK run -- bash -c 'echo $$ >"$1"; exec sleep 100' wait "$T/pid" &
    pid=$!
    wait_for 20 test -s "$T/pid"
    helper=$(pgrep -P $pid dnsmasq)
    kill -KILL $pid
    wait $pid || status=$?
    [[ $status -eq 137 ]] || fail "exit status $status"
    for pid in $helper $(cat "$T/pid"); do
        wait_for 5 bash -c "! kill -0 $pid 2>/dev/null"
    done
}

# one_fault NAME: the expected cause is the fault's own.
one_fault() {
    local said
    mkdir "$T/tmp"
    export TMPDIR=$T/tmp
    local target=$TARGET inside=() status=0 end
    if jq -e .lab.network "fixtures/faults/$1/fault.json" >/dev/null; then
        needs_network
        target=$TAP_TARGET
        mapfile -t inside < <(jq -r '.lab.network | to_entries[] | "--\(.key)", .value' \
            "fixtures/faults/$1/fault.json")
        inside=($NETWORK run "${inside[@]}" --)
    fi
    "${inside[@]}" "$PROGRAM" run --target $target --quiet --no-baseline --boots 1 --fault "$1" \
        --out "$T/run" >"$T/out" 2>"$T/err" || status=$?
    end=$(jq -r .end "$T/run/boot-0001/boot.json")
    [[ $status -eq 1 || ($status -eq 2 && $end == start-failed) ]] || fail "exit status $status: $end"
    "$PROGRAM" analyze --json "$T/run/boot-0001" >"$T/analysis" || true
    said=$(jq -r .verdict.cause "$T/analysis")
    contains "$T/out" "$said"
    jq -e --arg said "$said" '$said == .cause or ($said | IN(.accept[]?))' "fixtures/faults/$1/fault.json" \
        >/dev/null || fail "$(jq -c .verdict "$T/analysis")"
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
    # One of each layer; `make lab` boots them all.
    tests=()
    for name in kernel-root-device-missing-name rootfs-agent-not-installed init-emergency-mode-fstab \
        network-driver-missing supervisor-unbound-variable agent-exception probe-wrong-target-path \
        host-tap-busy vmm-kernel-missing stacked-network-module; do
        eval "fault_${name//-/_}() { one_fault $name; }"
        tests+=("fault_${name//-/_}")
    done
    run_tests "${tests[@]}"
else
    mapfile -t tests < <(all_tests "$0")
    run_tests "${tests[@]}"
fi
