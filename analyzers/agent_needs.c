/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_needs: what the agent needs of its guest and does not find: its runtime, libraries,
 * settings and the right time.
 *
 * Sources of the wording: bash, dash, busybox, zsh, env(1); glibc 2.31 to 2.41 and musl (ld.so);
 * Node.js, Python, Go; tini, supervisord, Docker; OpenSSL, jsonwebtoken.
 */
#include "analyzers/analyzer.h"

/* Not what is only warned of, or has a default. */
#define QUIET                                                                                      \
    "^(?=.{0,1000}$)(?!.*(?:\"(?:level|severity)\": ?\"?(?:warn|info|debug|trace|notice|"          \
    "WARN|INFO|DEBUG|[1-4]0\\b)|\\b(?:warn|WARN|[wW]arning|INFO|DEBUG)\\b|"                        \
    "[uU]sing (?:the )?(?:default|fallback)|[dD]efault(?:s|ing) to|"                               \
    "[oO]ptional|[iI]gnor|[dD]isabled|[sS]kipp))"
/* Programs that run agents. */
#define RUNTIMES                                                                                   \
    "(?:node(?:js)?[\\d.]*|npm|npx|yarn|pnpm|python3?(?:\\.\\d+)?|java|deno|bun|"                  \
    "ruby)"
/* In the name of a file that configures something. */
#define CONFIG_FILE                                                                                \
    "(?:[cC]onf|[sS]etting|[cC]redential|[sS]ecret|[tT]oken|\\.env|\\.json|"                       \
    "\\.ya?ml|\\.toml|\\.ini|\\.key|\\.pem|\\.crt|\\.p12|\\.jwk)"

