/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/report_samples.h"

/* What a format prints; owned by the caller. */
static char *printed(const json_t *report, const char *format, int width, bool colour)
{
    char *text = NULL;
    size_t len = 0;
    struct report_style style = {.width = width, .colour = colour, .program = "build/bootdiag"};
    FILE *out = open_memstream(&text, &len);
    struct err err = {0};
    assert_int_equal(report_print(report, format, out, &style, &err), 0);
    fclose(out);
    return text;
}

static char *printed_with(const json_t *analysis, struct report_style style)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(report_analysis_text(analysis, out, &style, NULL), 0);
    fclose(out);
    return text;
}

static char *printed_analysis(const json_t *analysis, int width)
{
    return printed_with(analysis, (struct report_style){.width = width});
}

static void text_of_a_small_run(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        READY_AT("0001", 9800),
        MODULE_MISSING("0002", "[    9.1] node[224]: Error: Cannot find module 'x'"),
        READY_AT("0003", 10400),
    };
    json_auto_t *report = sample_report(samples, 3);
    auto_free char *text = printed(report, "text", 80, false);
    static const char want[] =
        "2 of 3 boots came up; 1 failed; 3 never began\n"
        "success rate 67 % (95 % interval 21-94 %); ready in 9.8 s median, 10.4 s worst;\n"
        "  99 s saved by ending early\n"
        "target bundled, on TCG (no usable KVM), compared with 5 good boots\n"
        "\n"
        "boot  result  time    stage reached  cause\n"
        "0001  ready   9.8 s   port answers\n"
        "0002  FAILED  21.3 s  agent started  agent.module-missing\n"
        "0003  ready   10.4 s  port answers\n"
        "\n"
        "full report   runs/r/report.json\n"
        "all logs      runs/r/boot-*/console.log\n"
        "\n"
        "agent.module-missing (97 % sure): 1 of 3 boots (0002)\n"
        "likely cause  agent.module-missing: the agent needs a module that is not\n"
        "              installed\n"
        "shown by      runs/r/boot-0002/console.log:412: [    9.1] node[224]: Error:\n"
        "              Cannot find module 'x'\n"
        "what to do    install the module in the image\n"
        "look further  build/bootdiag analyze --baseline 'base line' runs/r/boot-0002\n";
    assert_string_equal(text, want);
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void two_hundred_boots_fit_on_a_screen(void **state)
{
    (void)state;
    json_auto_t *report = new_report();
    char ids[200][12];
    for (int i = 0; i < 200; i++) {
        struct sample good = READY_AT(ids[i], 9000 + i * 10);
        struct sample bad = MODULE_MISSING(ids[i], "Error: Cannot find module 'x'");
        snprintf(ids[i], sizeof(ids[i]), "%04d", i + 1);
        add_sample(report, i % 50 == 20 ? &bad : &good);
    }
    report_finish(report);
    auto_free char *text = printed(report, "text", 100, false);
    assert_true(count_lines(text) <= 30);
    assert_non_null(strstr(text, "196 of 200 boots came up; 4 failed\n"));
    assert_non_null(strstr(text, "success rate 98 % (95 % interval 95-99.2 %); ready in 10.0 s"));
    assert_non_null(strstr(
        text, "\n196  0001-0020, 0022-0070, 0072-\u2026  ready   9.0-11.0 s  port answers\n"));
    assert_non_null(strstr(text, "4 of 200 boots (0021, 0071, 0121, 0171)\n"));
}

static size_t widest(const char *text)
{
    size_t most = 0, columns = 0;
    for (; *text != '\0'; text++) {
        columns = *text == '\n' ? 0 : columns + (((unsigned char)*text & 0xc0) != 0x80);
        if (columns > most)
            most = columns;
    }
    return most;
}

static void assert_harmless(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 && *c != '\n')
            fail_msg("control byte %02x at %zu", (unsigned char)*c, (size_t)(c - text));
    /* U+0080 to U+009F are controls too. */
    for (const char *c = text; (c = strchr(c, '\xc2')) != NULL; c++)
        assert_true((unsigned char)c[1] >= 0xa0);
}

