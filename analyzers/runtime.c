/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime: what the agent's runtime says when it cannot load the agent: modules, entry file,
 * syntax, versions.
 *
 * Sources of the wording: Node.js 12.22, 14, 16, 18, 20, 22 and 24 (lib/internal/modules, V8),
 * Python 3 (importlib), OpenJDK, Ruby, Deno.
 */
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/chars.h"
#include "analyzers/service_log.h"

static const struct rule rules[] = {
    {
        .id = "agent.module-not-found",
        .cause = "agent.module-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.97,
        .pattern = "Cannot find (?:module|package) '(?!(?:[^']*/)?%{ENTRY}'(?! imported "
                   "from))(?!node:)([^']+)'",
        .literal = "Cannot find ",
        .summary = "The agent needs the module $1, which is not installed",
        .sample = "[   33.210484] start-all.sh[162]: Error: Cannot find module 'session-store'",
        .near_miss = "[   14.1] start-all.sh[142]: Error: Cannot find module "
                     "'/opt/vm-browser-agent/server.js'",
    },
    {
        .id = "agent.module-not-found-elsewhere",
        .cause = "agent.module-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "^(?:(?:\\w+\\.)*ModuleNotFoundError: No module named '([^']+)'|(?:ImportError: No "
            "module named |.*(?:cannot load such file -- |(?:ClassNotFoundException|"
            "NoClassDefFoundError): ))(\\S+)|error: Module not found \\\"([^\\\"]+)\\\"|"
            ".*Error: (\\S+\\.node): cannot open shared object file)",
        .summary = "The agent needs the module $1$2$3$4, which is not installed",
        .sample = "[   33.2] run.sh[162]: ModuleNotFoundError: No module named 'flask'",
        .near_miss = "[   33.2] run.sh[162]: except ModuleNotFoundError: pass",
    },
    {
        .id = "agent.entry-not-found",
        .severity = SEVERITY_NOTE,
        .pattern = "Cannot find module '((?:[^']*/)?%{ENTRY})'(?! imported from)",
        .literal = "Cannot find module ",
        .summary = "The agent's entry file $1 does not exist",
        .sample = "[   14.1] start-all.sh[142]: Error: Cannot find module "
                  "'/opt/vm-browser-agent/server.js'",
        .near_miss = "[   33.21] start-all.sh[162]: Error: Cannot find module 'session-store'",
    },
    {
        .id = "agent.entry-not-found-elsewhere",
        .cause = "agent.script-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern =
            "can't open file '(?:[^']*/)?%{ENTRY}'|Unable to access jarfile "
            "(?:\\S*/)?%{ENTRY}|Could not (?:find or load main class|open input file:) "
            "(?:\\S*/)?%{ENTRY}|(?:python\\S*|ruby|perl|deno|bun|php)\\b.*(?:No such file or "
            "directory|Module not found).*%{ENTRY}|Script not found:? '?(?:\\S*/)?%{ENTRY}",
        .summary = "The agent's entry file does not exist",
        .sample = "[   14.1] start-all.sh[142]: python3: can't open file '/opt/agent/server.js': "
                  "[Errno 2] No such file or directory",
        .near_miss = "[   14.1] start-all.sh[142]: can't open file '/opt/agent/other.py'",
    },
    {
        .id = "agent.require-stack",
        .pattern = "^Require stack:$",
        .literal = "Require stack:",
        .summary = "The missing module was required by another file",
        .sample = "[   33.211096] start-all.sh[162]: Require stack:",
        .near_miss = "[   33.246969] start-all.sh[162]:   requireStack: []",
    },
    {
        .id = "agent.empty-require-stack",
        .pattern = "^\\s*requireStack: \\[\\]",
        .literal = "requireStack: []",
        .summary = "Nobody required the missing module: it was to be run",
        .sample = "[   33.246969] start-all.sh[162]:   requireStack: []",
        .near_miss =
            "[   33.2] start-all.sh[162]:   requireStack: [ '/opt/vm-browser-agent/server.js' ]",
    },
    {
        .id = "agent.syntax-error",
        .pattern = "^(?:Uncaught )?SyntaxError(?: \\[\\w+\\])?: (.+)",
        .literal = "SyntaxError",
        .summary = "The agent does not parse: $1",
        .sample = "[   15.1] start-all.sh[142]: SyntaxError: Unexpected token '.'",
        .near_miss = "[   15.1] start-all.sh[142]: no SyntaxError here",
    },
    {
        .id = "agent.esm",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern =
            "\\[ERR_REQUIRE_ESM\\]|\\[ERR_UNKNOWN_FILE_EXTENSION\\]|\\[ERR_UNKNOWN_BUILTIN_"
            "MODULE\\]|\\[ERR_UNSUPPORTED_(?:TYPESCRIPT_SYNTAX|DIR_IMPORT|ESM_URL_SCHEME)\\]|No "
            "such built-in module: |Cannot find module 'node:|Cannot use import statement outside "
            "a module|The requested module '(?:node:|fs'|crypto'|util'|http'|stream')",
        .summary = "The agent loads its modules in a way that this runtime does not know",
        .sample = "[   15.1] start-all.sh[142]: Error [ERR_REQUIRE_ESM]: require() of ES Module "
                  "/opt/x/index.js from /opt/y.js not supported.",
        .near_miss = "[   15.1] start-all.sh[142]: Error [ERR_MODULE_NOT_FOUND]: Cannot find "
                     "package 'session-store' imported from /opt/x.mjs",
    },
    {
        .id = "agent.runtime-version",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .pattern = "(?i)(?:Unsupported engine|engine \"?node\"? is incompatible|was compiled "
                   "against a different Node\\.js version|NODE_MODULE_VERSION \\d+|Module did not "
                   "self-register|requires? (?:a )?(?:at least )?node(?:\\.js)? ?(?:version "
                   ")?(?:>|v?\\d)|unsupported node(?:\\.js)? version|node(?:\\.js)? (?:version "
                   ")?v?[\\d.]+ is (?:not supported|too old|unsupported)|node(?:js)?: bad option: "
                   "|is not allowed in NODE_OPTIONS|has been compiled by a more recent version of "
                   "the Java|UnsupportedClassVersionError|requires? python ?[>v\\d]|python [\\d.]+ "
                   "or (?:newer|later|higher) is required|requires a different Python)",
        .summary = "The agent needs another version of its runtime",
        .sample = "[   15.1] start-all.sh[142]: Error: The module was compiled against a different "
                  "Node.js version using",
        .near_miss = "[   15.1] start-all.sh[142]: using Node.js version 18",
    },
    {
        .id = "agent.newer-function",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "^(?:Uncaught )?(?:ReferenceError: "
                   "(?:fetch|structuredClone|AbortController|AbortSignal|Headers|Request|Response|"
                   "FormData|globalThis|BigInt|WeakRef|WebSocket|crypto|Blob|File|queueMicrotask|"
                   "TextDecoder|URL|performance|EventTarget|navigator|CustomEvent) is not "
                   "defined|TypeError: "
                   "(?:\\S+\\.)?(?:at|replaceAll|findLast|findLastIndex|flat|flatMap|matchAll|"
                   "hasOwn|groupBy|fromEntries|allSettled|any|withResolvers|fromAsync|toSorted|"
                   "toReversed|toSpliced|with|isWellFormed|randomUUID|rmSync|cpSync|parseArgs|"
                   "availableParallelism|getRandomValues|closeAllConnections|timeout|styleText|"
                   "parseEnv|loadEnvFile|isDisjointFrom|intersection) is not a function)",
        .summary = "The agent uses what this runtime does not have yet",
        .sample = "[   15.1] start-all.sh[142]: ReferenceError: fetch is not defined",
        .near_miss = "[   15.1] start-all.sh[142]: ReferenceError: sessionz is not defined",
    },
};

