# Sourced by run.sh: rules of a user's own.

# A case whose agent died of what the rule below knows.
case_of_session_map() {
    local dir
    for dir in "$CASES"/*/; do
        if [[ $(jq -r .cause "$dir/case.json") == agent.exception ]] &&
            cat "$dir"/console.log* | zstd -dcfq | grep 'Cannot read properties of undefined' >/dev/null; then
            echo "$dir"
            return
        fi
    done
    fail "no case of an agent that reads properties of undefined"
}

# A rule that is more exact than the built-in one.
write_own_rule() {
    cat >"$1" <<'EOF'
[{"id": "x.session-map", "layer": "agent", "cause": "x.session-map-lost", "severity": "error",
  "pattern": "TypeError: Cannot read properties of undefined \\(reading '(\\w+)'\\)",
  "literal": "Cannot read properties", "confidence": 0.95,
  "summary": "The session map is lost when $1 is called", "remedy": "Update the agent",
  "sample": "[   32.566612] start-all.sh[126]: TypeError: Cannot read properties of undefined (reading 'set')",
  "near_miss": "TypeError: Cannot read properties of null (reading 'set')"}]
EOF
}

test_own_rules_name_a_cause() {
    write_own_rule "$T/own.json"
    tests/cli/check_schema.py rules "$T/own.json"
    local case
    case=$(case_of_session_map)
    expect 1 "$PROGRAM" analyze --json --rules "$T/own.json" "$case"
    [[ $(jq -r .verdict.cause "$T/out") == x.session-map-lost ]] || fail "$(cat "$T/out")"
    jq -e '.verdict.summary | startswith("The session map is lost when set is called")' "$T/out" >/dev/null
    jq -e '.alternatives[0].why_not == "it follows from x.session-map-lost"' "$T/out" >/dev/null
    tests/cli/check_schema.py --lines analysis "$T/out"
    # In a boot to which they do not speak they change nothing; nor does a good boot become a failed one.
    local other
    for other in "$(case_of kernel.panic)" "$(case_of "")"; do
        "$PROGRAM" analyze --json "$other" >"$T/without" || [[ $? -eq 1 ]]
        "$PROGRAM" analyze --json --rules "$T/own.json" "$other" >"$T/with" || [[ $? -eq 1 ]]
        cmp "$T/without" "$T/with"
    done
    replay_target "$T/target.json" "$case"
    expect 1 "$PROGRAM" run --target "$T/target.json" --no-baseline --quiet --boots 1 --out "$T/run" \
        --rules "$T/own.json"
    [[ $(jq -r '.boots[0].analysis.verdict.cause' "$T/run/report.json") == x.session-map-lost ]]
    tests/cli/check_schema.py report "$T/run/report.json"
}

test_list_rules() {
    write_own_rule "$T/own.json"
    expect 0 "$PROGRAM" list rules --json
    tests/cli/check_schema.py rule-list "$T/out"
    local n
    n=$(jq length "$T/out")
    expect 0 "$PROGRAM" list rules --json --rules "$T/own.json"
    jq -e "length == $n + 1 and .[-1].id == \"x.session-map\"" "$T/out" >/dev/null
    expect 0 "$PROGRAM" list rules --rules "$T/own.json"
    contains "$T/out" x.session-map-lost
    refused '--json is there for rules only' "$PROGRAM" list causes --json
}

test_rules_test() {
    write_own_rule "$T/own.json"
    expect 0 "$PROGRAM" rules test "$T/own.json" --good "$(case_of "")"
    contains "$T/out" 'ok    x.session-map'
    cat >"$T/bad.json" <<'EOF'
[{"id": "x.catastrophe", "pattern": "fail (a+)+$", "summary": "s", "sample": "fail aaa", "near_miss": "fail"},
 {"id": "x.literal", "pattern": "err|fail", "literal": "err", "summary": "s", "sample": "err", "near_miss": "ok"},
 {"id": "x.sample", "pattern": "err", "summary": "s", "sample": "ok", "near_miss": "err"},
 {"id": "x.twin", "cause": "kernel.panic", "pattern": "Kernel panic", "summary": "s",
  "sample": "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00007f00", "near_miss": "no panic"},
 {"id": "x.wolf", "pattern": "Reached target", "summary": "s", "sample": "Reached target x", "near_miss": "x"},
 {"id": "x.fine", "pattern": "disk is lost", "summary": "s", "sample": "disk is lost", "near_miss": "disk"}]
EOF
    printf '[    4.437932] systemd[1]: Reached target x.\nnode 0 deferred pages\n' >"$T/good.log" # synthetic
    expect 1 "$PROGRAM" rules test "$T/bad.json" --good "$T/good.log"
    golden rules-test.txt "$T/out"
    refused 'good boots: ' "$PROGRAM" rules test "$T/own.json" --good "$(case_of kernel.panic)"
    refused 'expected `' "$PROGRAM" rules test
}

test_bad_rules_are_refused() {
    local text command
    echo '[{"id": "x.a", "pattern": "a(b", "summary": "s"}]' >"$T/column.json"
    echo '[{"id": "x.a", "pattern": "a", "summary": "s"' >"$T/cut.json"
    echo '{"id": "x.a"}' >"$T/object.json"
    write_own_rule "$T/own.json"
    for command in "analyze --rules" "run --no-baseline --rules" "list rules --rules" "rules test"; do
        # shellcheck disable=SC2086
        refused "$T/column.json: rule x.a: column 4 of its pattern: missing closing parenthesis" \
            "$PROGRAM" $command "$T/column.json"
        # shellcheck disable=SC2086
        refused "$T/cut.json: line 2" "$PROGRAM" $command "$T/cut.json"
        # shellcheck disable=SC2086
        refused "$T/object.json: expected a JSON array" "$PROGRAM" $command "$T/object.json"
        # shellcheck disable=SC2086
        refused "cannot read $T/none.json" "$PROGRAM" $command "$T/none.json"
    done
    refused 'the id x.session-map stands there twice' "$PROGRAM" list rules --rules "$T/own.json" \
        --rules "$T/own.json"
}