static void hostile_text_is_harmless_everywhere(void **state)
{
    (void)state;
    static const char evil[] = "\033[2J\033]0;pwn\007 \xff\xfe \xc2\x9b"
                               "31m \r\t\x7f \"}</script>";
    struct sample sample = MODULE_MISSING("0002", evil);
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.verdict.summary = analysis.verdict.remedy = analysis.source = (char *)evil;
    add_diff(&analysis);
    struct diff_line novel = {.text = (char *)evil, .line = 1, .was = (char *)evil, .count = 1};
    analysis.diff.novel = &novel;
    analysis.diff.expected = analysis.diff.seen = (char *)evil;
    analysis.verdict.cause = "unknown";
    struct contributing other = {.cause = "x.\033[1m"};
    analysis.contributing = &other;
    analysis.n_contributing = 1;
    json_auto_t *document = report_analysis_json(&analysis);
    auto_free char *text = printed_analysis(document, 80);
    assert_harmless(text);
    assert_null(strstr(text, "\xff"));

    json_auto_t *report = sample_report(&sample, 1);
    json_object_set_new(at(report, "boots.0"), "boot_id", json_string("\033[2J"));
    report_finish(report);
    report_add_preflight(report, "x\033", evil);
    auto_free char *screen = printed(report, "text", 80, false);
    assert_harmless(screen);
    auto_free char *dump = printed(report, "json", 0, false);
    assert_harmless(dump);
    json_auto_t *parsed = json_loads(dump, 0, NULL);
    assert_true(json_equal(parsed, report));
}

/* All but paths and commands, which are there to be copied. */
static void text_keeps_to_the_width(void **state)
{
    (void)state;
    auto_free char *line = mem_calloc(QUOTE_TEXT_SIZE, 1);
    for (int i = 0; i < QUOTE_TEXT_SIZE - 1; i++)
        line[i] = "ab c\xc3\xa9"
                  "f"[i % 7];
    struct sample sample = MODULE_MISSING("0002", line);
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    add_diff(&analysis);
    json_auto_t *document = report_analysis_json(&analysis);
    static const int widths[] = {40, 60, 79, 132};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        auto_free char *text = printed_analysis(document, widths[i]);
        char *command = strstr(text, "look further");
        assert_non_null(command);
        *command = '\0';
        assert_true(widest(text) <= (size_t)widths[i]);
    }
    auto_free char *unlimited = printed_analysis(document, 0);
    assert_non_null(strstr(unlimited, line));
}

/* Nothing is claimed, and yet the line that looks like it is on the screen. */
static void undetermined_shows_what_was_noticed(void **state)
{
    (void)state;
    json_auto_t *document =
        json_pack("{s:s, s:s, s:n, s:[{s:s, s:s, s:s, s:[{s:s, s:i, s:s}]}]}", "source", "c.log",
                  "outcome", "undetermined", "verdict", "questions", "id", "errors-seen", "answer",
                  "yes", "text", "1 kind of error is on the console", "evidence", "file",
                  "console.log", "line", 10, "text", "panic: no session store");
    assert_non_null(document);
    auto_free char *text = printed_analysis(document, 100);
    assert_non_null(
        strstr(text, "c.log: undetermined\n  > console.log:10: panic: no session store"));
    json_object_set_new(document, "outcome", json_string("ready"));
    auto_free char *ready = printed_analysis(document, 100);
    assert_null(strstr(ready, "panic: no session store"));
}

