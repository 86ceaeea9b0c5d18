/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host met, against what the console and the capture say: every row of the contract's
 * table of probe classes, per kind of network. All records here are synthetic.
 */
#include "tests/support.h"

#include "analyzers/analysis.h"
#include "analyzers/rules.h"
#include "harness/record.h"
#include "tests/film.h"

#define BOOT                                                                                       \
    "[    0.500000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"
#define LEASE                                                                                      \
    "[    7.622891] systemd-networkd[123]: eth0: DHCPv4 address 192.168.100.5/24 acquired from "   \
    "192.168.100.1\r\n"
#define FIREWALL "[    7.9] systemd[1]: Finished nftables.service - nftables.\r\n"
#define UNIT                                                                                       \
    "[    8.087667] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"                \
    "[    8.451392] start-all.sh[139]: [SUPERVISOR] OAuth agent PID: 142\r\n"
#define READY                                                                                      \
    "[   15.749006] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "            \
    "started\",\"port\":8080,\"vmIP\":\"192.168.100.5\"}\r\n"
#define UP     BOOT LEASE UNIT READY
#define NOT_UP BOOT LEASE UNIT

enum { MAX_RUNS = 6 };

/* Flags of record.net, as far as a scene sets them. */
enum { OWN = 1, FOREIGN = 2, BEFORE = 4, NO_VNET_HDR = 8 };

struct scene {
    const char *name, *console;
    const char *network;
    struct probe_run runs[MAX_RUNS];
    void (*shoot)(struct film *film);
    const char *cause; /* NULL: no verdict */
    double least;
    const char *url; /* NULL: the right one */
    bool ready;      /* the boot ended as ready */
    int net;
};

#define RUN(class, from, to)                                                                       \
    {                                                                                              \
        class, from, to, ((to) - (from)) / 100 + 1, 0, NULL                                        \
    }
#define RUN_ARP(class, from, to, arp)                                                              \
    {                                                                                              \
        class, from, to, ((to) - (from)) / 100 + 1, 0, arp                                         \
    }
#define STATUS(class, from, to, status)                                                            \
    {                                                                                              \
        class, from, to, ((to) - (from)) / 100 + 1, status, NULL                                   \
    }
#define TAP(...)      .network = "tap", .runs = {__VA_ARGS__}
#define USER(...)     .network = "user", .runs = {__VA_ARGS__}
#define DEAF_AT_FIRST RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 8000, "failed")

