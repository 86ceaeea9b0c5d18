/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_listen: whether and where the agent listens, and why it cannot.
 *
 * Sources of the wording: Node.js 12 to 24 (net), Python 3 (socket, http.server, uvicorn, gunicorn,
 * werkzeug), Go (net), gin, echo, Java (java.net, Spring Boot), Rust (std::io), fastify and pino.
 */
#include "analyzers/analyzer.h"
#include "analyzers/service_log.h"

/* What speaks of a port otherwise, in a line of some length: these patterns look at pairs of words;
 * "Listening on X" is also what systemd says of its sockets. */
#define NO_LISTENER                                                                                \
    "^(?=.{0,600}$)(?!.*(?:\\bE[A-Z]{4,}\\b|[eE]rror|[fF]ail|in use|[cC]annot|[uU]nable|"          \
    "not |denied|[wW]ait|[eE]xpect|[uU]ntil|[cC]heck|[pP]rob|[sS]hould|"                           \
    "[wW]ill |[tT]ry|[rR]etry|curl|Listening on (?!port|:|\\*|http|tcp|"                           \
    "[\\d\\[]|all|localhost|address|interface)))"
/* How servers say that they listen. */
#define LISTENS                                                                                    \
    "\\b(?:[lL]isten(?:ing|s)?|LISTENING|[rR]unning|[sS]erving|[sS]tarted|"                        \
    "[bB]ound|[rR]eady)\\b"
/* Behind an address or the word, so that the time of day is no port. */
#define NOT_OF_ANOTHER_PORT                                                                        \
    "^(?!.*(?:(?:\\d\\.\\d+|::|\\]|\\*|localhost):|\\b[pP]ort\"?:? "                               \
    "?)(?!%{PORT})\\d{2,5}(?!\\d))"

