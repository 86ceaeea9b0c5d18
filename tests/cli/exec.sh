# The backend exec from outside: scripts that play a VMM. Sourced by run.sh.

# exec_target SCRIPT-BODY [WORD...]: $T/target.json, which runs the script with these arguments.
exec_target() {
    printf '#!/bin/bash\n%s\n' "$1" >"$T/vmm"
    chmod +x "$T/vmm"
    shift
    jq -n '{backend: "exec", exec: (["./vmm"] + $ARGS.positional), deadline_ms: 60000,
        service: {health_path: "/"}}' --args "$@" >"$T/target.json"
}

# run_exec STATUS [OPTION...]: with a temporary directory of its own, in which nothing may be left.
run_exec() {
    local wanted=$1
    shift
    mkdir -p "$T/tmp"
    TMPDIR=$T/tmp expect "$wanted" "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet \
        --out "$T/run" "$@"
    [[ -z $(ls -A "$T/tmp") ]] || fail "left behind: $(find "$T/tmp")"
}

# No process has our temporary directory in its environment, after at most five seconds.
no_process_of_ours() {
    local try pid
    for try in {1..50}; do
        pid=$(grep -lzs "^TMPDIR=$T/tmp" /proc/[0-9]*/environ || true)
        [[ -n $pid ]] || return 0
        sleep 0.1
    done
    fail "still there after $try looks: $pid"
}

# Synthetic: no guest prints this, and Python answers.
SYNTHETIC='printf "synthetic console of a script, no guest\r\n"; echo "log of a script" >&2'
# shellcheck disable=SC2016 # the script's own
SERVE='python3 -m http.server --bind 127.0.0.1 "$1" >/dev/null 2>&1'

test_exec_boots_a_script() {
    # The server is a child of the script: it has to go, too.
    exec_target "$SYNTHETIC; $SERVE; exit 9" '{port}' '{id}' '{dir}' '{mac}'
    run_exec 0 --boots 2 --jobs 2
    local boot=$T/run/boot-0001
    contains "$boot/console.log" 'synthetic console of a script'
    contains "$boot/vmm.log" 'log of a script'
    jq -e '.end == "ready" and .backend == "exec" and .probe.network == "user" and
        .vmm.exit_code == null and .vmm.argv[1] == (.probe.url | split(":")[2] | rtrimstr("/")) and
        .vmm.argv[4] == .guest.mac and .guest.memory_mib == null' "$boot/boot.json" >/dev/null ||
        fail "$(cat "$boot/boot.json")"
    tests/cli/check_schema.py reports/schema/boot.json "$T"/run/boot-*/boot.json
    tests/cli/check_schema.py reports/schema/report.json "$T/run/report.json"
    [[ $(jq -r '.vmm.argv[2]' "$T"/run/boot-*/boot.json | sort -u | wc -l) -eq 2 ]] || fail "the same id"
    no_process_of_ours
}

test_exec_keeps_how_the_vmm_ended() {
    exec_target "$SYNTHETIC; echo 'cannot open the disk' >&2; exit 3"
    run_exec 1 --boots 1
    jq -e '.end == "vmm-exit" and .vmm.exit_code == 3 and .vmm.signal == null' \
        "$T/run/boot-0001/boot.json" >/dev/null || fail "$(cat "$T/run/boot-0001/boot.json")"
    contains "$T/run/boot-0001/vmm.log" 'cannot open the disk'
    rm -r "$T/run"
    # shellcheck disable=SC2016
    exec_target 'kill -ABRT $$'
    run_exec 1 --boots 1
    jq -e '.end == "vmm-exit" and .vmm.signal == 6' "$T/run/boot-0001/boot.json" >/dev/null
    [[ $(jq -r '.boots[0].verdict.cause // .boots[0].analysis.verdict.cause' "$T/run/report.json") == vmm.crashed ]] ||
        fail "$(cat "$T/out")"
}

