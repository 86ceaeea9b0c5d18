# Sourced by run.sh: kept boots, many and odd ones.

# production_name N KIND SUFFIX: as the controller archives it; the stamp grows with N.
production_name() {
    printf 'vm-00000000-0000-4000-8000-%012d-%s-2025-11-06T20-%02d-%02d-451Z.log%s' \
        "$1" "$2" $(($1 / 60)) $(($1 % 60)) "$3"
}

# make_archive DIR N: copies of all cases under production names, plain and compressed in turn.
make_archive() {
    local i case cases=("$CASES"/*/)
    mkdir -p "$1"
    for ((i = 0; i < $2; i++)); do
        case=${cases[i % ${#cases[@]}]}
        cat "$case/console.log" 2>/dev/null >"$T/console" || zstd -dcq "$case/console.log.zst" >"$T/console"
        case $((i % 3)) in
            0) cp "$T/console" "$1/$(production_name $i console "")" ;;
            1) gzip -c "$T/console" >"$1/$(production_name $i console .gz)" ;;
            2) zstd -qc "$T/console" >"$1/$(production_name $i console .zst)" ;;
        esac
        cat "$case/vmm.log" >"$1/$(production_name $i error "")" 2>/dev/null || true # often empty
    done
}

test_analyze_many_at_a_time() {
    make_archive "$T/archive" 60
    local jobs
    for jobs in 1 2 7; do
        expect 1 "$PROGRAM" analyze --json -j $jobs "$T/archive"
        mv "$T/out" "$T/out.$jobs"
    done
    cmp "$T/out.1" "$T/out.2"
    cmp "$T/out.1" "$T/out.7"
    [[ $(wc -l <"$T/out.1") -eq 60 ]]
    # Their stamps are one second apart, and so are their numbers.
    jq -r .source "$T/out.1" | grep -o '8000-[0-9]*' | LC_ALL=C sort -cu
    # The table says what the lines say.
    expect 1 "$PROGRAM" analyze "$T/archive"
    contains "$T/out" '60 boots: '
    contains "$T/out" 'kept 2025-11-06 20:00 UTC'
    local cause=agent.module-missing count
    count=$(jq -r --arg cause $cause 'select(.verdict.cause == $cause) | .source' "$T/out.1" | wc -l)
    [[ $count -gt 0 ]]
    grep -qE "^ +$count +[0-9]+ %  $cause " "$T/out" || fail "$(cat "$T/out")"
    refused '--jobs: expected 1-256' "$PROGRAM" analyze -j 0 "$T/archive"
}

# One leads nowhere, one is damaged, one is no record, one has no VMM log.
test_analyze_what_can_be_read() {
    make_archive "$T/mixed" 20
    ln -s nowhere "$T/mixed/$(production_name 100 console "")"
    head -c 200 /dev/urandom >"$T/mixed/$(production_name 101 console .gz)"
    mkdir "$T/mixed/broken" "$T/mixed/empty"
    echo '{"schema": 5' >"$T/mixed/broken/boot.json"
    cp "$T/mixed/$(production_name 0 console "")" "$T/mixed/$(production_name 102 console "")"
    ln -s nowhere "$T/mixed/$(production_name 102 error "")"
    cp -r "$(case_of kernel.panic)" "$T/mixed/boot-0001"
    mkfifo "$T/mixed/$(production_name 103 console "")"
    echo 'not a console' >"$T/mixed/notes.txt"
    expect 2 "$PROGRAM" analyze --json "$T/mixed"
    [[ $(wc -l <"$T/out") -eq 22 ]] || fail "$(wc -l <"$T/out") lines"
    [[ $(wc -l <"$T/err") -eq 4 ]] || fail "$(cat "$T/err")"
    contains "$T/err" "$(production_name 100 console ""): No such file"
    contains "$T/err" "$(production_name 101 console .gz): damaged gzip data"
    contains "$T/err" "broken/boot.json: line "
    contains "$T/err" "$(production_name 102 error "")"
    expect 2 "$PROGRAM" analyze "$T/mixed"
    contains "$T/out" '22 boots: '
    contains "$T/out" '3 could not be read'
}

# Standard input that never ends is the last boot; those before it are out by then.
start_endless_analysis() {
    local i cases=("$CASES"/*/)
    mkfifo "$T/endless"
    : >"$T/out" # not the lines of a run before
    sleep 60 >"$T/endless" &
    sleeper=$!
    "$PROGRAM" analyze --json -j 2 "${cases[0]}" "${cases[1]}" "${cases[2]}" - <"$T/endless" >"$T/out" \
        2>"$T/err" &
    analyzer=$!
    for ((i = 0; i < 600; i++)); do
        if [[ $(wc -l <"$T/out") -eq 3 ]]; then
            return
        fi
        sleep 0.1
    done
    fail "the first three boots did not come out"
}

test_analyze_ends_at_a_signal() {
    local signal status
    for signal in INT TERM; do
        start_endless_analysis
        kill -$signal $analyzer
        status=0
        wait $analyzer || status=$?
        kill $sleeper
        [[ $status -eq 2 ]] || fail "exit status $status"
        contains "$T/err" 'interrupted: not all of the 4 boots were analysed'
        jq -es 'length == 3' "$T/out" >/dev/null
        rm "$T/endless"
    done
}

# Only the one that waits for standard input has something to lose.
test_analyze_survives_its_workers() {
    start_endless_analysis
    local status=0 children
    children=$(cat /proc/$analyzer/task/*/children)
    [[ -n $children ]] || fail "no workers"
    # shellcheck disable=SC2086
    kill -KILL $children
    wait $analyzer || status=$?
    kill $sleeper
    [[ $status -eq 2 ]] || fail "exit status $status"
    contains "$T/err" '-: its analysis ended by signal 9'
    jq -es 'length == 3' "$T/out" >/dev/null
}

# Synthetic: nothing was printed; FreeBSD's boot messages, shortened.
test_analyze_consoles_that_say_nothing() {
    : >"$T/empty"
    printf '\n\r\n\n' >"$T/blank"
    cat >"$T/bsd" <<'EOF'
Copyright (c) 1992-2021 The FreeBSD Project.
FreeBSD is a registered trademark of The FreeBSD Foundation.
FreeBSD 13.2-RELEASE releng/13.2-n254617-525ecfdad597 GENERIC amd64
CPU: AMD EPYC Processor (2445.40-MHz K8-class CPU)
real memory  = 536870912 (512 MB)
vtnet0: <VirtIO Networking Adapter> on virtio_pci0
vtnet0: Ethernet address: 52:54:00:12:34:56
Trying to mount root from ufs:/dev/vtbd0p2 [rw]...
Starting file system checks:
/dev/vtbd0p2: FILE SYSTEM CLEAN; SKIPPING CHECKS
Mounting local filesystems:.
DHCPDISCOVER on vtnet0 to 255.255.255.255 port 67 interval 7
DHCPOFFER from 10.0.2.2
DHCPACK from 10.0.2.2
bound to 10.0.2.15 -- renewal in 43200 seconds.
Starting sshd.

FreeBSD/amd64 (freebsd) (ttyu0)

login:
EOF
    local file
    for file in empty blank bsd; do
        expect 1 "$PROGRAM" analyze --json "$T/$file"
        jq -e '.outcome == "undetermined" and .verdict == null' "$T/out" >/dev/null || fail "$(cat "$T/out")"
        tests/cli/check_schema.py --lines reports/schema/analysis.json "$T/out"
        expect 1 "$PROGRAM" analyze "$T/$file"
        contains "$T/out" "$file: undetermined"
    done
}