static void unknown_leads_with_stage_and_novel_lines(void **state)
{
    (void)state;
    struct sample sample = MODULE_MISSING("0002", "some line");
    sample.cause = "unknown";
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.verdict.summary = "no cause could be named";
    analysis.verdict.n_quotes = 0;
    add_diff(&analysis);
    json_auto_t *document = report_analysis_json(&analysis);
    auto_free char *text = printed_analysis(document, 100);
    const char *stage = strstr(text, "got as far as: agent started; the first step that is "
                                     "missing: agent listening\n");
    const char *novel = strstr(text, "console.log:542: eth9: odd (good boots: eth0: even)\n");
    const char *summary = strstr(text, "no cause could be named\n");
    assert_non_null(stage);
    assert_non_null(novel);
    assert_non_null(summary);
    assert_true(stage < novel && novel < summary);
    assert_non_null(strstr(text, "as in all 5 good boots until line 541 at 2.95 s; the"));
    assert_non_null(strstr(text, "from kernel started to systemd started: 9.0 s, usually 4.1 s\n"));
}

static void add_evidence(json_t *document, const char *file, int line, const char *text)
{
    json_t *quote = json_pack("{s:s, s:o, s:n, s:s}", "file", file, "line",
                              line > 0 ? json_integer(line) : json_null(), "offset", "text", text);
    json_array_append_new(at(document, "verdict.evidence"), quote);
}

static void evidence_leads_with_the_telling_line_and_repeats_nothing(void **state)
{
    (void)state;
    struct sample sample =
        MODULE_MISSING("0002", "[   12.42] systemd[1]: Dependency failed for a.service - The A.");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    json_auto_t *document = report_analysis_json(&analysis);
    add_evidence(document, "boot.json", 0, "exit code 1");
    add_evidence(document, "console.log", 413, "[DEPEND] Dependency failed for a.service - The A.");
    add_evidence(document, "console.log", 414, "[DEPEND] Dependency failed for a.se\u2026 The A.");
    add_evidence(document, "console.log", 409, "[   11.10] systemd[1]: Failed to start b.");
    add_evidence(document, "console.log", 300, "[   11.00] b[7]: no such file");
    auto_free char *text = printed_analysis(document, 0);
    assert_non_null(strstr(
        text, "  > console.log:412: [   12.42] systemd[1]: Dependency failed for a.service - "
              "The A.\n"
              "    console.log:300: [   11.00] b[7]: no such file\n"
              "    console.log:409: [   11.10] systemd[1]: Failed to start b.\n"
              "    boot.json: exit code 1\n"
              "  remedy    "));
}

static void paths_and_commands_are_not_broken(void **state)
{
    (void)state;
    struct sample sample = MODULE_MISSING("0002", "x");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.verdict.remedy = "see /a/path/that/is/much/longer/than/any/line/of/forty/columns and "
                              "run (`npm ci --no-audit`), then look";
    json_auto_t *document = report_analysis_json(&analysis);
    auto_free char *text = printed_analysis(document, 40);
    assert_non_null(strstr(text, "  remedy    see\n"
                                 "            /a/path/that/is/much/longer/than/any/line/of/forty/"
                                 "columns\n"
                                 "            and run\n"
                                 "            (`npm ci --no-audit`), then\n"
                                 "            look\n"));
}

static void only_long_evidence_is_cut(void **state)
{
    (void)state;
    auto_free char *line = mem_calloc(QUOTE_TEXT_SIZE, 1);
    memset(line, 'w', QUOTE_TEXT_SIZE - 1);
    auto_free char *remedy = mem_calloc(2000, 1);
    for (int i = 0; i < 1999; i++)
        remedy[i] = "abcd "[i % 5];
    struct sample sample = MODULE_MISSING("0002", line);
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.verdict.remedy = remedy;
    json_auto_t *document = report_analysis_json(&analysis);
    auto_free char *text = printed_analysis(document, 80);
    const char *cut = strstr(text, "\u2026");
    assert_non_null(cut);
    assert_null(strstr(cut + 1, "\u2026"));
    size_t words = 0;
    for (const char *c = text; (c = strstr(c, "abcd")) != NULL; c++)
        words++;
    assert_int_equal(words, 400);
}