static const struct rule rules[] = {
    {
        .id = "agent.ready",
        .milestone = "agent-listening",
        .pattern = "%{READY}",
        .summary = "The agent says that it listens",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
        .near_miss =
            "[   12.09] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.",
    },
    {
        .id = "agent.listening",
        .milestone = "agent-listening",
        .pattern = NO_LISTENER ".*" LISTENS ".*?(?::|\\b[pP]ort(?:\\(s\\))?\\W{1,4})%{PORT}",
        .summary = "The agent says that it listens",
        .sample = "[   15.1] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
        .near_miss = "[   15.1] start-all.sh[142]: Error: listen EADDRINUSE: address already in "
                     "use 0.0.0.0:8080",
    },
    {
        .id = "agent.listening-elsewhere",
        .pattern = NO_LISTENER
        "(?!.*%{PORT})(?!(?i:.*(?:vnc|rfb|webrtc|debugg|devtools|inspect|metric|websocket|ws://"
        "|stun|turn|x11|ssh|dbus|redis|postgres|mysql|prometheus|admin)))(?=.*" LISTENS
        ").*?(?:://[\\w.\\[\\]:-]*?|\\*|\\b\\d{1,3}(?:\\.\\d{1,3}){3}|\\]|localhost|\\bon |\\bat "
        "|\\bport(?:\\(s\\))?\\W{1,4}|\"[pP]ort\"\\W{1,4}):?(\\d{2,5})\\b(?![.:\\d]|ms|s\\b)",
        .summary = "Something of the service listens on port $1",
        .sample = "[   15.1] start-all.sh[142]: HTTP server listening on 0.0.0.0:3000",
        .near_miss = "[   15.1] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
    },
    {
        .id = "agent.ready-with-address",
        .milestone = "address-acquired",
        .pattern = "^(?=.*%{READY}).*\"(?:vmIP|vm_ip|ip|address)\": ?\"(?!127\\.|0\\.)(%{IP})\"",
        .literal = "\":",
        .summary = "The agent listens and knows its address, $1",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"localhost\"}",
    },
    {
        .id = "agent.ready-without-address",
        .severity = SEVERITY_ERROR,
        /* An "address" of 127.0.0.1 may as well be the one that it is bound to. */
        .pattern = "^(?:(?=.*%{READY}).*(?:\"(?:vmIP|vm_ip)\": ?\"127\\.[\\d.]+\"|"
                   "\"(?:vmIP|vm_ip|ip|address)\": ?(?:\"(?:localhost|undefined|unknown|)\"|null))|"
                   ".{0,80}\\b(?i:no (?:IPv4|IP|network) address(?:es)?)(?: |$)"
                   "(?i:yet|found|assigned|available|configured)?)",
        .summary = "The agent listens, but the guest has no address",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8080,\"vmIP\":\"localhost\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
    },
    {
        .id = "agent.other-port",
        .cause = "agent.wrong-port",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = "^(?=.*%{READY}).*\\bport\"?[:= ]+(?!%{PORT})(\\d+)(?=\\D)",
        .literal = "port",
        .summary = "The agent listens on port $1, which is not the one that is probed",
        .sample = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                  "started\",\"port\":8081,\"vmIP\":\"10.0.2.15\"}",
        .near_miss = "[   15.74] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "
                     "started\",\"port\":8080,\"vmIP\":\"10.0.2.15\"}",
    },
    {
        .id = "agent.loopback",
        .cause = "agent.bind-loopback",
        .severity = SEVERITY_ERROR,
        .confidence = 0.88,
        .pattern = NO_LISTENER
        ".*(?:" LISTENS
        ".*?(?:\\b127\\.\\d+\\.\\d+\\.\\d+|\\[::1\\]):%{PORT}|\"(?:host|bind|listen|address|"
        "hostname)\": "
        "?\"(?:127\\.[\\d.]+|localhost|::1)\".*\\b[pP]ort\"?\\W{1,4}%{PORT}|[pP]ort\"?\\W{1,4}%{"
        "PORT}.*\"(?:host|bind|listen|hostname)\": ?\"(?:127\\.[\\d.]+|localhost|::1)\"|" LISTENS
        ".*\\bport\\W{1,4}%{PORT}.*\\b(?:on|host|address|bind)\\W{1,4}(?:127\\.\\d+\\.\\d+\\.\\d+|"
        "localhost|::1))",
        .summary = "The agent listens on loopback only",
        .sample = "[   15.1] start-all.sh[142]: HTTP server listening on 127.0.0.1:8080",
        .near_miss = "[   15.1] start-all.sh[142]: HTTP server listening on 0.0.0.0:8080",
    },
    {
        /* Many servers print localhost and are bound to every address. */
        .id = "agent.loopback-by-name",
        .cause = "agent.bind-loopback",
        .severity = SEVERITY_ERROR,
        .confidence = 0.6,
        .pattern = NO_LISTENER ".*" LISTENS ".*?\\blocalhost:%{PORT}",
        .summary = "The agent says that it listens on localhost",
        .sample = "[   15.1] start-all.sh[142]: Server running at http://localhost:8080/",
        .near_miss = "[   15.1] start-all.sh[142]: Server running at http://0.0.0.0:8080/",
    },
    {
        .id = "agent.port-taken",
        .cause = "agent.port-in-use",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern = NOT_OF_ANOTHER_PORT ".*(?:EADDRINUSE|AddrInUse)",
        .summary = "The agent's port is already taken in the guest",
        .sample = "[   15.1] start-all.sh[142]: Error: listen EADDRINUSE: address already in use "
                  "0.0.0.0:8080",
        .near_miss = "[   15.1] start-all.sh[142]: Error: listen EADDRINUSE: address already in "
                     "use 0.0.0.0:5901",
    },
    {
        .id = "agent.address-in-use",
        .cause = "agent.port-in-use",
        .severity = SEVERITY_ERROR,
        .confidence = 0.93,
        .pattern = NOT_OF_ANOTHER_PORT
        "(?!.*EADDRINUSE).*(?:[aA]ddress already in use|[pP]ort:? %{PORT} (?:is )?(?:already "
        ")?(?:in use|taken|occupied)|Only one usage of each socket address)",
        .summary = "The agent's port is already taken in the guest",
        .sample = "[   15.7] run.sh[142]: OSError: [Errno 98] Address already in use",
        .near_miss = "[   15.7] run.sh[142]: bind to 0.0.0.0:5901: Address already in use",
    },
    {
        .id = "agent.bind-refused",
        .cause = "agent.bind-denied",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "^(?=.*\\b(EACCES|EADDRNOTAVAIL|EPERM)\\b)(?!.*\\bconnect\\b).*\\b(?:listen|bind)\\b",
        .summary = "The agent may not bind its address: $1",
        .sample = "[   15.1] start-all.sh[142]: Error: listen EACCES: permission denied 0.0.0.0:80",
        .near_miss = "[   15.1] start-all.sh[142]: Error: connect EACCES 10.0.0.1:80",
    },
    {
        .id = "agent.bind-refused-in-words",
        .cause = "agent.bind-denied",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .pattern = "^(?=.{0,600}$)(?!.*\\b(?:EACCES|EADDRNOTAVAIL|EPERM)\\b)(?!.*\\b(?:connect|"
                   "dial)\\b)(?:.*"
                   "\\b(?:[lL]isten|[bB]ind)(?:ing|\\(\\))?\\b.*(?:[pP]ermission "
                   "denied|[cC]an(?:not|\\'t) assign requested address|[oO]peration not "
                   "permitted)|.*BindException: (Cannot assign|Permission denied)|.*\\[Errno "
                   "99\\]|PermissionError: \\[Errno 13\\] Permission denied$)",
        .summary = "The agent may not bind its address",
        .sample = "[   15.1] start-all.sh[142]: listen tcp 192.168.100.5:8080: bind: cannot assign "
                  "requested address",
        .near_miss = "[   15.1] start-all.sh[142]: dial tcp 192.168.100.5:8080: bind: cannot "
                     "assign requested address",
    },
    {
        /* What deadline.c asks for: it is at work, and says how far it is. */
        .id = "agent.counts",
        .severity = SEVERITY_NOTE,
        .pattern =
            "(?:^|[\\s(\\[]|\":)(\\d{1,6})(?: ?/ ?| (?:out )?of |,\"(?:of|total)\": ?)(\\d{1,6})"
            "(?:[\\s)\\],;}]|$)",
        .summary = "The agent says that it has done $1 of $2",
        .sample =
            "[   36.1] start-all.sh[125]: {\"msg\":\"loading profiles\",\"loaded\":22,\"of\":60}",
        .near_miss = "[   36.1] start-all.sh[125]: {\"msg\":\"loaded profiles\",\"loaded\":22}",
    },
    {
        .id = "agent.says-unhealthy",
        .severity = SEVERITY_NOTE,
        .pattern =
            "(?i)^(?=.{0,600}$)(?=.*\\b(?:health|healthz|liveness|readiness)\\b)(?=.*\\b(?:fail(?:"
            "ed|ing|ure)?|unhealthy|not ready|not healthy)\\b).*(?:\\bstatus\\b\\W{0,4}5\\d\\d|"
            "\\b5\\d\\d\\b|unhealthy)",
        .summary = "The agent says that it is not healthy",
        .sample =
            "[   17.1] start-all.sh[142]: {\"level\":\"warn\",\"msg\":\"health check failed\","
            "\"status\":503,\"reason\":\"browser is not connected\"}",
        .near_miss =
            "[   17.1] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"health check passed\","
            "\"status\":200}",
    },
};

