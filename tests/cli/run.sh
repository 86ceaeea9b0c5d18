#!/usr/bin/env bash
# The program from outside, without a VM: what a user types, what it answers: run.sh PROGRAM [TEST]...
# UPDATE=1 rewrites golden/.
set -euo pipefail
cd "$(dirname "$0")/../.."
PROGRAM=$1
source tests/lib.sh

CASES=fixtures/cases
GOLDEN=tests/cli/golden
export XDG_CACHE_HOME=/dev/null # nothing is left in the user's own

# replay_target FILE RECORDS: a target that plays kept records.
replay_target() {
    printf '{"name": "replayed", "backend": "replay", "replay": {"records": "%s"}}\n' \
        "$(realpath "$2")" >"$1"
}

# The case named after CAUSE; for an empty CAUSE a good boot of which there is nothing to tell.
case_of() {
    local name=good-two-vcpus
    [[ -z $1 ]] || name=${1/./-}
    [[ -d $CASES/$name.debian-12 ]] || fail "no case for the cause '$1'"
    echo "$CASES/$name.debian-12"
}

# refused TEXT COMMAND...: status 2, one message that contains TEXT, nothing on standard output.
refused() {
    local text=$1
    shift
    expect 2 "$@"
    contains "$T/err" "$text"
    [[ ! -s $T/out ]] || fail "standard output is not empty"
}

# The same output on every machine and at every time: only paths of this test are replaced.
golden() {
    sed -e "s|$T|DIR|g" -e "s|$PROGRAM|bootdiag|g" "$2" >"$T/actual"
    if [[ -n ${UPDATE:-} ]]; then
        mkdir -p $GOLDEN
        cp "$T/actual" "$GOLDEN/$1"
    fi
    diff -u "$GOLDEN/$1" "$T/actual"
}

no_escapes() {
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$1" || fail "control bytes in $1"
}

# ---- usage ----------------------------------------------------------------------------------------

test_usage() {
    expect 0 "$PROGRAM" --help
    contains "$T/out" analyze
    expect 0 "$PROGRAM" --version
    expect 2 "$PROGRAM"
    refused 'there is no command "frobnicate"' "$PROGRAM" frobnicate
    refused 'unknown option --boost' "$PROGRAM" run --boost
    refused 'needs a value' "$PROGRAM" run --boots
    local command
    for command in run analyze diff report baseline target list rules preserve; do
        expect 0 "$PROGRAM" "$command" --help
        contains "$T/out" "Usage:"
    done
}

test_list() {
    local what
    for what in backends causes rules faults; do
        expect 0 "$PROGRAM" list $what
        [[ -s $T/out ]] || fail "list $what printed nothing"
    done
    expect 0 "$PROGRAM" list causes
    [[ $(wc -l <"$T/out") -eq $(jq '.causes | length' fixtures/contract/causes.json) ]]
    refused 'expected backends, causes, rules or faults' "$PROGRAM" list animals
}

test_closed_or_full_output_is_an_error() {
    local command status good
    good=$(case_of "")
    for command in --help --version 'analyze --help' 'list causes' "analyze $good" "analyze --json $good"; do
        status=0
        # shellcheck disable=SC2086
        "$PROGRAM" $command >&- 2>"$T/err" || status=$?
        [[ $status -eq 2 && $(wc -l <"$T/err") -eq 1 ]] || fail "$command: $status, $(cat "$T/err")"
        status=0
        # shellcheck disable=SC2086
        "$PROGRAM" $command >/dev/full 2>"$T/err" || status=$?
        [[ $status -eq 2 && $(wc -l <"$T/err") -eq 1 ]] || fail "$command: $status, $(cat "$T/err")"
        # shellcheck disable=SC2086
        "$PROGRAM" $command >"$T/out" 2>&-
    done
}

