# Sourced by run.sh: `preserve` beside a controller that is played by this script, in the production's
# file layout. Consoles are those of kept cases; what is made up says so.

# start_preserve [OPTION]...: in the background, $keeper; stopped at the test's end in any case.
start_preserve() {
    "$PROGRAM" preserve --users "$T/users" --archive "$T/archive" "$@" 2>>"$T/preserve.err" </dev/null &
    keeper=$!
    trap 'kill $keeper 2>/dev/null || true' EXIT
}

stop_preserve() {
    local status=0
    kill -TERM $keeper
    wait $keeper || status=$?
    trap - EXIT
    [[ $status -eq ${1:-0} ]] || fail "preserve: exit status $status: $(cat "$T/preserve.err")"
}

# wait_until COMMAND...: at most 20 s.
wait_until() {
    local i
    for ((i = 0; i < 200; i++)); do
        if "$@" >/dev/null 2>&1; then
            return
        fi
        sleep 0.1
    done
    tail -n 5 "$T/preserve.err" >&2
    fail "did not happen: $*"
}

vm_id() {
    printf 'vm-00000000-0000-4000-8000-%012d' "$1"
}

console_of() {
    local case=$CASES/$1.debian-12
    if [[ -f $case/console.log ]]; then
        cat "$case/console.log"
    else
        zstd -dcq "$case/console.log.zst"
    fi
}

# make_vm N: what the controller makes before Firecracker runs.
make_vm() {
    VM=$T/users/$(vm_id "$1")
    mkdir -p "$VM"
    : >"$VM/console.log"
    : >"$VM/firecracker-error.log"
}

archived() {
    [[ $(find "$T/archive" -maxdepth 1 -name "*-console-*" | wc -l) -eq $1 ]]
}

# copy_has N BYTES: that much of the console of VM N is in the spool.
copy_has() {
    [[ $(stat -c %s "$T/archive/.spool/$(vm_id "$1")/console.log") -eq $2 ]]
}

# kept_console N: what the archive has of the console of VM N.
kept_console() {
    zstd -dcq "$T/archive/$(vm_id "$1")"-console-*.log.zst
}

# names_cause N CAUSE: `analyze` names the cause of VM N.
names_cause() {
    expect 1 "$PROGRAM" analyze --json "$T/archive/$(vm_id "$1")"-console-*.log.zst
    [[ $(jq -r .verdict.cause "$T/out") == "$2" ]] || fail "VM $1: $(jq -r .verdict.cause "$T/out"), not $2"
}

# Each of the ways in which the controller removes a VM; on two of them it archives nothing itself.
test_preserve_keeps_what_each_way_of_removal_destroys() {
    local stamp=2025-11-06T20-49-08-451Z
    start_preserve
    mkdir "$T/users" # later than the start
    # 1: creation fails, the directory is removed at once
    make_vm 1
    console_of agent-module-missing >"$VM/console.log"
    echo 'Error: made up for this test' >"$VM/firecracker-error.log"
    wait_until copy_has 1 "$(console_of agent-module-missing | wc -c)"
    rm -r "$VM"
    # 2: readiness timeout: archived by the controller too, then removed while the VMM still writes
    make_vm 2
    exec 7>>"$VM/console.log"
    head -c 9000 <(console_of agent-port-in-use) >&7
    wait_until copy_has 2 9000
    cp "$VM/console.log" "$T/archive/$(vm_id 2)-console-$stamp.log"
    rm -r "$VM"
    console_of agent-port-in-use | tail -c +9001 >&7
    exec 7>&-
    # 3: the OAuth flow is over: some grace, then removed
    make_vm 3
    console_of agent-crash-loop >"$VM/console.log"
    sleep 0.5
    rm -r "$VM"
    # 4: cancelled: the directory is moved away, its logs truncated first
    make_vm 4
    console_of agent-runtime-incompatible-builtin >"$VM/console.log"
    wait_until copy_has 4 "$(console_of agent-runtime-incompatible-builtin | wc -c)"
    : >"$VM/console.log"
    mv "$VM" "$T/removed"
    wait_until archived 5
    stop_preserve
    rm "$T/archive/$(vm_id 2)-console-$stamp.log"
    local n cases=(agent-module-missing agent-port-in-use agent-crash-loop agent-runtime-incompatible-builtin)
    for n in 1 2 3 4; do
        cmp <(kept_console $n) <(console_of "${cases[n - 1]}")
    done
    [[ $(zstd -dcq "$T/archive/$(vm_id 1)"-error-*.log.zst) == 'Error: made up for this test' ]]
    names_cause 1 agent.module-missing
    names_cause 2 agent.port-in-use
    names_cause 3 agent.crash-loop
    names_cause 4 agent.runtime-incompatible
    jq -e '.preserved.console.truncations == 1' "$T/archive/$(vm_id 4)"-boot-*.json >/dev/null
    [[ $(find "$T/archive/.spool" -mindepth 1 -not -name .lock) == "" ]]
}

