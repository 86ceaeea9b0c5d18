/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that say that the service under test died; watch counts them (see struct rule). */
#include "analyzers/analyzer.h"

static const struct rule rules[] = {
    {
        .id = "death.agent",
        .severity = SEVERITY_NOTE,
        .pattern = "(?i)(?:^|[\\]:] |\\d{4} )(?:[\\w.-]+ ){0,2}(?:agent|%{ENTRY}|node(?:js)?) "
                   "(?:has )?(?:died|exited|crashed)|\\bexited: [\\w.:-]{0,40}agent[\\w.-]{0,20} "
                   "\\([^)]{1,40}; not expected\\)|\\bApp \\[[\\w.-]{0,40}agent[\\w.:-]{0,20}\\] "
                   "exited with code",
        .summary = "The agent died",
        .sample =
            "[   35.51] start-all.sh[120]: [SUPERVISOR] Mon Nov 23 14:34:46 UTC 2026 OAuth agent "
            "died (PID 124), restarting...",
        .near_miss =
            "[   35.51] start-all.sh[120]: [SUPERVISOR] Mon Nov 23 14:34:46 UTC 2026 WebRTC "
            "server died (PID 125), restarting...",
        .death = true,
    },
    {
        .id = "death.unit-exited",
        .severity = SEVERITY_NOTE,
        .pattern = "^%{UNIT}: Main process exited, code=(\\w+), status=(\\S+)",
        .literal = ": Main process exited, code=",
        .summary = "The unit's main process exited: $1, $2",
        .sample = "[   19.130484] systemd[1]: vm-browser-agent.service: Main process exited, "
                  "code=exited, status=203/EXEC",
        .near_miss =
            "[   19.130484] systemd[1]: tigervnc.service: Main process exited, code=exited, "
            "status=203/EXEC",
        .death = true,
    },
    {
        /* Also for a main process that exited with 0, of which systemd says nothing. */
        .id = "death.unit-restarts",
        .severity = SEVERITY_NOTE,
        .pattern = "^%{UNIT}: Scheduled restart job, restart counter is at (\\d+)",
        .literal = ": Scheduled restart job",
        .summary = "systemd restarted the unit, attempt $1",
        .sample =
            "[   22.399587] systemd[1]: vm-browser-agent.service: Scheduled restart job, restart "
            "counter is at 4.",
        .near_miss = "[   22.399587] systemd[1]: tigervnc.service: Scheduled restart job, restart "
                     "counter is at 4.",
        .death = true,
    },
};

const struct analyzer analyzer_death = {
    .name = "death",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
