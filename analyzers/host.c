/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what the host lacked, as its VMM says it or as the record measured it; and what the
 * controller answered.
 */
#include <string.h>
#include <strings.h>

#include "analyzers/analyzer.h"
#include "analyzers/chars.h"

static const struct rule rules[] = {
    {
        .id = "host.kvm",
        .file = RULE_VMM_LOG,
        .cause = "host.kvm-unavailable",
        .severity = SEVERITY_FATAL,
        .confidence = 0.97,
        .pattern = "Could not access KVM kernel module|failed to initialize kvm|kvm "
                   "version too old|Error "
                   "creating (?:the )?K[vV][mM] object|Missing KVM "
                   "capabilities|/dev/kvm.*(?:No such file|"
                   "Permission denied|ACL)|KVM_CREATE_VM.* failed|failed to set MSR 0x",
        .summary = "The VMM cannot use KVM on this host",
        .sample = "Could not access KVM kernel module: Permission denied",
        .near_miss = "qemu-system-x86_64: falling back to tcg",
    },
    {
        .id = "host.no-space",
        .file = RULE_VMM_LOG,
        .cause = "host.disk-full",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "No space left on device|\\bENOSPC\\b|os error 28",
        .summary = "The host's disk is full",
        .sample = "qemu-system-x86_64: could not write to image: No space left on device",
        .near_miss = "qemu-system-x86_64: no space in PCI window",
    },
    {
        .id = "host.no-memory",
        .file = RULE_VMM_LOG,
        .cause = "host.memory-exhausted",
        .severity = SEVERITY_FATAL,
        .confidence = 0.93,
        .pattern = "cannot set up guest memory|Cannot allocate memory|Failed to (?:allocate|mmap) "
                   "guest memory|"
                   "os error 12\\b",
        .summary = "The host has not enough memory for the guest",
        .sample = "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot "
                  "allocate memory",
        .near_miss = "qemu-system-x86_64: warning: memory backend is not locked",
    },
    {
        .id = "host.tap",
        .file = RULE_VMM_LOG,
        .cause = "host.tap-unavailable",
        .severity = SEVERITY_FATAL,
        .confidence = 0.95,
        .pattern = "could not configure /dev/net/tun(?: \\(([^)]*)\\))?|could not open "
                   "/dev/net/tun|Open tap "
                   "device failed|TapOpen|Invalid TUN/TAP Backend|bridge helper failed",
        .summary = "The VMM cannot use the TAP device $1",
        .sample = "qemu-system-x86_64: -netdev tap,id=n0: could not configure /dev/net/tun "
                  "(tap0): "
                  "Operation "
                  "not permitted",
        .near_miss = "qemu-system-x86_64: warning: tap queue limits",
    },
};

/* Above these a boot is slow whatever its guest does: a quarter of the CPU time stolen, or four
 * runnable tasks for each boot beside our own. */
static const double HIGH_STEAL_PCT = 25.0, HIGH_LOAD_PER_BOOT = 8.0;

static void judge_load(const struct record *record, struct findings *findings)
{
    int boots = record->host.parallel_boots > 0 ? record->host.parallel_boots : 1;
    bool stolen = record->host.steal_pct > HIGH_STEAL_PCT;
    bool loaded = record->host.load > HIGH_LOAD_PER_BOOT * boots && record->host.load > 16;
    if (!stolen && !loaded)
        return;
    struct finding *finding =
        findings_add(findings, "host.busy", "host.overloaded", SEVERITY_NOTE, 0.3);
    finding_say(finding, "The host was busy while the guest booted");
    finding_fact(finding, -1, "host: load %.1f, steal %.1f %%, %d boots at once", record->host.load,
                 record->host.steal_pct, boots);
}

static const struct {
    const char *text, *cause;
} controller_texts[] = {
    {"ip pool exhausted", "controller.ip-pool-exhausted"},
    {"too many requests", "controller.rate-limited"},
    {"429", "controller.rate-limited"},
    {"are required", "controller.rejected"},
    {"invalid provider", "controller.rejected"},
    {"user not found", "controller.rejected"},
    {"timed out", "controller.vm-creation-failed"},
    {"connection refused", "controller.unreachable"},
    {"could not connect", "controller.unreachable"},
    {"couldn't connect", "controller.unreachable"},
    {"destroyed", "controller.premature-cleanup"},
};

static bool is_name_char(char c)
{
    return is_word(c) || c == '-';
}

/* True if `text` stands in `error` and is no part of a longer word: "vm-4291" is not status 429. */
static bool says(const char *error, const char *text)
{
    size_t n = strlen(text);
    for (const char *at = strcasestr(error, text); at != NULL; at = strcasestr(at + 1, text))
        if ((at == error || !is_name_char(at[-1])) && !is_name_char(at[n]))
            return true;
    return false;
}

static void judge_controller(const struct record *record, struct findings *findings)
{
    const char *error = record->controller.error, *cause = "controller.error";
    if (error == NULL)
        return;
    for (size_t i = 0; i < sizeof(controller_texts) / sizeof(controller_texts[0]); i++)
        if (says(error, controller_texts[i].text)) {
            cause = controller_texts[i].cause;
            break;
        }
    struct finding *finding =
        findings_add(findings, "controller.answer", cause, SEVERITY_ERROR, 0.9);
    finding_say(finding, "The controller answered: %s", error);
    finding_fact(finding, -1, "controller.error: %s", error);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_load(evidence->record, findings);
    judge_controller(evidence->record, findings);
}

const struct analyzer analyzer_host = {
    .name = "host",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