test_empty_and_endless_arguments() {
    local long deep
    refused 'analyze: argument 1 is empty' "$PROGRAM" analyze ""
    refused 'run: --out: the value is empty' "$PROGRAM" run --out ""
    refused 'analyze: --baseline: the value is empty' "$PROGRAM" analyze --baseline= "$(case_of "")"
    long=$(printf 'a%.0s' {1..5000})
    deep=$(printf 'a/%.0s' {1..3000})
    refused 'File name too long' "$PROGRAM" analyze "$long"
    refused 'File name too long' "$PROGRAM" analyze "$deep"
    refused 'File name too long' "$PROGRAM" analyze --baseline "$long" "$(case_of "")"
    refused 'File name too long' "$PROGRAM" run --target "$long"
}

# ---- bad input of run -----------------------------------------------------------------------------

test_run_refuses_bad_input() {
    cat >"$T/good.json" <<EOF
{"kernel": "$PWD/Makefile", "rootfs": "$PWD/Makefile"}
EOF
    echo '{"memory_mib": ' >"$T/bad.json"
    echo '{"memory": 5}' >"$T/unknown.json"
    refused "$T/none.json" "$PROGRAM" run --target "$T/none.json"
    refused "$T/bad.json: line" "$PROGRAM" run --target "$T/bad.json"
    refused '"memory" is not a member' "$PROGRAM" run --target "$T/unknown.json"
    refused '"port": expected 1-65535, got 0' "$PROGRAM" run --target "$T/good.json" --set service.port=0
    refused 'no backend "xen"' "$PROGRAM" run --target "$T/good.json" --set backend=xen
    refused 'list faults' "$PROGRAM" run --target "$T/good.json" --fault nonsense
    refused "$T/no-kernel" "$PROGRAM" run --target "$T/good.json" --set "kernel=$T/no-kernel"
    refused "$T/no-image" "$PROGRAM" run --target "$T/good.json" --set "rootfs=$T/no-image"
    refused 'no-such-qemu' "$PROGRAM" run --target "$T/good.json" --set qemu.binary=no-such-qemu
    refused '--boots: expected' "$PROGRAM" run --target "$T/good.json" --boots 0
    refused '--color' "$PROGRAM" run --target "$T/good.json" --color sometimes
}

test_run_overwrites_nothing() {
    replay_target "$T/target.json" "$(case_of kernel.panic)"
    mkdir "$T/run"
    echo mine >"$T/run/file"
    refused 'is no empty directory' "$PROGRAM" run --target "$T/target.json" --out "$T/run"
    [[ $(ls "$T/run") == file && $(cat "$T/run/file") == mine ]]
    refused 'cannot create' "$PROGRAM" run --target "$T/target.json" --out /proc/nowhere/run
}

test_run_says_that_the_disk_is_full() {
    unshare -m true || skip "no mount namespace to be had here"
    mkdir "$T/record" "$T/small"
    head -c 3000000 /dev/zero | tr '\0' 'x' >"$T/record/console.log" # synthetic
    replay_target "$T/target.json" "$T/record"
    local status=0
    unshare -m bash -c "mount -t tmpfs -o size=1m none '$T/small' &&
        '$PROGRAM' run --target '$T/target.json' --no-baseline --quiet --boots 1 --out '$T/small/run'" \
        >"$T/out" 2>"$T/err" || status=$?
    [[ $status -eq 2 ]] || fail "exit status $status"
    contains "$T/err" 'No space left on device'
}

test_no_room_for_a_copy_is_said_before_it_is_made() {
    unshare -m true || skip "no mount namespace to be had here"
    mkdir "$T/small"
    head -c 4000000 /dev/urandom >"$T/image"
    echo "{\"kernel\": \"$PWD/Makefile\", \"rootfs\": \"$T/image\"}" >"$T/target.json"
    local status=0
    unshare -m bash -c "mount -t tmpfs -o size=1m none '$T/small' && TMPDIR='$T/small' \
        '$PROGRAM' run --target '$T/target.json' --no-baseline --quiet --fault agent-hung --out '$T/run'" \
        >"$T/out" 2>"$T/err" || status=$?
    [[ $status -eq 2 ]] || fail "exit status $status"
    contains "$T/err" 'make room, or set TMPDIR'
    [[ ! -e $T/run ]] || fail "left behind: $T/run"
}