static void commands_lead_to_the_line(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "some line");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    json_auto_t *document = report_analysis_json(&analysis);
    static const struct {
        const char *source, *console, *by_hand_in, *quoted, *command;
    } rows[] = {
        {"r/boot", NULL, "r/boot/boot.json", "> console.log:412: some line\n",
         "\nlook further  less +412 r/boot/console.log\n"
         "boot by hand  jq -r .vmm.by_hand r/boot/boot.json\n"},
        {"r/boot//", NULL, NULL, "> console.log:412: some line\n",
         "\nlook further  less +412 r/boot/console.log\n"},
        {"old.log", "old.log", NULL, "> old.log:412: some line\n",
         "\nlook further  less +412 old.log\n"},
        {"old/", "old/a b.log.gz", NULL, "> a b.log.gz:412: some line\n",
         "\nlook further  zcat 'old/a b.log.gz' | less +412\n"},
        {"-", "-", NULL, "> standard input:412: some line\n", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_object_set_new(document, "source", json_string(rows[i].source));
        auto_free char *text =
            printed_with(document, (struct report_style){.console = rows[i].console,
                                                         .by_hand_in = rows[i].by_hand_in});
        assert_non_null(strstr(text, rows[i].quoted));
        if (rows[i].command == NULL)
            assert_null(strstr(text, "look further"));
        else
            assert_non_null(strstr(text, rows[i].command));
    }
}

static void answers_do_not_repeat_the_verdict(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "some line");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.verdict.summary = "it is broken";
    analysis.questions[0].text = "it is broken";
    analysis.questions[1].text = "it is broken: driver yes, link no";
    analysis.questions[2].text = "systemd starts services";
    analysis.questions[5].text = "Port 8080 is not reachable (reset): it is broken";
    json_auto_t *document = report_analysis_json(&analysis);
    auto_free char *text = printed_analysis(document, 0);
    assert_non_null(strstr(text, "  kernel boots             unknown  as said above\n"
                                 "  network comes up         unknown  driver yes, link no\n"
                                 "  systemd starts services  unknown\n"
                                 "  agent starts             unknown  nothing says so\n"));
    assert_non_null(strstr(text, "unknown  Port 8080 is not reachable (reset)\n"));
}

static void small_delays_are_not_told(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "some line");
    static const struct {
        int64_t ms, whole_ms;
        bool told;
    } rows[] = {{5101, 20000, true}, {5100, 20000, false}, {4600, 2000, false}, {4601, 2000, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct analysis analysis;
        fill_analysis(&analysis, &sample);
        add_diff(&analysis);
        struct diff_late late = {"kernel-started", "init-started", rows[i].ms, 4100};
        analysis.diff.late = &late;
        milestones[STAGE_INIT_STARTED].at_ms = rows[i].whole_ms;
        json_auto_t *document = report_analysis_json(&analysis);
        auto_free char *text = printed_analysis(document, 0);
        assert_int_equal(strstr(text, "  late  ") != NULL, rows[i].told);
    }
}

static void an_interrupted_run_says_what_never_began(void **state)
{
    (void)state;
    static const struct sample samples[] = {READY_AT("0001", 9800),
                                            {.boot_id = "0002",
                                             .end = RECORD_END_INTERRUPTED,
                                             .outcome = OUTCOME_UNDETERMINED,
                                             .ready_ms = -1,
                                             .ended_ms = 2000}};
    json_auto_t *report = sample_report(samples, 2);
    report_set_interrupted(report);
    auto_free char *text = printed(report, "text", 80, false);
    assert_non_null(strstr(text, "1 of 2 boots came up; 1 interrupted; 4 never began\n"));
    assert_non_null(strstr(text, "0002  interrupted  2.0 s  VM started\n"));
}