static void answer_arp(struct film *film)
{
    film_arp(film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
    film_arp(film, MAC_GUEST, MAC_HOST, 2, IP_PLANNED, IP_HOST);
}

static void drop_syn(struct film *film)
{
    film->ms = 8000;
    answer_arp(film);
    for (int i = 0; i < 20; i++) {
        film->ms += 1000;
        film_syn(film);
    }
}

static void reject_syn(struct film *film)
{
    film->ms = 8000;
    answer_arp(film);
    for (int i = 0; i < 20; i++) {
        film->ms += 1000;
        film_syn(film);
        film_unreachable(film, 10);
    }
}

static void accept_syn(struct film *film)
{
    film->ms = 8000;
    answer_arp(film);
    for (int i = 0; i < 20; i++) {
        film->ms += 1000;
        film_syn(film);
        film_tcp(film, MAC_GUEST, IP_PLANNED, 8080, IP_HOST, 51000, 2 | 16, 0);
    }
}

static void both_answer(struct film *film)
{
    drop_syn(film);
    film_arp(film, MAC_OTHER, MAC_HOST, 2, IP_PLANNED, IP_HOST);
}

static void only_another_answers(struct film *film)
{
    film_dhcp(film, 1, MAC_GUEST, 0);
    film_arp(film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
    film_arp(film, MAC_OTHER, MAC_HOST, 2, IP_PLANNED, IP_HOST);
    film_tcp(film, MAC_OTHER, IP_PLANNED, 8080, IP_HOST, 51000, 2 | 16, 0);
}

/* The bridge passes nothing on to the guest. */
static void nobody_asks(struct film *film)
{
    for (int i = 0; i < 5; i++) {
        film->ms = 8000 + (uint32_t)i * 8000;
        film_arp(film, MAC_GUEST, MAC_ALL, 1, IP_PLANNED, IP_HOST);
    }
}

static const struct scene scenes[] = {
    /* good boots */
    {"good_after_a_long_silence", UP,
     TAP(RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 58000, "failed"), RUN(PROBE_REFUSED, 58000, 59000),
         STATUS(PROBE_READY, 59000, 60000, 200)),
     .ready = true},
    {"good_through_a_forwarder", UP,
     USER(RUN(PROBE_REFUSED, 2, 2), RUN(PROBE_NO_ANSWER, 750, 9000), RUN(PROBE_RESET, 9000, 16000),
          STATUS(PROBE_READY, 16000, 16500, 200)),
     .ready = true},
    {"good_and_its_arp_was_seen", UP, TAP(DEAF_AT_FIRST, STATUS(PROBE_READY, 16000, 16500, 200)),
     .shoot = accept_syn, .ready = true, .net = OWN},

    /* nobody answers ARP */
    {"unreachable_although_up", UP, TAP(RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 60000, "failed")),
     .cause = "host.bridge-misconfigured", .least = 0.7},
    {"unreachable_and_cut_off", UP, TAP(RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 60000, "failed")),
     .shoot = nobody_asks, .cause = "host.bridge-misconfigured", .least = 0.85},

    /* ARP works, IP does not */
    {"timeout_although_up", UP,
     TAP(DEAF_AT_FIRST, RUN_ARP(PROBE_CONNECT_TIMEOUT, 8000, 60000, "reachable")),
     .cause = "network.filtered", .least = 0.8},
    {"timeout_with_a_firewall", BOOT LEASE FIREWALL UNIT READY,
     TAP(DEAF_AT_FIRST, RUN_ARP(PROBE_CONNECT_TIMEOUT, 8000, 60000, "stale")),
     .cause = "network.filtered", .least = 0.85},
    {"syn_is_dropped", UP, TAP(DEAF_AT_FIRST, RUN_ARP(PROBE_CONNECT_TIMEOUT, 8000, 60000, "delay")),
     .shoot = drop_syn, .cause = "network.filtered", .least = 0.9},
    {"syn_is_rejected", UP, TAP(RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 60000, "reachable")),
     .shoot = reject_syn, .cause = "network.filtered", .least = 0.9},
    {"timeout_without_vnet_hdr", UP,
     TAP(DEAF_AT_FIRST, RUN_ARP(PROBE_CONNECT_TIMEOUT, 8000, 60000, "reachable")),
     .net = NO_VNET_HDR, .cause = "host.vnet-hdr-missing", .least = 0.9},
    {"no_vnet_hdr_and_yet_it_answers", UP, TAP(DEAF_AT_FIRST, RUN(PROBE_NO_ANSWER, 8000, 60000)),
     .net = NO_VNET_HDR, .cause = "agent.unresponsive", .least = 0.8},

    /* the guest's IP stack is up */
    {"refused_although_listening", UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 60000)),
     .cause = "agent.bind-loopback", .least = 0.5},
    {"reset_although_listening", UP,
     USER(RUN(PROBE_NO_ANSWER, 750, 8000), RUN(PROBE_RESET, 8000, 60000)),
     .cause = "agent.bind-loopback", .least = 0.5},
    {"refused_is_not_the_network", NOT_UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 60000)),
     .cause = "agent.hung", .least = 0.8},

    /* it takes connections */
    {"mute", UP, TAP(DEAF_AT_FIRST, RUN(PROBE_NO_ANSWER, 16000, 60000)),
     .cause = "agent.unresponsive", .least = 0.8},
    {"mute_before_it_listens", NOT_UP, TAP(DEAF_AT_FIRST, RUN(PROBE_NO_ANSWER, 16000, 60000)),
     .cause = "agent.hung"},
    {"mute_behind_a_forwarder", UP,
     USER(RUN(PROBE_NO_ANSWER, 750, 8000), RUN(PROBE_RESET, 8000, 15700),
          RUN(PROBE_NO_ANSWER, 15700, 60000)),
     .cause = "agent.unresponsive", .least = 0.8},
    {"accepted_behind_a_forwarder", UP, USER(RUN(PROBE_NO_ANSWER, 750, 60000)), .shoot = accept_syn,
     .cause = "agent.unresponsive", .least = 0.85},
    {"dropped_behind_a_forwarder", UP, USER(RUN(PROBE_NO_ANSWER, 750, 60000)), .shoot = drop_syn,
     .cause = "network.filtered", .least = 0.9},

    /* it answers, and wrongly */
    {"server_error", UP, TAP(DEAF_AT_FIRST, STATUS(PROBE_HTTP_ERROR, 16000, 60000, 503)),
     .cause = "agent.unhealthy", .least = 0.85},
    {"server_error_and_one_stray_attempt", UP,
     TAP(DEAF_AT_FIRST, STATUS(PROBE_HTTP_ERROR, 16000, 60000, 503),
         RUN(PROBE_RESET, 60000, 60000)),
     .cause = "agent.unhealthy", .least = 0.85},
    {"wrong_body", UP, TAP(DEAF_AT_FIRST, STATUS(PROBE_WRONG_BODY, 16000, 60000, 200)),
     .cause = "agent.unhealthy", .least = 0.85},
    {"not_http", UP, USER(RUN(PROBE_NO_ANSWER, 750, 8000), RUN(PROBE_NOT_HTTP, 16000, 60000)),
     .cause = "agent.unhealthy", .least = 0.85},

    /* it answered, and stopped */
    {"lost", UP,
     TAP(DEAF_AT_FIRST, STATUS(PROBE_READY, 16000, 16100, 200), RUN(PROBE_REFUSED, 16200, 60000)),
     .cause = "probe.lost-after-ready", .least = 0.85},

    /* somebody else */
    {"both_answer", UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 60000)), .shoot = both_answer,
     .cause = "host.address-conflict", .least = 0.9},
    {"both_answer_as_the_host_saw", UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 60000)),
     .net = OWN | FOREIGN, .cause = "host.address-conflict", .least = 0.9},
    {"guest_found_the_address_taken",
     BOOT "[    7.6] systemd-networkd[123]: eth0: Dropping address 192.168.100.5/24, as an address "
          "conflict was detected.\r\n" UNIT,
     TAP(RUN(PROBE_REFUSED, 0, 60000)), .cause = "host.address-conflict", .least = 0.85},
    {"only_another_answers", BOOT, TAP(STATUS(PROBE_READY, 1000, 2000, 200)),
     .shoot = only_another_answers, .ready = true, .cause = "probe.stale-responder", .least = 0.9},
    {"answered_before_the_start", BOOT, TAP(STATUS(PROBE_READY, 1000, 2000, 200)), .net = BEFORE,
     .ready = true, .cause = "probe.stale-responder", .least = 0.9},
    {"somebody_else_refuses_while_the_guest_is_slow", BOOT, TAP(RUN(PROBE_REFUSED, 200, 9000)),
     .net = FOREIGN | BEFORE, .cause = "probe.stale-responder", .least = 0.9},
    {"answered_before_init", BOOT, TAP(STATUS(PROBE_READY, 1000, 2000, 200)), .ready = true,
     .cause = "probe.stale-responder", .least = 0.85},

    /* the URL beside the target */
    {"asked_another_address", UP, TAP(RUN_ARP(PROBE_HOST_UNREACHABLE, 0, 60000, "failed")),
     .url = "http://192.168.100.77:8080/health", .cause = "probe.wrong-target", .least = 0.9},
    {"asked_another_port", UP,
     TAP(DEAF_AT_FIRST, RUN_ARP(PROBE_CONNECT_TIMEOUT, 8000, 60000, "probe")),
     .url = "http://192.168.100.5:9090/health", .cause = "probe.wrong-target", .least = 0.9},

    /* cut short, or not */
    {"still_advancing", NOT_UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 9000)),
     .cause = "probe.deadline-too-short", .least = 0.7},
    {"not_advancing_any_more", NOT_UP, TAP(DEAF_AT_FIRST, RUN(PROBE_REFUSED, 8000, 120000)),
     .cause = "agent.hung", .least = 0.8},
};

