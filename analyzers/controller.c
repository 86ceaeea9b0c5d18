/* SPDX-License-Identifier: Apache-2.0 */
/*
 * controller: what the controller answered, and what became of its session: its text first, then
 * the status.
 *
 * A status never tells a failed boot from a slow one (`vm_created` stays for half an hour), so that
 * only those count that say that there is no VM, or no longer. Runs last: a destroyed VM is what an
 * operator sees of any fault, and what its console says stands before it.
 */
#include <string.h>
#include <strings.h>

#include "analyzers/analyzer.h"
#include "analyzers/chars.h"
#include "analyzers/reason.h"

/* In the order of precedence. */
static const struct {
    const char *text, *cause;
} texts[] = {
    {"ip pool exhausted", "controller.ip-pool-exhausted"},
    {"no available ip", "controller.ip-pool-exhausted"},
    {"no free ip", "controller.ip-pool-exhausted"},
    {"too many requests", "controller.rate-limited"},
    {"429", "controller.rate-limited"},
    {"no space left on device", "host.disk-full"},
    {"enospc", "host.disk-full"},
    {"are required", "controller.rejected"},
    {"invalid provider", "controller.rejected"},
    {"user not found", "controller.rejected"},
    {"unknown user", "controller.rejected"},
    {"violates foreign key constraint", "controller.rejected"},
    {"invalid input syntax for type uuid", "controller.rejected"},
    {"400", "controller.rejected"},
    {"401", "controller.rejected"},
    {"403", "controller.rejected"},
    {"forbidden", "controller.rejected"},
    {"unauthorized", "controller.rejected"},
    {"no longer exists", "controller.premature-cleanup"},
    {"destroyed", "controller.premature-cleanup"},
    {"was cancelled", "controller.premature-cleanup"},
    {"clone timed out", "controller.vm-creation-failed"},
    {"vm creation", "controller.vm-creation-failed"},
    {"failed to create vm", "controller.vm-creation-failed"},
    {"failed to create browser vm", "controller.vm-creation-failed"},
    {"failed to start firecracker", "controller.vm-creation-failed"},
    {"no vm was created", "controller.vm-creation-failed"},
    {"never got a vm", "controller.vm-creation-failed"},
    {"session not found", "controller.vm-creation-failed"},
};

/* What a client says of a port where nothing answers; within an answer it is about something else
 * that the controller could not reach. */
static const char *const unreachable[] = {
    "connection refused",  "econnrefused",         "could not connect", "couldn't connect",
    "failed to connect",   "connection timed out", "etimedout",         "no route to host",
    "timeout was reached", "operation timed out",  "could not resolve", "couldn't resolve",
    "nothing answers",
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

static bool is_answer(const char *error)
{
    static const char *const statuses[] = {"500", "501", "502", "503", "504", "http 5"};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (says(error, statuses[i]))
            return true;
    return false;
}

static const char *cause_of_text(const char *error)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (says(error, texts[i].text))
            return texts[i].cause;
    for (size_t i = 0; i < sizeof(unreachable) / sizeof(unreachable[0]) && !is_answer(error); i++)
        if (says(error, unreachable[i]))
            return "controller.unreachable";
    if (says(error, "timed out"))
        return "controller.vm-creation-failed";
    return "controller.error";
}

static bool is_status(const struct record *record, const char *status)
{
    return record->controller.status != NULL && strcasecmp(record->controller.status, status) == 0;
}

/* Statuses before there is a VM, and those after there was one. */
static const char *cause_of_status(const struct record *record)
{
    static const char *const early[] = {"initializing", "started", "pending",
                                        "failed",       "timeout", "error"};
    static const char *const gone[] = {"destroyed", "cancelled", "canceled", "stopped", "timeout"};
    bool closed = record->end != RECORD_END_READY && record->end != RECORD_END_UNKNOWN &&
                  record->end != RECORD_END_INTERRUPTED;
    bool no_vm = closed && record->vm_id == NULL && record->console.len == 0;
    if (no_vm && record->controller.session_id != NULL)
        return "controller.vm-creation-failed";
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]) && no_vm; i++)
        if (is_status(record, early[i]))
            return "controller.vm-creation-failed";
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]) && closed; i++)
        if (is_status(record, gone[i]) && record->vm_id != NULL)
            return "controller.premature-cleanup";
    return NULL;
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    const struct record *record = evidence->record;
    const char *error = record->controller.error, *status = record->controller.status;
    const char *cause = error != NULL ? cause_of_text(error) : cause_of_status(record);
    if (cause == NULL)
        return;
    double confidence = error != NULL ? 0.9 : 0.82;
    if (strcmp(cause, "controller.premature-cleanup") == 0)
        confidence = reason_leaves(findings, confidence);
    struct finding *finding =
        findings_add(findings, "controller.answer", cause, SEVERITY_ERROR, confidence);
    if (error != NULL) {
        finding_say(finding, "The controller answered: %s", error);
        finding_fact(finding, -1, "controller.error: %s", error);
    } else {
        finding_say(finding,
                    record->vm_id == NULL
                        ? "The controller's session stayed \"%s\" and never got a VM"
                        : "The controller's session says \"%s\": the VM is gone",
                    status);
    }
    if (status != NULL)
        finding_fact(finding, -1, "controller.status: %s", status);
}

const struct analyzer analyzer_controller = {
    .name = "controller",
    .run = run,
};
