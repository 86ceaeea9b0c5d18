/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hits of systemd's lines about the unit cut the console into runs; the lines in between are the
 * service's if they carry a name that is known to be its own, or none at all.
 */
#include "analyzers/service_log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/chars.h"
#include "analyzers/jobs.h"
#include "analyzers/line.h"
#include "analyzers/unit.h"
#include "harness/base/mem.h"

enum { MAX_PIDS = 64, COMM_LEN = 15, MAX_LOOKED_AT = 512 };

struct pids {
    int items[MAX_PIDS];
    size_t len;
};

struct pass {
    const struct evidence *evidence;
    struct service_log *log;
    size_t next_hit;                /* the first that was not yet passed */
    struct pids agents, companions; /* as the script names them */
    const char *names[MAX_PIDS];    /* of companions; borrowed from hits */
    size_t n_names;
    int script_pid;           /* who spoke first */
    uint64_t seq, script_seq; /* of the present line; of the last that only a script says */
};

static bool has_pid(const struct pids *pids, int pid)
{
    for (size_t i = 0; pid > 0 && i < pids->len; i++)
        if (pids->items[i] == pid)
            return true;
    return false;
}

static void add_pid(struct pids *pids, const char *text)
{
    if (text != NULL && pids->len < MAX_PIDS && strlen(text) < 10)
        pids->items[pids->len++] = atoi(text);
}

/* supervisord says its own pid, and the journal knows its children's words by that, too. */
static bool names_itself(const struct hit *hit)
{
    return hit->pid > 0 && hit->captures[1] != NULL && atoi(hit->captures[1]) == hit->pid;
}