static void take_net(const struct scene *scene, struct record_net *net)
{
    if ((scene->net & (OWN | FOREIGN)) != 0)
        net->own_answered = (scene->net & OWN) != 0;
    if ((scene->net & FOREIGN) != 0)
        net->foreign_mac = mem_strdup("02:fc:00:00:00:99");
    if ((scene->net & BEFORE) != 0)
        net->answered_before_start = 1;
    if ((scene->net & NO_VNET_HDR) != 0)
        net->vnet_hdr = 0;
}

/* Bytes arrive when the guest says that they are sent. */
static void take_times(struct record *record, const char *console)
{
    record->times = mem_calloc(64, sizeof(*record->times));
    for (const char *at = console; at != NULL && *at != '\0' && record->n_times < 64;) {
        const char *end = strchr(at, '\n');
        if (*at == '[')
            record->times[record->n_times++] = (struct record_time){
                (uint64_t)(at - console), (int64_t)(strtod(at + 1, NULL) * 1000)};
        at = end != NULL ? end + 1 : NULL;
    }
}

static void take_scene(const struct scene *scene, struct record *record)
{
    record_init(record);
    bool user = strcmp(scene->network, "user") == 0;
    const char *url = user ? "http://127.0.0.1:40000/health" : "http://192.168.100.5:8080/health";
    record->source = mem_strdup(scene->name);
    record->console = (struct bytes){.data = scene->console, .len = strlen(scene->console)};
    record->end = scene->ready ? RECORD_END_READY : RECORD_END_DEADLINE;
    record->probe.network = mem_strdup(scene->network);
    record->probe.url = mem_strdup(scene->url != NULL ? scene->url : url);
    record->guest.mac = mem_strdup("02:fc:c0:a8:64:05");
    record->guest.expected_address = mem_strdup("192.168.100.5");
    record->started_at = mem_strdup("2025-11-06T20:47:04.000Z");
    record->probe.runs = mem_calloc(MAX_RUNS, sizeof(struct probe_run));
    for (size_t n = 0; n < MAX_RUNS && scene->runs[n].count > 0; n++) {
        record->probe.runs[record->probe.n_runs++] = scene->runs[n];
        record->ended_ms = record->deadline_ms = scene->runs[n].to_ms;
    }
    take_net(scene, &record->net);
    take_times(record, scene->console);
}

