# Sourced by run.sh: what was booted stands in every record, and what a baseline is held against. QEMU is a script
# that says its version and boots nothing; the good boots are synthetic.

# make_target: $T/target.json and the images that it names; what the script was asked is kept in $T/asked.
make_target() {
    cat >"$T/qemu" <<EOF
#!/bin/sh
echo "\$1" >>'$T/asked'
[ "\$1" = --version ] || { echo 'qemu: unsupported machine type' >&2; exit 1; }
echo 'QEMU emulator version 9.1.2 (Debian 1:9.1.2)'
EOF
    chmod +x "$T/qemu"
    printf kernel >"$T/kernel"
    printf initrd >"$T/initrd"
    truncate -s 3M "$T/rootfs"
    touch -d 2025-11-06T20:47:04Z "$T/kernel" "$T/initrd" "$T/rootfs"
    cat >"$T/target.json" <<EOF
{"kernel": "kernel", "initrd": "initrd", "rootfs": "rootfs", "cmdline": "console=ttyS0 quiet", "memory_mib": 96,
 "vcpus": 2, "qemu": {"binary": "$T/qemu", "machine": "microvm", "accelerator": "tcg"}}
EOF
    export XDG_CACHE_HOME=$T/cache
}

# run_it OPTION...: two boots, none of which can start, into the new directory $T/run.
run_it() {
    rm -rf "$T/run"
    expect 2 "$PROGRAM" run --target "$T/target.json" --quiet --boots 2 --jobs 1 --out "$T/run" "$@"
}

# good_boots FILTER: three good records in $T/good, of what $T/first.json booted, changed by a jq filter.
good_boots() {
    rm -rf "$T/good"
    make_baseline "$T/good" 3
    local boot
    for boot in "$T"/good/boot-*; do
        jq '.end = "ready" | .ready_ms = 6000 | .ended_ms = 6500 | .vmm.error = null | .vmm.error_cause = null |
            .vmm.exit_code = null' "$T/first.json" | jq "$1" >"$boot/boot.json"
    done
}

test_records_say_what_was_booted() {
    make_target
    run_it --no-baseline
    [[ $(grep -c -- --version "$T/asked") -eq 1 ]] || fail "asked more than once: $(cat "$T/asked")"
    local boot image sum
    for boot in "$T"/run/boot-0001 "$T"/run/boot-0002; do
        for image in kernel initrd rootfs; do
            sum=$(sha256sum <"$T/$image")
            jq -e --arg path "$T/$image" --arg sha256 "${sum%% *}" --argjson size "$(stat -c %s "$T/$image")" \
                ".images.$image == {path: \$path, size: \$size, mtime: \"2025-11-06T20:47:04Z\", sha256: \$sha256}" \
                "$boot/boot.json" >/dev/null || fail "$(jq .images "$boot/boot.json")"
        done
        jq -e --arg kernel "$(uname -sr)" '.vmm.version == "9.1.2" and .host.kernel == $kernel and
            .guest.memory_mib == 96 and .guest.vcpus == 2 and
            .guest.cmdline == "console=ttyS0 quiet tsc_early_khz=2600000"' "$boot/boot.json" >/dev/null ||
            fail "$(cat "$boot/boot.json")"
    done
}

test_a_played_record_stays_what_it_was() {
    mkdir "$T/kept"
    echo '[    0.000000] Linux version 6.1.0' >"$T/kept/console.log" # synthetic, and nothing else is known of it
    replay_target "$T/target.json" "$T/kept"
    "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 1 --out "$T/run" >"$T/out" || [[ $? -eq 1 ]]
    jq -e '.replayed and .host.kernel == null and .vmm.version == null and .guest.cmdline == null and
        .guest.memory_mib == 0 and .images == {kernel: {}, initrd: {}, rootfs: {}}' "$T/run/boot-0001/boot.json" \
        >/dev/null || fail "$(cat "$T/run/boot-0001/boot.json")"
}

test_images_are_not_read_twice() {
    make_target
    local old sum entry before
    old=$(realpath "$(command -v bash)") # not changed in the last seconds
    sum=$(sha256sum <"$old")
    run_it --no-baseline --set "kernel=$old"
    entry=$(grep -l -- "$old" "$T"/cache/bootdiag/*)
    before=$(stat -c %i "$entry")
    run_it --no-baseline --set "kernel=$old"
    [[ $(stat -c %i "$entry") == "$before" ]] || fail "what was remembered was written again"
    echo rubbish >"$entry"
    run_it --no-baseline --set "kernel=$old"
    [[ $(jq -r .images.kernel.sha256 "$T/run/boot-0001/boot.json") == "${sum%% *}" ]]
    contains "$entry" "${sum%% *}"
    # No cache is to be had, and nothing is said about that: it only takes longer.
    export XDG_CACHE_HOME=/proc/none
    run_it --no-baseline --set "kernel=$old"
    [[ $(jq -r .images.kernel.sha256 "$T/run/boot-0001/boot.json") == "${sum%% *}" ]]
}

test_run_warns_of_other_circumstances() {
    make_target
    run_it --no-baseline
    cp "$T/run/boot-0001/boot.json" "$T/first.json"
    good_boots .
    run_it --baseline "$T/good"
    ! grep 'was recorded' "$T/err" || fail "warned of nothing"
    local change words
    while IFS='|' read -r change words; do
        good_boots "$change"
        run_it --baseline "$T/good"
        contains "$T/err" "the baseline was recorded with $words: differences may come from that"
    done <<EOF
.guest.memory_mib = 512|another memory size
.guest.vcpus = 1|another number of vCPUs
.guest.cmdline = "console=ttyS0"|another kernel command line
.vmm.version = "7.2.22"|another version of the VMM
.host.parallel_boots = 4|another number of parallel boots
EOF
    good_boots '.images.initrd.sha256 = "00" | .host.kernel = "Linux 1.0" | .images.kernel.path = "/elsewhere"'
    run_it --baseline "$T/good"
    ! grep 'was recorded' "$T/err" || fail "warned of what makes no difference"
}

test_run_refuses_another_identity() {
    make_target
    run_it --no-baseline
    cp "$T/run/boot-0001/boot.json" "$T/first.json"
    local change
    for change in '.images.kernel.sha256 = "00"' '.images.rootfs.sha256 = "00"' '.backend = "firecracker"' \
        '.probe.network = "tap"'; do
        good_boots "$change"
        run_it --baseline "$T/good"
        contains "$T/err" 'was recorded from another image'
        [[ ! -e $T/run/boot-0001 ]] || fail "it was booted all the same"
        run_it --baseline "$T/good" --force-baseline
        [[ -e $T/run/boot-0002 ]]
    done
    good_boots 'del(.images)'
    run_it --baseline "$T/good"
    contains "$T/err" 'does not say what it was booted from'
}

test_sizes_that_are_not_known_are_not_told() {
    cp -r "$(case_of kernel.out-of-memory-early)" "$T/record"
    expect 1 "$PROGRAM" analyze "$T/record"
    contains "$T/out" "memory: 56 MiB; kernel: $(jq .images.kernel.size "$T/record/boot.json") bytes; initrd: "
    jq 'del(.images)' "$T/record/boot.json" >"$T/changed"
    cp "$T/changed" "$T/record/boot.json"
    expect 1 "$PROGRAM" analyze "$T/record"
    contains "$T/out" 'memory: 56 MiB; watched for '
}