static void learn_pids(const struct evidence *evidence, struct pids *agents,
                       struct pids *companions)
{
    for (const struct hit *hit = evidence_first(evidence, "supervisor.agent-pid"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.agent-pid", hit))
        add_pid(agents, hit->captures[0]);
    for (const struct hit *hit = evidence_first(evidence, "supervisor.child-pid"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.child-pid", hit))
        if (hit->captures[0] != NULL && strcasestr(hit->captures[0], "agent") == NULL &&
            !names_itself(hit))
            add_pid(companions, hit->captures[1]);
}

static void learn_names(struct pass *pass)
{
    const struct evidence *evidence = pass->evidence;
    for (const struct hit *hit = evidence_first(evidence, "supervisor.child-pid"); hit != NULL;
         hit = evidence_next(evidence, "supervisor.child-pid", hit))
        if (hit->captures[0] != NULL && strcasestr(hit->captures[0], "agent") == NULL &&
            !names_itself(hit) && pass->n_names < MAX_PIDS)
            pass->names[pass->n_names++] = hit->captures[0];
}

static bool is_runtime(const char *name)
{
    static const char *const runtimes[] = {"node", "nodejs", "python3", "python",     "java",
                                           "deno", "bun",    "ruby",    "MainThread", "npm"};
    return word_among(name, strlen(name), runtimes, sizeof(runtimes) / sizeof(runtimes[0]));
}

static bool is_entry(const struct evidence *evidence, const char *ident)
{
    const char *entry = evidence->record->service.entry, *slash = strrchr(entry, '/');
    return ident[0] != '\0' && strncmp(ident, slash != NULL ? slash + 1 : entry, COMM_LEN) == 0;
}

/* Other units have runtimes, too: where the entry's name tells its language, only that one's may
 * speak for the agent. */
static bool may_run_entry(const struct evidence *evidence, const char *runtime)
{
    static const struct {
        const char *ending, *runtimes[2];
    } others[] = {
        {".py", {"python3", "python"}},
        {".jar", {"java", "java"}},
        {".rb", {"ruby", "ruby"}},
    };
    const char *entry = evidence->record->service.entry;
    bool script = ends_in(entry, strlen(entry), "js") || ends_in(entry, strlen(entry), ".ts");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        bool runs = word_among(runtime, strlen(runtime), others[i].runtimes, 2);
        if (script && runs)
            return false;
        if (ends_in(entry, strlen(entry), others[i].ending))
            return runs;
    }
    return is_runtime(runtime);
}

/* A unit may run its agent without a script. */
static bool runs_agent_itself(const struct evidence *evidence)
{
    const char *program = evidence->record->service.supervisor;
    return is_runtime(program) || is_entry(evidence, program);
}

static bool is_name_of_service(const struct evidence *evidence, const char *ident)
{
    const struct service *service = &evidence->record->service;
    size_t stem = strcspn(service->unit, ".");
    return may_run_entry(evidence, ident) || is_entry(evidence, ident) ||
           strcmp(ident, "env") == 0 || strncmp(ident, service->supervisor, COMM_LEN) == 0 ||
           (evidence->agent_ident[0] != '\0' && strcmp(ident, evidence->agent_ident) == 0) ||
           (strncmp(ident, service->unit, stem) == 0 && ident[stem] == '\0');
}

/* A getty's banner and prompt stand among a service's bare lines. */
static bool is_prompt(const struct line *line)
{
    return ends_in(line->text, line->len, "login:") || ends_in(line->text, line->len, " ttyS0") ||
           ends_in(line->text, line->len, " hvc0") || ends_in(line->text, line->len, "Password:");
}

static bool is_of_service(const struct pass *pass, const struct line *line)
{
    const struct service_run *run = service_log_current(pass->log);
    switch (line->source) {
    case LINE_JOURNAL:
        return is_name_of_service(pass->evidence, line->ident);
    case LINE_BARE:
        return run->started != NULL && !run->over && !is_prompt(line);
    default:
        return false;
    }
}

static bool looks_like_error(const char *text, size_t len)
{
    static const char *const words[] = {
        "error",      "fail",      "cannot",  "can't",     "unable",  "denied",  "not found",
        "no such",    "not a dir", "invalid", "fatal",     "missing", "refused", "exception",
        "unexpected", "not set",   "panic",   "traceback", "aborted", "unknown", "not permitted",
        "required",   "in use",    "illegal", "unhandled", "crashed", "unbound", "read-only"};
    char copy[MAX_LOOKED_AT + 1];
    size_t n = len < MAX_LOOKED_AT ? len : MAX_LOOKED_AT;
    memcpy(copy, text, n);
    copy[n] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasestr(copy, words[i]) != NULL)
            return strcasestr(copy, "\"level\":\"info\"") == NULL &&
                   strcasestr(copy, "\"level\":30,") == NULL;
    return false;
}

/* "[SUPERVISOR] ..." or "2026-11-23 18:03:12 start-all: ..." */
static bool is_tagged(const struct pass *pass, const struct line *line)
{
    const char *script = pass->evidence->record->service.supervisor;
    size_t stem = strcspn(script, "."), len = line->message_len < 80 ? line->message_len : 80;
    if (len > 2 && line->message[0] == '[' && is_letter(line->message[1]) &&
        memchr(line->message, ']', len < 32 ? len : 32) != NULL)
        return true;
    const char *at = stem > 0 ? memmem(line->message, len, script, stem) : NULL;
    return at != NULL && at + stem < line->message + len && strchr(":].[", at[stem]) != NULL;
}

/* "webrtc: ..." of a child that the script calls so. */
static bool is_of_companion(const struct pass *pass, const struct line *line)
{
    if (has_pid(&pass->companions, line->pid))
        return true;
    for (size_t i = 0; i < pass->n_names; i++) {
        size_t n = strlen(pass->names[i]);
        if (line->message_len > n && strncasecmp(line->message, pass->names[i], n) == 0 &&
            strchr(":] ", line->message[n]) != NULL)
            return true;
    }
    return false;
}

static bool is_of_agent(const struct pass *pass, const struct line *line)
{
    const struct service_run *run = service_log_current(pass->log);
    if (has_pid(&pass->agents, line->pid) || may_run_entry(pass->evidence, line->ident) ||
        is_entry(pass->evidence, line->ident))
        return true;
    return run->agent_start != NULL && !is_tagged(pass, line) && pass->script_seq != pass->seq &&
           !is_of_companion(pass, line) && (line->pid == 0 || line->pid != pass->script_pid);
}

static void set_quote(const struct pass *pass, const struct line *line, struct quote *ret_quote)
{
    ret_quote->file = "console.log";
    ret_quote->line = line->number;
    ret_quote->offset = line->offset;
    ret_quote->at_ms = line->guest_ms;
    if (pass->evidence->arrival_times)
        ret_quote->at_ms =
            record_arrival_ms(pass->evidence->record, line->end > 0 ? line->end - 1 : 0);
    quote_clean(ret_quote->text, sizeof(ret_quote->text), line->text, line->len);
}

static void take_words(struct pass *pass, const struct line *line)
{
    struct service_run *run = &pass->log->runs[pass->log->len - 1];
    struct quote quote;
    bool error = looks_like_error(line->message, line->message_len);
    bool agent = is_of_agent(pass, line), companion = is_of_companion(pass, line);
    set_quote(pass, line, &quote);
    if (run->n_lines++ == 0) {
        run->first = quote;
        pass->script_pid = line->pid;
    }
    run->last = quote;
    if (agent)
        run->agent_last = quote;
    else if (!companion)
        run->script_last = quote;
    if (error && !companion)
        run->last_error = quote;
    if (error && agent)
        run->agent_error = quote;
}

static void next_run(struct service_log *log, const struct hit *started)
{
    if (log->len < SERVICE_LOG_MAX_RUNS)
        log->len++;
    log->runs[log->len - 1] = (struct service_run){.started = started};
}

static void end_run(struct service_log *log, const struct hit *hit)
{
    struct service_run *run = &log->runs[log->len - 1];
    if (!run->over)
        log->n_ended++;
    run->over = true;
    if (run->ended == NULL)
        run->ended = hit;
}

/* The second wording of the same event is no second run; the same wording again is one, and the run
 * before it ended unseen. */
static void start_run(struct service_log *log, const struct hit *hit, bool forked)
{
    struct service_run *run = &log->runs[log->len - 1];
    bool again = run->started != NULL && run->started->source == hit->source &&
                 run->started->rule == hit->rule && run->started->seq != hit->seq && forked;
    if (run->started == NULL && !run->over) {
        run->started = hit;
        return;
    }
    if (!run->over && again) {
        run->over = true;
        log->n_ended++;
    }
    if (run->over)
        next_run(log, hit);
}

static bool is_one_of(const char *id, const char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(id, ids[i]) == 0)
            return true;
    return false;
}

static void take_event(struct pass *pass, const struct hit *hit)
{
    static const char *const ends[] = {"init.unit-exit", "init.unit-deactivated",
                                       "init.restart-counter", "init.unit-result"};
    static const char *const starts[] = {"init.unit-started", "init.unit-started-cut",
                                         "init.job-done", "init.job-starting"};
    struct service_log *log = pass->log;
    struct service_run *run = &log->runs[log->len - 1];
    const char *id = evidence_rule(pass->evidence, hit)->id;
    if (strncmp(id, "supervisor.", strlen("supervisor.")) == 0)
        pass->script_seq = hit->seq;
    if (strcmp(id, "supervisor.agent-pid") == 0 || strcmp(id, "supervisor.agent-launch") == 0) {
        /* systemd starts "the agent", too: its unit. */
        if (hit->source != LINE_STATUS && strcmp(hit->ident, "systemd") != 0)
            run->agent_start = hit;
        return;
    }
    if (hit->captures[0] == NULL || strncmp(id, "init.", 5) != 0 ||
        !unit_is_service(hit->captures[0], &pass->evidence->record->service))
        return;
    if (strcmp(id, "init.job-stopping") == 0 && !run->over)
        run->stopping = hit;
    else if (is_one_of(id, ends, sizeof(ends) / sizeof(ends[0])))
        end_run(log, hit);
    else if (is_one_of(id, starts, sizeof(starts) / sizeof(starts[0])))
        start_run(log, hit, strcmp(id, "init.job-starting") != 0);
    run = &log->runs[log->len - 1];
    if (run->agent_start == NULL && run->started != NULL && runs_agent_itself(pass->evidence))
        run->agent_start = run->started;
}

static void on_line(void *ctx, const struct line *line)
{
    struct pass *pass = ctx;
    const struct evidence *evidence = pass->evidence;
    if (line->len == 0)
        return;
    pass->seq++;
    /* The same order of lines as the hits': what stands on this line comes before its words. */
    for (; pass->next_hit < evidence->n_hits && evidence->hits[pass->next_hit].seq <= pass->seq;
         pass->next_hit++)
        take_event(pass, &evidence->hits[pass->next_hit]);
    if (is_of_service(pass, line))
        take_words(pass, line);
}

struct service_log *service_log_new(const struct evidence *evidence)
{
    struct service_log *log = mem_calloc(1, sizeof(*log));
    struct pass *pass = mem_calloc(1, sizeof(*pass));
    const struct bytes *console = &evidence->record->console;
    pass->evidence = evidence;
    pass->log = log;
    log->len = 1;
    learn_pids(evidence, &pass->agents, &pass->companions);
    learn_names(pass);
    if (console->data != NULL) {
        struct line_reader *reader = line_reader_new(on_line, pass);
        line_reader_feed(reader, console->data, console->len);
        line_reader_flush(reader);
        line_reader_free(reader);
    }
    free(pass);
    return log;
}

const struct service_run *service_log_last_ended(const struct service_log *log)
{
    for (size_t i = log->len; i-- > 0;)
        if (log->runs[i].over)
            return &log->runs[i];
    return NULL;
}

const struct service_run *service_log_current(const struct service_log *log)
{
    return &log->runs[log->len - 1];
}

const struct service_run *service_log_at(const struct service_log *log, uint32_t line)
{
    for (size_t i = 0; i < log->len; i++) {
        const struct service_run *run = &log->runs[i];
        if (run->n_lines > 0 && run->first.line <= line && line <= run->last.line)
            return run;
    }
    return NULL;
}

bool service_log_is_agent(const struct evidence *evidence, int pid)
{
    struct pids agents = {.len = 0}, companions = {.len = 0};
    learn_pids(evidence, &agents, &companions);
    return has_pid(&agents, pid);
}

bool service_log_is_voice(const struct evidence *evidence, const struct hit *hit)
{
    static const char *const others[] = {"systemd", "bash", "sh",          "dash",
                                         "zsh",     "tini", "supervisord", "systemd-coredump"};
    struct pids agents = {.len = 0}, companions = {.len = 0};
    learn_pids(evidence, &agents, &companions);
    if (has_pid(&companions, hit->pid))
        return false;
    return hit->ident[0] == '\0' || hit->ident[0] == '(' ||
           is_name_of_service(evidence, hit->ident) ||
           word_among(hit->ident, strlen(hit->ident), others, sizeof(others) / sizeof(others[0]));
}