# Found to be missing before the first boot, and while one is started.
test_exec_without_its_program() {
    exec_target true
    refused 'there is no program no-such-vmm in PATH' "$PROGRAM" run --target "$T/target.json" \
        --set 'exec=["no-such-vmm"]'
    expect 2 "$PROGRAM" run --target "$T/target.json" --set "exec=[\"$T/none\"]" --json
    jq -e '.preflight[0].cause == "vmm.binary-missing"' "$T/out" >/dev/null
    printf '#!/no/such/interpreter\n' >"$T/vmm"
    run_exec 2 --boots 1
    jq -e '.end == "start-failed" and .vmm.error_cause == "vmm.binary-missing"' \
        "$T/run/boot-0001/boot.json" >/dev/null
}

test_exec_refuses_what_it_cannot_fill_in() {
    exec_target true 'gpu={gpu}'
    refused 'there is no placeholder {gpu}; there are {dir} {id} {port}' "$PROGRAM" run --target "$T/target.json"
    refused 'there is no placeholder {gpu}' "$PROGRAM" target check "$T/target.json"
    exec_target true '{tap}'
    refused 'nothing for {tap}; set "network" to "tap"' "$PROGRAM" run --target "$T/target.json"
    echo '{"backend": "exec"}' >"$T/target.json"
    refused '"exec" is not set' "$PROGRAM" run --target "$T/target.json"
    echo '{"backend": "exec", "exec": "vmm --boot"}' >"$T/target.json"
    refused '"exec": expected a list of 1-4096 strings' "$PROGRAM" run --target "$T/target.json"
}

# It ignores SIGTERM, and so does its child.
test_exec_ends_what_will_not_end() {
    exec_target "trap '' TERM; $SYNTHETIC; sleep 1000 & while :; do wait; done"
    run_exec 1 --boots 1 --set deadline_ms=500
    jq -e '.end == "deadline" and .vmm.exit_code == null and .vmm.signal == null' \
        "$T/run/boot-0001/boot.json" >/dev/null
    no_process_of_ours
}

test_exec_killed_bootdiag_leaves_nothing() {
    exec_target "$SYNTHETIC; $SERVE" '{port}'
    mkdir "$T/tmp"
    TMPDIR=$T/tmp "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 1 \
        --set settle_ms=60000 --out "$T/run" >/dev/null 2>&1 &
    local pid=$!
    until [[ -s $T/run/boot-0001/console.log ]]; do
        kill -0 $pid
        sleep 0.1
    done
    kill -KILL $pid
    wait $pid || true
    no_process_of_ours
    # What it left in the file system goes with the next one.
    exec_target "$SYNTHETIC; $SERVE" '{port}'
    rm -r "$T/run"
    run_exec 0 --boots 1
}

# What the documentation shows is what the program takes, but for the images.
test_exec_examples() {
    local name
    for name in cloud-hypervisor kvmtool; do
        tests/cli/check_schema.py reports/schema/target.json fixtures/targets/$name.json
        refused 'fixtures/targets/' "$PROGRAM" target check fixtures/targets/$name.json
        contains fixtures/targets/README.md "$name.json"
    done
}

# ---- on a bridge, in a network namespace of our own ----

NETWORK=fixtures/lab/network.sh

# lent_target: $T/target.json, whose VMM opens the TAP device by its name.
lent_target() {
    $NETWORK run -- bash -c ': <>/dev/net/tun' >"$T/network" 2>&1 ||
        skip "no network namespace with TAP devices to be had here: $(tail -n 1 "$T/network")"
    jq -n --arg vmm "$PWD/tests/cli/tap_guest.py" '{backend: "exec", network: "tap",
        exec: [$vmm, "{tap}", "{mac}", "{address}", "{port}"], address: "192.168.100.50", addresses: 2,
        deadline_ms: 60000, service: {health_path: "/"}}' >"$T/target.json"
}