enum { STACK_LINES = 24, SOURCE_LINES = 6, SOURCE_BYTES = 2000 };

static const struct hit *within(const struct evidence *evidence, const char *rule_id,
                                const struct hit *after, uint32_t lines)
{
    for (const struct hit *hit = evidence_first(evidence, rule_id); hit != NULL;
         hit = evidence_next(evidence, rule_id, hit))
        if (hit->line > after->line && hit->line - after->line <= lines &&
            (hit->pid == after->pid || hit->pid == 0))
            return hit;
    return NULL;
}

static void add_script_missing(const struct evidence *evidence, const struct hit *hit,
                               uint32_t count, struct findings *findings)
{
    (void)evidence;
    struct finding *finding =
        findings_add(findings, "agent.entry-missing", "agent.script-missing", SEVERITY_ERROR, 0.95);
    finding_say(finding, "The agent's entry file %s does not exist", hit->captures[0]);
    finding->count = count;
    finding_hit(finding, hit);
}

/* The entry file itself is missing if nobody required it. */
static void judge_entry(const struct evidence *evidence, struct findings *findings)
{
    const struct hit *hit = evidence_first(evidence, "agent.entry-not-found");
    while (hit != NULL && !service_log_is_voice(evidence, hit))
        hit = evidence_next(evidence, "agent.entry-not-found", hit);
    if (hit != NULL && within(evidence, "agent.require-stack", hit, 2) == NULL) {
        add_script_missing(evidence, hit, evidence_count(evidence, "agent.entry-not-found"),
                           findings);
        return;
    }
    if (hit != NULL) {
        struct finding *finding = findings_add(findings, "agent.entry-required",
                                               "agent.module-missing", SEVERITY_ERROR, 0.95);
        finding_say(finding, "The agent needs the module %s, which is not there", hit->captures[0]);
        finding_hit(finding, hit);
        return;
    }
    /* The service may know its entry file by another name. */
    for (hit = evidence_first(evidence, "agent.module-not-found"); hit != NULL;
         hit = evidence_next(evidence, "agent.module-not-found", hit)) {
        if (hit->captures[0] == NULL || hit->captures[0][0] != '/' ||
            !service_log_is_voice(evidence, hit) ||
            within(evidence, "agent.empty-require-stack", hit, STACK_LINES) == NULL)
            continue;
        add_script_missing(evidence, hit, evidence_count(evidence, "agent.empty-require-stack"),
                           findings);
        findings->items[findings->len - 1].confidence = 0.98;
        return;
    }
}