static void test_scene(void **state)
{
    const struct scene *scene = *state;
    struct err err = {0};
    struct record record;
    struct film film = {0};
    take_scene(scene, &record);
    film_start(&film);
    if (scene->shoot != NULL) {
        scene->shoot(&film);
        record.net_pcap = (struct bytes){.data = film.buf.data, .len = film.buf.len};
    }
    struct ruleset *rules = ruleset_new(&record.service, &err);
    assert_non_null(rules);
    struct analysis analysis;
    analysis_init(&analysis, &record, rules, NULL);
    const char *cause = analysis.verdict.cause;
    if ((cause == NULL) != (scene->cause == NULL) ||
        (cause != NULL && strcmp(cause, scene->cause) != 0))
        fail_msg("said %s (%.2f), not %s", cause != NULL ? cause : "nothing",
                 analysis.verdict.confidence, scene->cause != NULL ? scene->cause : "nothing");
    if (cause != NULL && analysis.verdict.confidence < scene->least)
        fail_msg("%s is only %.2f sure", cause, analysis.verdict.confidence);
    assert_int_equal(analysis.outcome, cause != NULL ? OUTCOME_FAILED : OUTCOME_READY);
    analysis_release(&analysis);
    ruleset_free(rules);
    buf_release(&film.buf);
    record.console = record.net_pcap = (struct bytes){0};
    record_release(&record);
}

int main(void)
{
    enum { N = sizeof(scenes) / sizeof(scenes[0]) };
    struct CMUnitTest tests[N];
    for (size_t i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){.name = scenes[i].name,
                                       .test_func = test_scene,
                                       .initial_state = (void *)(uintptr_t)&scenes[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