test_preserve_goes_on_after_kill_9() {
    mkdir "$T/users"
    start_preserve
    make_vm 1 # removed while nobody looks
    console_of agent-hung >"$VM/console.log"
    make_vm 2 # lives on
    head -c 5000 <(console_of agent-hung) >"$VM/console.log"
    wait_until copy_has 1 "$(console_of agent-hung | wc -c)"
    wait_until copy_has 2 5000
    kill -KILL $keeper
    wait $keeper || true
    rm -r "$T/users/$(vm_id 1)"
    console_of agent-hung | tail -c +5001 >>"$VM/console.log"
    echo half >"$T/archive/.preserve-half" # synthetic: killed while it archived
    start_preserve
    wait_until archived 1
    wait_until copy_has 2 "$(console_of agent-hung | wc -c)"
    [[ ! -e $T/archive/.preserve-half ]]
    rm -r "$VM"
    wait_until archived 2
    stop_preserve
    cmp <(kept_console 1) <(console_of agent-hung)
    cmp <(kept_console 2) <(console_of agent-hung)
}

# Killed again and again while 40 VMs end: each is kept once, and whole.
test_preserve_survives_being_killed_at_any_time() {
    local i
    mkdir "$T/users"
    start_preserve
    for ((i = 1; i <= 40; i++)); do
        make_vm $i
        console_of agent-hung >"$VM/console.log"
    done
    wait_until copy_has 40 "$(console_of agent-hung | wc -c)"
    rm -r "$T/users"
    for i in 1.1 0.1 0.2 0.3; do
        sleep $i
        kill -KILL $keeper
        wait $keeper || true
        start_preserve
    done
    wait_until archived 40
    stop_preserve
    for ((i = 1; i <= 40; i++)); do
        cmp <(kept_console $i) <(console_of agent-hung)
    done
}

test_preserve_200_at_once() {
    local i lines
    mkdir "$T/users"
    console_of agent-hung >"$T/console"
    start_preserve --quiet
    for ((i = 1; i <= 200; i++)); do
        make_vm $i
        cp "$T/console" "$VM/console.log"
    done
    wait_until copy_has 200 "$(wc -c <"$T/console")"
    rm -r "$T/users"
    wait_until archived 200
    lines=$(grep VmHWM /proc/$keeper/status | tr -dc 0-9)
    [[ $lines -lt 100000 ]] || fail "$lines KiB of memory"
    stop_preserve
    for ((i = 1; i <= 200; i++)); do
        zstd -dcq "$T/archive/$(vm_id $i)"-console-*.log.zst | cmp - "$T/console"
    done
    [[ $(find "$T/archive" -maxdepth 1 -type f | wc -l) -eq 600 ]]
    [[ ! -s $T/preserve.err ]] || fail "$(cat "$T/preserve.err")"
}

# Runs in a mount namespace of its own: $T/archive is 1 MiB large.
play_full_disk() {
    source tests/lib.sh
    source tests/cli/preserve.sh
    mount -t tmpfs -o size=1m none "$T/archive"
    mkdir "$T/users"
    head -c 2000000 /dev/zero >"$T/archive/other" 2>/dev/null || true
    start_preserve
    make_vm 1
    console_of agent-hung >"$VM/console.log"
    wait_until grep -q 'No space left on device' "$T/preserve.err"
    rm -r "$VM" # only an open descriptor leads to it now
    sleep 2
    archived 0
    rm "$T/archive/other"
    wait_until archived 1
    stop_preserve
    cmp <(kept_console 1) <(console_of agent-hung)
    [[ $(grep -c 'No space left' "$T/preserve.err") -eq 1 ]] || fail "said again and again"
}

test_preserve_waits_while_the_disk_is_full() {
    unshare -m true || skip "no mount namespace to be had here"
    mkdir "$T/archive"
    export T PROGRAM CASES
    export -f play_full_disk
    unshare -m bash -c 'set -euo pipefail; play_full_disk'
}

# Runs in a mount namespace of its own: another file system is mounted over the users directory.
play_other_file_system() {
    source tests/lib.sh
    source tests/cli/preserve.sh
    mkdir "$T/users"
    start_preserve
    make_vm 1
    console_of agent-hung >"$VM/console.log"
    wait_until copy_has 1 "$(console_of agent-hung | wc -c)"
    mount -t tmpfs none "$T/users"
    wait_until archived 1
    make_vm 2
    console_of agent-hung >"$VM/console.log"
    wait_until copy_has 2 "$(console_of agent-hung | wc -c)"
    rm -r "$VM"
    wait_until archived 2
    stop_preserve
    cmp <(kept_console 2) <(console_of agent-hung)
}