/* What V8 calls unexpected where an older one meets newer syntax. */
static const char *const newer[] = {
    "Unexpected token '?'",
    "Unexpected token '?\?'",
    "Unexpected token '?\?='",
    "Unexpected token '||='",
    "Unexpected token '&&='",
    "Unexpected token '?.'",
    "Unexpected token ?",
    "Unexpected token 'export'",
    "Unexpected token 'import'",
    "Unexpected token export",
    "Unexpected token import",
    "Unexpected token 'with'",
    "Unexpected token 'static'",
    "Unexpected private",
    "Numeric separators are not",
    "Cannot use import statement",
    "Cannot use 'import.meta'",
    "await is only valid",
    "Private field '#",
    "Invalid regular expression",
    "Class static",
};

/* Newer than the oldest runtimes in use. Looked for only where a runtime could not parse a line. */
static const char *const newer_source[] = {"?.",          "?\?",    "||=",     "&&=",     "#",
                                           "static {",    "await ", "import ", "import(", "export ",
                                           "import.meta", "_0",     "using ",  ":="};

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/*
 * Node prints the line that it could not parse, and a caret under the place, before the message:
 * true if one of these lines holds newer syntax. Raw bytes: they hold what other writers say, too.
 */
static bool source_is_newer(const struct evidence *evidence, const struct hit *error)
{
    const struct bytes *console = &evidence->record->console;
    size_t end = error->offset < console->len ? (size_t)error->offset : console->len, start = end;
    for (unsigned lines = 0; start > 0 && lines <= SOURCE_LINES && end - start < SOURCE_BYTES;
         start--)
        lines += console->data[start - 1] == '\n';
    for (size_t i = 0; i < sizeof(newer_source) / sizeof(newer_source[0]); i++)
        if (memmem(console->data + start, end - start, newer_source[i], strlen(newer_source[i])) !=
            NULL)
            return true;
    return false;
}

static bool is_ambiguous(const char *message)
{
    return begins(message, "Unexpected token") || begins(message, "Unexpected identifier") ||
           begins(message, "Invalid or unexpected token") ||
           begins(message, "Unexpected reserved word") ||
           begins(message, "Unexpected strict mode reserved word") ||
           begins(message, "missing ) after argument list") || begins(message, "invalid syntax");
}

static void judge_syntax(const struct evidence *evidence, struct findings *findings)
{
    for (const struct hit *hit = evidence_first(evidence, "agent.syntax-error"); hit != NULL;
         hit = evidence_next(evidence, "agent.syntax-error", hit)) {
        const char *message = hit->captures[0];
        bool is_newer = false;
        if (message == NULL || strstr(message, "JSON") != NULL ||
            !service_log_is_voice(evidence, hit))
            continue;
        for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
            is_newer |= begins(message, newer[i]);
        if (!is_newer && !(is_ambiguous(message) && source_is_newer(evidence, hit)))
            continue;
        struct finding *finding = findings_add(findings, "agent.new-syntax",
                                               "agent.runtime-incompatible", SEVERITY_ERROR, 0.92);
        finding_say(finding, "The agent's code uses syntax that this runtime does not know: %s",
                    message);
        finding->count = evidence_count(evidence, "agent.syntax-error");
        finding_hit(finding, hit);
        return;
    }
}

static void run(const struct evidence *evidence, struct findings *findings)
{
    judge_entry(evidence, findings);
    judge_syntax(evidence, findings);
}

const struct analyzer analyzer_runtime = {
    .name = "runtime",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .run = run,
};