static void the_most_frequent_cause_stands_last(void **state)
{
    (void)state;
    struct sample samples[] = {MODULE_MISSING("0001", "Error: a"), MODULE_MISSING("0002", "panic"),
                               MODULE_MISSING("0003", "Error: b")};
    samples[1].cause = "kernel.panic";
    json_auto_t *report = sample_report(samples, 3);
    auto_free char *text = printed(report, "text", 100, false);
    const char *panic = strstr(text, "kernel.panic (97 % sure): 1 of 3 boots (0002)\n"
                                     "  the agent needs a module that is not installed\n"
                                     "  > boot-0002/console.log:412: panic\n"
                                     "  remedy    install the module in the image\n");
    const char *logs = strstr(text, "all logs");
    const char *agent = strstr(text, "agent.module-missing (97 % sure): 2 of 3 boots (0001, 0003)\n"
                                     "likely cause  agent.module-missing: ");
    assert_non_null(panic);
    assert_non_null(agent);
    assert_true(panic < logs && logs < agent);
}

static void colour_only_if_asked_for(void **state)
{
    (void)state;
    static const struct sample sample = MODULE_MISSING("0002", "some line");
    json_auto_t *report = sample_report(&sample, 1);
    auto_free char *plain = printed(report, "text", 80, false);
    auto_free char *coloured = printed(report, "text", 80, true);
    assert_null(strchr(plain, '\033'));
    assert_non_null(strstr(coloured, "\033[1;31mFAILED\033[0m"));
}

static void preflight_is_said_when_nothing_was_booted(void **state)
{
    (void)state;
    json_auto_t *report = new_report();
    report_add_preflight(report, "vmm.kernel-missing", "no.json: \"kernel\": not found");
    report_set_interrupted(report);
    report_finish(report);
    assert_json(report, "summary.success_rate", "null");
    assert_json(report, "summary.ready_ms", "null");
    assert_json(report, "preflight.0.cause", "\"vmm.kernel-missing\"");
    auto_free char *text = printed(report, "text", 80, false);
    assert_non_null(strstr(text, "no VM was booted; 6 never began (interrupted)\n"));
    assert_non_null(strstr(text, "no.json: \"kernel\": not found (vmm.kernel-missing)\n"));
}

static void odd_documents_are_printed_too(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "{}",
        "{\"boots\": 3, \"summary\": []}",
        "{\"boots\": [null, 1, {}], \"summary\": {\"boots\": 3, \"causes\": [{}, null, 7]}}",
        "{\"boots\": [{\"boot_id\": 1, \"analysis\": {\"verdict\": {\"evidence\": [1, {}]}}}]}",
        "{\"summary\": {\"causes\": [{\"boots\": [1, {}]}]}, \"preflight\": [3]}",
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        json_auto_t *document = json_loads(documents[i], 0, NULL);
        assert_non_null(document);
        auto_free char *text = printed(document, "text", 80, false);
        auto_free char *analysis = printed_analysis(document, 80);
        assert_true(strlen(text) > 0 && strlen(analysis) > 0);
    }
}

static void formats_are_found_by_name(void **state)
{
    (void)state;
    size_t n = 0;
    const struct report_format *const *formats = report_formats(&n);
    assert_true(n >= 2);
    assert_string_equal(formats[0]->name, "text");
    json_auto_t *report = new_report();
    struct report_style style = {0};
    struct err err = {0};
    assert_int_equal(report_print(report, "pdf", stdout, &style, &err), -1);
    assert_non_null(
        strstr(err.message, "\"pdf\" is not a format of a report; there are: text, json"));
    auto_file FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(report_print(report, "json", full, &style, &err), -1);
    assert_non_null(strstr(err.message, "cannot write the report: No space left on device"));
}

static char *tally_text(const json_t *tally)
{
    char *text = NULL;
    size_t len = 0;
    struct report_style style = {.program = "bootdiag"};
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(report_tally_text(tally, out, &style, NULL), 0);
    fclose(out);
    return text;
}