test_exec_on_a_bridge() {
    lent_target
    # shellcheck disable=SC2016 # the inner shell's
    expect 0 $NETWORK run -- bash -ec '
        "$1" run --target "$2/target.json" --no-baseline --quiet --boots 2 --jobs 2 --out "$2/run"
        [[ -z $(ip -o link show type tun) ]]' run "$PROGRAM" "$T"
    jq -e '.end == "ready" and .probe.network == "tap" and .net.own_answered and
        .net.foreign_mac == null and .net.neighbour_mac == .guest.mac and
        (.net.tap | startswith("bdlend")) and .vmm.argv[1] == .net.tap' "$T"/run/boot-*/boot.json \
        >/dev/null || fail "$(jq -c .end,.vmm,.net,.probe "$T"/run/boot-*/boot.json)"
    [[ $(jq -r .net.tap "$T"/run/boot-*/boot.json | sort -u | wc -l) -eq 2 ]] || fail "the same TAP device"
    tests/cli/check_schema.py reports/schema/boot.json "$T"/run/boot-*/boot.json
}

test_exec_uses_an_existing_tap() {
    lent_target
    # shellcheck disable=SC2016
    expect 0 $NETWORK run -- bash -ec '
        ip tuntap add dev mine mode tap && ip link set mine up master fcbr0
        "$1" run --target "$2/target.json" --set addresses=1 --set tap=mine --no-baseline --quiet \
            --boots 2 --jobs 1 --out "$2/run"
        ip link show mine >/dev/null' run "$PROGRAM" "$T"
    [[ $(jq -r .net.tap "$T/run/boot-0002/boot.json") == mine ]]
}

test_exec_refuses_an_address_that_answers() {
    lent_target
    expect 2 $NETWORK run --impostor arp -- "$PROGRAM" run --target "$T/target.json" --no-baseline \
        --quiet --boots 1 --out "$T/run" --json
    jq -e '.preflight[0].cause == "probe.stale-responder"' "$T/out" >/dev/null
}

# On a bridge it is executed only after the start.
test_exec_without_its_program_on_a_bridge() {
    lent_target
    printf '#!/no/such/interpreter\n' >"$T/vmm"
    chmod +x "$T/vmm"
    # shellcheck disable=SC2016
    expect 2 $NETWORK run -- bash -c '
        "$1" run --target "$2/target.json" --set "exec=[\"$2/vmm\"]" --no-baseline --quiet --boots 1 \
            --out "$2/run"
        status=$?
        [[ -z $(ip -o link show type tun) ]] && exit $status' run "$PROGRAM" "$T"
    jq -e '.end == "start-failed" and .vmm.error_cause == "vmm.binary-missing" and
        .net.answered_before_start == false' "$T/run/boot-0001/boot.json" >/dev/null ||
        fail "$(jq -c .end,.vmm,.net "$T/run/boot-0001/boot.json")"
}

# What a killed bootdiag lent is removed before the next device is lent.
test_exec_killed_bootdiag_leaves_no_tap_for_long() {
    lent_target
    # shellcheck disable=SC2016
    expect 0 $NETWORK run -- bash -ec '
        "$1" run --target "$2/target.json" --no-baseline --quiet --boots 1 --set settle_ms=60000 \
            --out "$2/first" & pid=$!
        until [[ -s $2/first/boot-0001/console.log ]]; do kill -0 $pid; sleep 0.1; done
        kill -KILL $pid
        until ip -o link show bdlend0 | grep -q NO-CARRIER; do sleep 0.1; done # its VMM is gone
        "$1" run --target "$2/target.json" --no-baseline --quiet --boots 1 --out "$2/second"
        [[ -z $(ip -o link show type tun) ]]' run "$PROGRAM" "$T"
    [[ $(jq -r .net.tap "$T"/{first,second}/boot-0001/boot.json | sort -u) == bdlend0 ]]
}