test_run_into_an_empty_mount_point() {
    unshare -m true || skip "no mount namespace to be had here"
    mkdir "$T/mounted" "$T/empty"
    replay_target "$T/target.json" "$(case_of kernel.panic)"
    local status=0
    unshare -m bash -c "mount -t tmpfs none '$T/mounted' && mkdir '$T/mounted/lost+found' &&
        '$PROGRAM' run --target '$T/target.json' --no-baseline --quiet --boots 1 --out '$T/mounted' &&
        exit 9; test -s '$T/mounted/report.json'" >"$T/out" 2>"$T/err" || status=$?
    [[ $status -eq 0 ]] || fail "exit status $status: $(cat "$T/err")"
    expect 1 "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 1 --out "$T/empty"
    [[ -s $T/empty/report.json ]]
}

test_preflight_stands_in_the_json() {
    echo "{\"kernel\": \"$T/none\"}" >"$T/target.json"
    expect 2 "$PROGRAM" run --target "$T/target.json" --json
    jq -e '.preflight[0].cause == "vmm.kernel-missing"' "$T/out" >/dev/null
    tests/cli/check_schema.py reports/schema/report.json "$T/out"
}

test_baseline_of_another_image_is_refused() {
    cp -r "$(case_of kernel.panic)" "$T/failed"
    mkdir "$T/good"
    local good
    good=$(case_of "")
    jq '.images.rootfs.sha256 = "00"' "$good/boot.json" >"$T/good/boot.json"
    cp "$good"/console.* "$T/good/"
    refused 'another image' "$PROGRAM" analyze --baseline "$T/good" "$T/failed"
    expect 1 "$PROGRAM" analyze --force-baseline --baseline "$T/good" "$T/failed"
}

# ---- target ---------------------------------------------------------------------------------------

test_target_init_and_check() {
    expect 0 "$PROGRAM" target init "$T/target.json"
    tests/cli/check_schema.py reports/schema/target.json "$T/target.json"
    refused 'not overwritten' "$PROGRAM" target init "$T/target.json"
    refused "$T/target.json" "$PROGRAM" target check "$T/target.json"
    replay_target "$T/replay.json" "$(case_of kernel.panic)"
    expect 0 "$PROGRAM" target check "$T/replay.json"
    tests/cli/check_schema.py reports/schema/target.json fixtures/targets/bundled.json
}

# ---- analyze --------------------------------------------------------------------------------------

test_analyze_names_every_case() {
    "$PROGRAM" analyze --json $CASES/*/ >"$T/out" || [[ $? -eq 1 ]]
    tests/cli/check_schema.py --lines reports/schema/analysis.json "$T/out"
    [[ $(wc -l <"$T/out") -eq $(ls -d $CASES/*/ | wc -l) ]]
}

test_analyze_exit_status() {
    expect 0 "$PROGRAM" analyze "$(case_of "")"
    expect 1 "$PROGRAM" analyze "$(case_of kernel.panic)"
    mkdir "$T/empty"
    refused 'no boot record' "$PROGRAM" analyze "$T/empty"
    refused 'cannot read' "$PROGRAM" analyze "$T/none"
    expect 2 "$PROGRAM" analyze --json "$T/none" "$(case_of kernel.panic)"
    [[ $(jq -r .verdict.cause "$T/out") == kernel.panic ]]
}

test_analyze_bare_console_and_stdin() {
    local dir
    dir=$(case_of kernel.panic)
    cat "$dir"/console.log 2>/dev/null >"$T/console" || zstd -dcq "$dir/console.log.zst" >"$T/console"
    expect 1 "$PROGRAM" analyze --json "$T/console"
    [[ $(jq -r .verdict.cause "$T/out") == kernel.panic ]]
    "$PROGRAM" analyze --json - <"$T/console" >"$T/out" || [[ $? -eq 1 ]]
    [[ $(jq -r .verdict.cause "$T/out") == kernel.panic && $(jq -r .source "$T/out") == - ]]
    gzip -c "$T/console" | "$PROGRAM" analyze --json - >"$T/out" || [[ $? -eq 1 ]]
    [[ $(jq -r .verdict.cause "$T/out") == kernel.panic ]]
    zstd -qc "$T/console" | "$PROGRAM" analyze --json - >"$T/out" || [[ $? -eq 1 ]]
    [[ $(jq -r .verdict.cause "$T/out") == kernel.panic ]]
    refused 'standard input can be read once' "$PROGRAM" analyze - -
}