static void tally_counts_by_cause(void **state)
{
    (void)state;
    json_auto_t *tally = report_tally_new();
    for (int i = 0; i < 2000; i++) {
        struct sample sample = MODULE_MISSING("1", "line");
        struct analysis analysis;
        if (i % 4 == 0)
            sample.cause = "kernel.panic";
        if (i % 10 == 3)
            sample = (struct sample)READY_AT("1", 1);
        if (i % 10 == 7)
            sample.cause = "unknown";
        fill_analysis(&analysis, &sample);
        analysis.source = i % 8 == 0 ? (char *)"clear" : (char *)"unclear";
        analysis.verdict.confidence = i % 8 == 0 ? 0.9 : 0.8;
        auto_free char *stamp = mem_printf("2025-11-%02dT20-49-08-451Z", 1 + i % 28);
        json_auto_t *document = report_analysis_json(&analysis);
        json_auto_t *item = report_tally_item(document, i % 4 == 0 ? "not a stamp" : stamp);
        report_tally_add(tally, item);
    }
    report_tally_unread(tally);
    auto_free char *text = tally_text(tally);
    assert_string_equal(
        text,
        "2000 boots: 200 ready, 1800 failed, 0 undetermined; 1 could not be read\n"
        "kept 2025-11-02 20:49 to 2025-11-28 20:49 UTC\n"
        "\n"
        " count  share  cause                 seen (UTC)\n"
        "  1100   55 %  agent.module-missing  2025-11-02 20:49 to 2025-11-28 20:49\n"
        "               unclear\n"
        "   500   25 %  kernel.panic\n"
        "               clear\n"
        "\n"
        " count  share  could not be named                    seen (UTC)\n"
        "   200   10 %  failed; got as far as: agent started  2025-11-02 20:49 to "
        "2025-11-28 20:49\n"
        "               unclear\n"
        "\n"
        "most frequent  agent.module-missing: the agent needs a module that is not installed\n"
        "shown by       console:412: line\n"
        "what to do     install the module in the image\n"
        "look further   bootdiag analyze unclear\n");
}

/* Stamps and names come from files that anybody may have written. */
static void tally_of_nothing_and_of_hostile_names(void **state)
{
    (void)state;
    json_auto_t *tally = report_tally_new();
    auto_free char *nothing = tally_text(tally);
    assert_string_equal(nothing, "0 boots: 0 ready, 0 failed, 0 undetermined\n");
    struct sample sample = MODULE_MISSING("1", "line");
    struct analysis analysis;
    fill_analysis(&analysis, &sample);
    analysis.source = (char *)"a\033[2Jb\n'c";
    json_auto_t *document = report_analysis_json(&analysis);
    json_auto_t *item = report_tally_item(document, "2025-11-06T20:\033[2J");
    report_tally_add(tally, item);
    auto_free char *text = tally_text(tally);
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "2025"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_a_small_run),
        cmocka_unit_test(two_hundred_boots_fit_on_a_screen),
        cmocka_unit_test(hostile_text_is_harmless_everywhere),
        cmocka_unit_test(text_keeps_to_the_width),
        cmocka_unit_test(undetermined_shows_what_was_noticed),
        cmocka_unit_test(unknown_leads_with_stage_and_novel_lines),
        cmocka_unit_test(evidence_leads_with_the_telling_line_and_repeats_nothing),
        cmocka_unit_test(paths_and_commands_are_not_broken),
        cmocka_unit_test(only_long_evidence_is_cut),
        cmocka_unit_test(commands_lead_to_the_line),
        cmocka_unit_test(answers_do_not_repeat_the_verdict),
        cmocka_unit_test(small_delays_are_not_told),
        cmocka_unit_test(an_interrupted_run_says_what_never_began),
        cmocka_unit_test(the_most_frequent_cause_stands_last),
        cmocka_unit_test(colour_only_if_asked_for),
        cmocka_unit_test(preflight_is_said_when_nothing_was_booted),
        cmocka_unit_test(odd_documents_are_printed_too),
        cmocka_unit_test(formats_are_found_by_name),
        cmocka_unit_test(tally_counts_by_cause),
        cmocka_unit_test(tally_of_nothing_and_of_hostile_names),
    };
    return cmocka_run_group_tests_name("report text", tests, NULL, NULL);
}