test_preserve_sees_another_users_directory() {
    unshare -m true || skip "no mount namespace to be had here"
    export T PROGRAM CASES
    export -f play_other_file_system
    unshare -m bash -c 'set -euo pipefail; play_other_file_system'
}

# Runs in a network namespace of its own, where 192.168.100.50 is ours and answers.
play_healthy_vm() {
    source tests/lib.sh
    source tests/cli/preserve.sh
    ip link set lo up
    ip address add 192.168.100.50/32 dev lo
    mkdir "$T/users" "$T/www"
    echo '{"status":"ok"}' >"$T/www/health"
    python3 -m http.server --bind 192.168.100.50 --directory "$T/www" 8080 >"$T/http" 2>&1 &
    local server=$! n
    start_preserve
    for n in 1 2; do
        make_vm $n
        console_of agent-hung >"$VM/console.log"
        # synthetic: 1 has the address that answers, 2 one that nobody has
        printf '{"boot-source": {"boot_args": "console=ttyS0 ip=192.168.100.5%d::192.168.100.1:255.255.255.0::eth0:off"}}' \
            $((n - 1)) >"$VM/vm-config.json"
    done
    wait_until grep -q '"end": "ready"' "$T/archive/.spool/$(vm_id 1)/state.json"
    rm -r "$T/users"
    wait_until archived 1
    stop_preserve
    kill $server
    kept_console 2 >/dev/null
    [[ ! -e $T/archive/.spool/$(vm_id 1) ]]
}

test_preserve_keeps_no_healthy_vm() {
    unshare -n true || skip "no network namespace to be had here"
    export T PROGRAM CASES
    export -f play_healthy_vm
    unshare -n bash -c 'set -euo pipefail; play_healthy_vm'
}

test_preserve_once_and_what_it_refuses() {
    local options=(preserve --once --users "$T/users" --archive "$T/archive")
    expect 0 "$PROGRAM" "${options[@]}" # there is no users directory yet
    make_vm 1
    echo synthetic >"$VM/console.log"
    mkdir "$T/users/"$'vm-\033[2J' "$T/users/vm a" "$T/users/.hidden"
    ln -s /etc "$T/users/vm-link"
    expect 0 "$PROGRAM" "${options[@]}"
    contains "$T/err" 'vm-\x1b[2J: no name for a VM'
    no_escapes "$T/err"
    [[ $(ls "$T/archive/.spool") == "$(vm_id 1)" ]]
    rm -r "$VM"
    expect 0 "$PROGRAM" "${options[@]}" --plain
    [[ $(cat "$T/archive/$(vm_id 1)"-console-*.log) == synthetic ]]
    refused '--keep: expected an age' "$PROGRAM" "${options[@]}" --keep 3weeks
    refused '--max-bytes: expected a size' "$PROGRAM" "${options[@]}" --max-bytes -5
    refused '--max-count: expected' "$PROGRAM" "${options[@]}" --max-count x
    refused 'unexpected argument' "$PROGRAM" "${options[@]}" now
    refused 'cannot create the directory' "$PROGRAM" preserve --once --archive /proc/nowhere
    start_preserve
    wait_until test -d "$T/archive/.spool"
    sleep 0.5
    refused 'another bootdiag preserve works there' "$PROGRAM" "${options[@]}"
    stop_preserve
}

test_preserve_retention() {
    local i
    mkdir "$T/archive" "$T/users"
    for i in 1 2 3; do
        echo synthetic >"$T/archive/$(production_name $i console "")"
        echo synthetic >"$T/archive/$(production_name $i error "")"
    done
    echo mine >"$T/archive/notes.txt"
    touch -d '40 days ago' "$T/archive/$(production_name 1 console "")" "$T/archive/$(production_name 1 error "")" \
        "$T/archive/notes.txt"
    touch -d '2 days ago' "$T/archive/$(production_name 2 console "")" "$T/archive/$(production_name 2 error "")"
    expect 0 "$PROGRAM" preserve --once --users "$T/users" --archive "$T/archive"
    contains "$T/err" 'removed 1 old boots'
    [[ ! -e $T/archive/$(production_name 1 error "") && -e $T/archive/$(production_name 2 console "") ]]
    expect 0 "$PROGRAM" preserve --once --users "$T/users" --archive "$T/archive" --max-count 1 --keep 1s
    [[ ! -e $T/archive/$(production_name 2 error "") && -e $T/archive/$(production_name 3 error "") ]]
    [[ -e $T/archive/notes.txt ]] # not ours
    expect 0 "$PROGRAM" preserve --once --users "$T/users" --archive "$T/archive" --max-bytes 1 --min-age 0
    [[ $(find "$T/archive" -maxdepth 1 -type f) == "$T/archive/notes.txt" ]]
}