test_a_damaged_record_still_has_its_console() {
    mkdir "$T/record"
    echo '{"schema": 5' >"$T/record/boot.json"
    echo synthetic >"$T/record/console.log"
    refused "name $T/record/console.log" "$PROGRAM" analyze "$T/record"
}

test_analyze_many() {
    expect 1 "$PROGRAM" analyze $CASES
    contains "$T/out" kernel.panic
    expect 1 "$PROGRAM" analyze -vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv $CASES
    contains "$T/out" 'Kernel panic - not syncing'
    refused 'a report is printed with' "$PROGRAM" analyze "$T/report.json"
    # A reader that goes away is no error worth a word.
    "$PROGRAM" analyze -v $CASES 2>"$T/err" | head -n 1 >"$T/out" || true
    [[ ! -s $T/err ]] || fail "$(cat "$T/err")"
}

# What we keep ourselves is what the schemas say.
test_fixtures_match_their_schemas() {
    tests/cli/check_schema.py reports/schema/boot.json $CASES/*/boot.json
    tests/cli/check_schema.py reports/schema/case.json $CASES/*/case.json
    tests/cli/check_schema.py reports/schema/fault.json fixtures/faults/*/fault.json
    ! grep -n '@[A-Z]*@' README.md || fail "README has a placeholder"
}

# What would be recorded: every fault and every good boot at least once, no name twice.
test_lab_plan() {
    expect 0 fixtures/lab/lab.py --list --force
    [[ -z $(sort "$T/out" | uniq -d) ]] || fail "the lab names a case twice"
    local path name
    for path in fixtures/faults/*/fault.json; do
        name=$(basename "$(dirname "$path")")
        [[ $(jq -r '.only // ["debian-12"] | index("debian-12")' "$path") == null ]] ||
            contains "$T/out" "$name.debian-12"
    done
    expect 2 fixtures/lab/lab.py --only nothing-of-that-name --list
}

test_analyze_archives() {
    local dir id=vm-00000000-0000-4000-8000-000000000001
    dir=$(case_of kernel.panic)
    cat "$dir"/console.log 2>/dev/null >"$T/console" || zstd -dcq "$dir/console.log.zst" >"$T/console"
    mkdir -p "$T/archive/deep"
    gzip -c "$T/console" >"$T/archive/deep/$id-console-2025-11-06T20-49-08-451Z.log.gz"
    zstd -qc "$T/console" >"$T/archive/$id-console-2025-11-05T20-49-08-451Z.log.zst"
    : >"$T/archive/deep/$id-error-2025-11-06T20-49-08-460Z.log"
    expect 1 "$PROGRAM" analyze --json "$T/archive"
    [[ $(jq -r .verdict.cause "$T/out" | sort -u) == kernel.panic ]]
    [[ $(head -n1 "$T/out" | jq -r .source) == "$T/archive/$id-console-2025-11-05T20-49-08-451Z.log.zst" ]]
}

# Synthetic: bytes that no honest guest prints.
test_hostile_consoles() {
    printf '\0\0\033[31m\033]0;title\007Kernel\0 panic - not syncing: \377\376 \033[2J<script>\r\n' >"$T/a"
    head -c 100000000 /dev/zero | tr '\0' 'A' >"$T/b"
    head -c 3000000 /dev/urandom >"$T/c"
    : >"$T/d"
    printf 'no newline at the end \033[' >"$T/e"
    local file
    for file in a b c d e; do
        "$PROGRAM" analyze --json "$T/$file" >"$T/out" || [[ $? -eq 1 ]]
        jq -e . "$T/out" >/dev/null
        tests/cli/check_schema.py --lines reports/schema/analysis.json "$T/out"
        "$PROGRAM" analyze "$T/$file" >"$T/out" || [[ $? -eq 1 ]]
        no_escapes "$T/out"
    done
}

# ---- run through replay ---------------------------------------------------------------------------