static const struct rule rules[] = {
    {
        .id = "agent.runtime-not-found",
        .cause = "agent.runtime-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.96,
        .pattern =
            "(?:(?:^|[\\s:'\"/]|\\xe2\\x80\\x98)(" RUNTIMES
            ")\\W{0,3}: (?:command not found|not found|No such file|Permission denied|cannot "
            "execute: required file|executable file not found)|(?:command not found: "
            "|(?:[pP]ermission denied|no such file "
            "or directory): \\S*/)(" RUNTIMES
            ")$|(?:exec |can't find command '(?:\\S*/)?|couldn't exec \\S*/|spawn )(" RUNTIMES
            ")(?: failed: |'|: E| ENOENT)|(?:to locate executable|Failed to execute|spawning) "
            "'?\\S*/(" RUNTIMES ")'?: (?:No such file|Permission denied))",
        .summary = "The runtime $1$2$3$4 is not in the guest, or may not be run",
        .sample = "[   14.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: node: "
                  "command not found",
        .near_miss = "[   14.1] start-all.sh[139]: /opt/vm-browser-agent/start-all.sh: line 22: "
                     "xdpyinfo: command not found",
    },
    {
        .id = "agent.runtime-format",
        .cause = "agent.runtime-incompatible",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern =
            "(?:^|[\\s:'/])(" RUNTIMES ")'?: (?:cannot execute binary file|Exec format error)",
        .summary = "The runtime $1 was built for another machine",
        .sample = "[   14.1] start-all.sh[139]: /opt/x/start-all.sh: line 22: /usr/bin/node: "
                  "cannot execute binary file: Exec format error",
        .near_miss = "[   14.1] start-all.sh[139]: /opt/x/start-all.sh: line 22: /opt/tool: cannot "
                     "execute binary file: Exec format error",
    },
    {
        .id = "agent.library-not-found",
        .cause = "agent.library-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern = "(?:(?<!\\S)(?!/(?:usr/)?(?:s?bin/init|lib/systemd/))(\\S+): error while "
                   "loading shared libraries: (.+)|Error (?:loading shared library|relocating) "
                   "(\\S+: .+)|(?:ImportError|OSError|Error|UnsatisfiedLinkError): (?:\\S+: "
                   ")?(lib\\S+?\\.so[\\w.]*): cannot open shared object file)",
        .summary = "$1 cannot start, a shared library is missing: $2$3$4",
        .sample = "[   14.1] start-all.sh[142]: node: error while loading shared libraries: "
                  "libnode.so.108: cannot open shared object file: No such file or directory",
        .near_miss = "[   14.1] start-all.sh[142]: loaded shared libraries",
    },
    {
        .id = "agent.library-version",
        .cause = "agent.library-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.95,
        .pattern = "(\\S+): \\S+: version `?(\\S+?)' not found",
        .literal = "' not found",
        .summary = "$1 cannot start: the image's libraries have no version $2",
        .sample = "[   14.1] start-all.sh[142]: node: /lib/x86_64-linux-gnu/libc.so.6: version "
                  "`GLIBC_2.38' not found (required by node)",
        .near_miss = "[   14.1] start-all.sh[142]: Error: profile 'x' not found",
    },
    {
        .id = "agent.library-symbol",
        .cause = "agent.library-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.92,
        .pattern = "(\\S+): (?:symbol lookup error: |relocation error: |undefined symbol: )(.+)",
        .summary = "$1 cannot start: its libraries do not fit: $2",
        .sample = "[   14.1] start-all.sh[142]: node: symbol lookup error: node: undefined symbol: "
                  "SSL_get_peer_certificate",
        .near_miss = "[   14.1] start-all.sh[142]: symbol lookup took 3 ms",
    },
    {
        .id = "agent.setting-missing",
        .cause = "agent.config-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = QUIET
        ".*?(?:\\b(?!XDG_|DBUS_|LC_|LANG)([A-Z][A-Z0-9]*_[A-Z0-9_]+)\\b[\"'`]?(?: \\w+){0,2} (?:is "
        "|was |are )?(?:required|not set|must be (?:set|provided|defined|specified)|not "
        "(?:provided|specified|found|present|configured)|missing|undefined|not "
        "defined|empty)|\\b[mM]issing(?: the)?(?: required| mandatory)? (?:env(?:ironment)?(?: "
        "variables?)?|config\\w*|settings?|options?|variables?|API key|[aA]ccess "
        "token|token|secret|credentials?)\\S* ?:? ?([\\w, -]*)|\\b(?:[rR]equires?|[nN]eeds?) "
        "(?:an? |the )?(?:environment variable|settings?|API key|[aA]ccess "
        "token|secret|credentials)|\\b[nN]o (?:config\\w*|settings?|API key|[aA]ccess "
        "token|token|secret|credentials)(?: \\w+){0,3} "
        "(?:provided|configured|found|specified|set|supplied|given)\\b|[eE]nvironment variable "
        "[\"'`]?(\\w+)[\"'`]? (?:is |was |has |must )?(?:not|required|missing|be set|undefined|no "
        "value))",
        .summary = "The agent needs the setting $1$2$3, which is absent",
        .sample = "[   14.1] start-all.sh[142]: {\"level\":\"error\",\"msg\":\"SESSION_ID "
                  "environment variable required\"}",
        .near_miss = "[   12.46] start-all.sh[139]: [SUPERVISOR] SESSION_ID=<unset> DISPLAY=:1",
    },
    {
        .id = "agent.key-error",
        .cause = "agent.config-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.85,
        .pattern = "^KeyError: "
                   "'([A-Z][A-Z0-9_]+)'$|^(?:\\w+\\.)*(?:MissingEnvVarsError|ConfigError|"
                   "ConfigurationError|ImproperlyConfigured|EnvError|MissingConfigError|"
                   "ValidationError): (.+)",
        .summary = "The agent needs the setting $1$2, which is absent",
        .sample = "[   14.1] run.sh[142]: KeyError: 'SESSION_ID'",
        .near_miss = "[   14.1] run.sh[142]: KeyError: 'name'",
    },
    {
        .id = "agent.config-file",
        .cause = "agent.config-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.88,
        .pattern = QUIET
        "(?:.*\\bENOENT: no such file or directory, (?:open|stat|access|lstat) '([^']*" CONFIG_FILE
        "[^']*)'|.*(?:FileNotFoundError: |\\[Errno 2\\] )No such file or directory: "
        "'([^']*" CONFIG_FILE "[^']*)'|.*\\bopen (\\S*" CONFIG_FILE
        "\\S*): no such file or directory|.*(?:[cC]onfig(?:uration)?|[sS]ettings) file (\\S+ "
        ")?(?:not found|does not exist|is missing|could not be (?:read|found|opened)))",
        .summary = "The agent needs the file $1$2$3$4, which is absent",
        .sample = "[   14.1] start-all.sh[142]: Error: ENOENT: no such file or directory, open "
                  "'/etc/agent/config.json'",
        .near_miss = "[   14.1] start-all.sh[142]: Error: ENOENT: no such file or directory, open "
                     "'/tmp/upload.part'",
    },
    {
        .id = "agent.config-unreadable",
        .cause = "agent.config-missing",
        .severity = SEVERITY_ERROR,
        .confidence = 0.78,
        .pattern = QUIET
        "(?:(?:Uncaught )?SyntaxError: .*\\bJSON\\b.*|.*\\bjson\\.decoder\\.JSONDecodeError: "
        ".+|.*\\b(?:invalid|malformed|cannot parse|failed to parse|could not parse|error "
        "parsing)\\b.*(?:config|settings|\\.json|\\.ya?ml|\\.toml|\\.env).*|.*\\b(?:YAMLException|"
        "yaml\\.scanner\\.ScannerError|TomlError|toml\\.decoder\\.TomlDecodeError)\\b.*)$",
        .summary = "The agent cannot read its configuration",
        .sample = "[   14.1] start-all.sh[142]: SyntaxError: /etc/agent/config.json: Unexpected "
                  "end of JSON input",
        .near_miss = "[   14.1] start-all.sh[142]: SyntaxError: Unexpected token '}'",
    },
    {
        .id = "agent.certificate-time",
        .cause = "agent.clock-skew",
        .severity = SEVERITY_ERROR,
        .confidence = 0.88,
        .pattern = "(?i)certificate is not yet valid|CERT_NOT_YET_VALID|certificate has expired or "
                   "is not yet valid|(?<!warning: )(?<!warning:  )clock ?skew|"
                   "RequestTimeTooSkewed|\\b(?:jwt not active|token "
                   "used before issued|token is not (?:yet )?(?:valid|active)(?: "
                   "yet)?|(?:iat|nbf)\\b.{0,30}\\bfuture|NotBeforeError)|\\b(?:system|local|guest) "
                   "(?:clock|time|date) (?:is |seems |appears )?(?:to be )?(?:wrong|incorrect|not "
                   "set|invalid|out of sync|in the (?:past|future)|too far)|signature not yet "
                   "current|not before: \\d",
        .summary = "The guest's clock is wrong: what the agent checks is not valid yet",
        .sample = "[   15.1] start-all.sh[142]: Error: certificate is not yet valid",
        /* make(1) and OpenRC say so of files that are newer than now. */
        .near_miss = "[   15.1] start-all.sh[142]: * WARNING: clock skew detected!",
    },
    {
        /* An expiry in a year that no clock should show. */
        .id = "agent.expired-in-odd-year",
        .cause = "agent.clock-skew",
        .severity = SEVERITY_ERROR,
        .confidence = 0.9,
        .pattern = "^(?=.*\\b(?i:expired|CERT_HAS_EXPIRED|TokenExpiredError)).*\\b(?:19[789]\\d|"
                   "200\\d|201[0-5]|20[4-9]\\d|2[1-9]\\d\\d)-[01]\\d-[0-3]\\d[T ]",
        .summary = "What the agent checks has expired, because the guest's clock is wrong",
        .sample =
            "[   56.7] start-all.sh[129]: {\"code\":\"CERT_HAS_EXPIRED\",\"error\":\"certificate "
            "has expired\",\"timestamp\":\"2099-12-31T23:00:34.552Z\"}",
        .near_miss = "[   56.7] start-all.sh[129]: {\"code\":\"CERT_HAS_EXPIRED\",\"error\":"
                     "\"certificate has expired\",\"timestamp\":\"2026-12-31T23:00:34.552Z\"}",
    },
    {
        .id = "agent.certificate-expired",
        .cause = "agent.clock-skew",
        .severity = SEVERITY_ERROR,
        .confidence = 0.6,
        .pattern = "(?i)certificate has expired(?! or)|CERT_HAS_EXPIRED|jwt expired|token (?:has "
                   "|is )?expired|request has expired|TokenExpiredError",
        .summary = "What the agent checks has expired, or the guest's clock is ahead",
        .sample = "[   15.1] start-all.sh[142]: Error: certificate has expired",
        .near_miss = "[   15.1] start-all.sh[142]: Error: certificate is not yet valid",
    },
    {
        .id = "agent.epoch",
        .cause = "agent.clock-skew",
        .severity = SEVERITY_NOTE,
        .confidence = 0.45,
        .pattern = "\"(?:timestamp|time|ts|date|@timestamp)\": ?\"(?:1970|2000)-0[1-3]-",
        .summary = "The agent's own time stamps are those of a clock that was never set",
        .sample = "[   15.1] start-all.sh[142]: {\"level\":\"error\",\"msg\":\"token "
                  "rejected\",\"timestamp\":\"1970-01-01T00:00:31.220Z\"}",
        .near_miss = "[   15.1] start-all.sh[142]: {\"level\":\"error\",\"msg\":\"token "
                     "rejected\",\"timestamp\":\"2026-01-01T00:00:31.220Z\"}",
    },
};

const struct analyzer analyzer_agent_needs = {
    .name = "agent_needs",
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
};
