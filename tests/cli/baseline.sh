# Sourced by run.sh: a baseline checked against itself.

# make_baseline DIR N: records of boots that came up. Synthetic: a few lines of a healthy console.
make_baseline() {
    local i
    for ((i = 1; i <= $2; i++)); do
        mkdir -p "$1/boot-000$i"
        cat >"$1/boot-000$i/boot.json" <<'EOF'
{"schema": "bootdiag.boot/1", "backend": "qemu", "end": "ready", "ready_ms": 6000,
 "guest": {"memory_mib": 512}, "probe": {"network": "user"},
 "images": {"kernel": {"sha256": "11"}, "rootfs": {"sha256": "22"}}}
EOF
        cat >"$1/boot-000$i/console.log" <<'EOF'
[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)
[    0.900000] EXT4-fs (vda): mounted filesystem with ordered data mode. Quota mode: none.
[    1.500000] systemd[1]: systemd 252.22-1~deb12u1 running in system mode
[    3.000000] systemd[1]: Reached target network.target - Network.
[    3.500000] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.
[    5.000000] start-all.sh[120]: {"msg":"VM Browser Agent started","port":8080,"vmIP":"10.0.2.15"}
EOF
    done
}

test_baseline_check() {
    make_baseline "$T/base" 5
    expect 0 "$PROGRAM" baseline check --json "$T/base"
    tests/cli/check_schema.py baseline-check "$T/out"
    jq -e '(.boots | length) == 5 and .expected.novel == 0 and .unseen_below == 0.6 and
        .templates.varying == 0' "$T/out" >/dev/null || fail "$(cat "$T/out")"
    # One boot says something of its own; another lacks what all others say.
    echo 'the moon is made of green cheese' >>"$T/base/boot-0002/console.log"
    sed -i '0,/EXT4-fs (vda)/{/EXT4-fs (vda)/d}' "$T/base/boot-0003/console.log"
    expect 0 "$PROGRAM" baseline check --json "$T/base"
    jq -e '.expected.novel == 0.2 and .boots[1].novel == ["the moon is made of green cheese"]' "$T/out" \
        >/dev/null || fail "$(cat "$T/out")"
    jq -e '[.templates.examples[].runs] == [4, 1]' "$T/out" >/dev/null || fail "$(cat "$T/out")"
    expect 0 "$PROGRAM" baseline check "$T/base"
    golden baseline-check.txt "$T/out"
}

test_baseline_check_refuses_pollution() {
    make_baseline "$T/base" 4
    # A boot that came up all the same.
    sed -i '3i [    2.000000] Kernel panic - not syncing: Attempted to kill init!' \
        "$T/base/boot-0002/console.log"
    jq '.guest.memory_mib = 77' "$T/base/boot-0003/boot.json" >"$T/changed"
    cp "$T/changed" "$T/base/boot-0003/boot.json"
    jq '.images.rootfs.sha256 = "00"' "$T/base/boot-0004/boot.json" >"$T/changed"
    cp "$T/changed" "$T/base/boot-0004/boot.json"
    cp -r "$(case_of kernel.panic)" "$T/base/boot-0005"
    expect 1 "$PROGRAM" baseline check --json "$T/base"
    tests/cli/check_schema.py baseline-check "$T/out"
    jq -e '[.refused[].source | split("/")[-1]] | sort == ["boot-0002", "boot-0005"]' "$T/out" >/dev/null ||
        fail "$(cat "$T/out")"
    jq -e '[.refused[].reason | select(startswith("is no baseline, although it came up: kernel."))] |
        length == 1' "$T/out" >/dev/null || fail "$(cat "$T/out")"
    jq -e '[.differs[].reason] == ["another memory size", "another image"]' "$T/out" >/dev/null ||
        fail "$(cat "$T/out")"
    # The same boots are left out where a failed boot is compared.
    expect 1 "$PROGRAM" analyze --json --force-baseline --baseline "$T/base" "$(case_of kernel.panic)"
    [[ $(jq .diff.runs "$T/out") -eq 3 ]]
    contains "$T/err" 'although it came up: kernel.'
}

test_a_baseline_of_one_boot() {
    make_baseline "$T/base" 1
    expect 0 "$PROGRAM" baseline check "$T/base"
    contains "$T/out" 'very little: one good boot shows nothing'
    expect 0 "$PROGRAM" baseline check --json "$T/base"
    jq -e '.expected == null and .unseen_below == 1 and .boots[0].compared == false' "$T/out" >/dev/null
    expect 1 "$PROGRAM" analyze --json --force-baseline --baseline "$T/base" "$(case_of kernel.panic)"
    contains "$T/err" 'only 1 good boot: a difference from it proves little'
    jq -e '.diff.runs == 1 and .diff.unseen_below == 1' "$T/out" >/dev/null
}

test_baseline_check_bad_input() {
    make_baseline "$T/base" 2
    mkdir "$T/empty" "$T/base/broken"
    echo '{' >"$T/base/broken/boot.json"
    refused 'expected `' "$PROGRAM" baseline check
    refused 'no boot record' "$PROGRAM" baseline check "$T/empty"
    refused 'holds no good boot' "$PROGRAM" baseline check "$(case_of kernel.panic)"
    expect 2 "$PROGRAM" baseline check --json "$T/base"
    contains "$T/err" 'broken/boot.json: line '
    jq -e '.boots | length == 2' "$T/out" >/dev/null
}