test_replay_report() {
    mkdir "$T/records"
    cp -r "$(case_of "")" "$T/records/1"
    cp -r "$(case_of agent.module-missing)" "$T/records/2"
    cp -r "$(case_of agent.module-missing)" "$T/records/3"
    replay_target "$T/target.json" "$T/records"
    expect 1 "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 3 --jobs 1 --out "$T/run"
    golden replay.txt "$T/out"
    no_escapes "$T/out"
    tests/cli/check_schema.py reports/schema/report.json "$T/run/report.json"
    jq -e '.summary.boots == 3 and .summary.ready == 1' "$T/run/report.json" >/dev/null
    cp "$T/out" "$T/first"
    expect 0 "$PROGRAM" report "$T/run"
    diff -u "$T/first" "$T/out"
    expect 0 "$PROGRAM" report --format json "$T/run"
    jq -e . "$T/out" >/dev/null
}

test_replay_keeps_the_evidence() {
    local dir
    for dir in $CASES/*.debian-13/; do
        rm -rf "$T/run"
        replay_target "$T/target.json" "$dir"
        # A run in which every start failed could not do its job: status 2, and a record all the same.
        "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 1 --out "$T/run" \
            >"$T/out" || [[ $? -eq 1 || $(jq -r .end "$dir/boot.json") == start-failed ]]
        cat "$dir"/console.log 2>/dev/null >"$T/console" || zstd -dcq "$dir/console.log.zst" >"$T/console"
        cmp "$T/console" "$T/run/boot-0001/console.log"
        "$PROGRAM" analyze --json "$dir" >"$T/kept" || [[ $? -eq 1 ]]
        "$PROGRAM" analyze --json "$T/run/boot-0001" >"$T/played" || [[ $? -eq 1 ]]
        diff <(jq 'del(.source)' "$T/kept") <(jq 'del(.source)' "$T/played")
    done
}

test_analyze_text() {
    expect 1 "$PROGRAM" analyze "$(case_of network.not-configured)"
    golden analyze.txt "$T/out"
}

test_explain() {
    expect 1 "$PROGRAM" analyze --explain "$(case_of network.not-configured)"
    golden explain.txt "$T/out"
    expect 1 "$PROGRAM" analyze --explain --json $CASES/*/
    tests/cli/check_schema.py --lines analysis "$T/out"
    jq -e 'select(.verdict) | .explanation.considered[0].cause == .verdict.cause' "$T/out" >/dev/null
}

# Synthetic consoles: a good one, and one with other times and PIDs, a line less and a line more.
test_diff() {
    local boot=$T/boot.log good=$T/good.log
    printf '[    1.000000] a[10]: first 0x1f\r\n[    2.000000] b[11]: eth0: Gained carrier\r\n[    3.000000] c[12]: third\r\n' >"$good"
    printf '[    1.500000] a[20]: first 0x2f\r\n[    3.500000] c[22]: third\r\n[    4.500000] d[23]: \033[31mboom\r\n' >"$boot"
    expect 1 "$PROGRAM" diff "$boot" "$good"
    golden diff.txt "$T/out"
    no_escapes "$T/out"
    expect 1 "$PROGRAM" diff -y "$boot" "$good"
    golden diff-side-by-side.txt "$T/out"
    expect 1 "$PROGRAM" diff --json "$boot" "$good"
    tests/cli/check_schema.py comparison "$T/out"
    [[ $(jq -c '[.rows[].kind]' "$T/out") == '["same","missing","same","novel"]' ]]
    expect 0 "$PROGRAM" diff "$good" "$good"
    contains "$T/out" "0 lines differ"
    expect 1 "$PROGRAM" diff "$(case_of network.not-configured)" "$(case_of "")"
    contains "$T/out" "Gained carrier"
    refused 'name a boot, and at least one good one' "$PROGRAM" diff "$boot"
    refused 'name the one that is to be compared' "$PROGRAM" diff $CASES "$good"
    refused "$T/absent" "$PROGRAM" diff "$boot" "$T/absent"
}

for file in tests/cli/*.sh; do
    if [[ $file != tests/cli/run.sh ]]; then
        source "$file"
    fi
done
mapfile -t tests < <(all_tests tests/cli/*.sh)
if [[ $# -gt 1 ]]; then # only those that are named
    tests=("${@:2}")
fi
run_tests "${tests[@]}"