/* The console's last line may be cut in the middle of a number. */
static bool is_cut(const struct evidence *evidence, const struct hit *hit)
{
    const struct bytes *console = &evidence->record->console;
    return evidence->last_line.line == hit->line && console->len > 0 &&
           console->data[console->len - 1] != '\n';
}

/* Something listens elsewhere, and nothing of the service ever does where it should. */
static void judge_elsewhere(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *found = NULL, *ready = evidence_last(evidence, "agent.ready");
    if (evidence_count(evidence, "agent.listening") > 0 ||
        evidence_count(evidence, "agent.other-port") > 0)
        return;
    for (const struct hit *hit = evidence_first(evidence, "agent.listening-elsewhere"); hit != NULL;
         hit = evidence_next(evidence, "agent.listening-elsewhere", hit))
        if (service_log_is_voice(evidence, hit) && !is_cut(evidence, hit))
            found = hit;
    if (found == NULL || found->captures[0] == NULL)
        return;
    bool says_ready = ready != NULL && ready->seq == found->seq;
    if (ready != NULL && !says_ready)
        return;
    bool agents = says_ready || service_log_is_agent(evidence, found->pid);
    struct finding *finding = findings_add(findings, "agent.listens-elsewhere", "agent.wrong-port",
                                           SEVERITY_ERROR, agents ? 0.9 : 0.75);
    finding_say(finding, "The agent listens on port %s, which is not the one that is probed",
                found->captures[0]);
    finding_hit(finding, found);
}

/* A console alone knows no answers; that the agent says so of itself, again and again and to the
 * end, is as good. */
static void judge_own_word(const struct evidence *evidence, struct findings *findings)
{
    enum { OFTEN = 5, NEAR_LINES = 3 };
    const struct hit *last = evidence_last(evidence, "agent.says-unhealthy");
    uint32_t count = evidence_count(evidence, "agent.says-unhealthy");
    if (!evidence_is_bare(evidence) || count < OFTEN ||
        evidence->last_line.line > last->line + NEAR_LINES)
        return;
    struct finding *finding = findings_add(findings, "agent.unhealthy-by-itself", "agent.unhealthy",
                                           SEVERITY_ERROR, 0.75);
    finding_say(finding, "The agent runs, and says that it is not healthy");
    finding->count = count;
    finding_hit(finding, last);
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_elsewhere(evidence, findings);
    judge_own_word(evidence, findings);
}

const struct analyzer analyzer_agent_listen = {
    .name = "agent_listen",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
