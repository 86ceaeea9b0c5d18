/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which step of the network is to blame, and when nobody may say so. All records here are
 * synthetic: lines of the named programs, cut and put together.
 */
#include "tests/support.h"

#include "analyzers/analysis.h"
#include "analyzers/rules.h"
#include "harness/record.h"
#include "tests/film.h"

#define KERNEL                                                                                     \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    1.023707] pci 0000:00:01.0: [1af4:1001] type 00 class 0x010000\r\n"
#define NIC   "[    1.037361] pci 0000:00:02.0: [1af4:1000] type 00 class 0x020000\r\n"
#define CHIPS "[    1.037399] pci 0000:00:1f.0: [8086:2918] type 00 class 0x060100\r\n"
#define INIT                                                                                       \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 252 running in system mode (+PAM)\r\n"
#define BOOT KERNEL NIC INIT
#define UDEV                                                                                       \
    "[   10.642035] (udev-worker)[126]: Network interface NamePolicy= disabled on kernel command " \
    "line.\r\n"
#define NETWORKD "[   11.127780] systemd-networkd[123]: Enumeration completed\r\n"
#define WAIT                                                                                       \
    "[   11.205463] systemd[1]: Starting systemd-networkd-wait-online.service - Wait for Network " \
    "to be Configured...\r\n"
#define WAITED                                                                                     \
    "[  131.205463] systemd-networkd-wait-online[130]: Timeout occurred while waiting for "        \
    "network "                                                                                     \
    "connectivity.\r\n"
#define CONFIGURED                                                                                 \
    "[   11.189306] systemd-networkd[123]: eth0: Configuring with /etc/x.network.\r\n"
#define CARRIER "[   11.461070] systemd-networkd[123]: eth0: Gained carrier\r\n"
#define LEASE(ip)                                                                                  \
    "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address " ip "/24 acquired from "          \
    "192.168.100.1\r\n"
#define LOGIN "\r\nvm login: "
#define UNIT  "[   12.087667] systemd[1]: Started vm-browser-agent.service - VM Browser.\r\n"
#define READY(ip)                                                                                  \
    "[   15.749006] start-all.sh[142]: {\"level\":\"info\",\"msg\":\"VM Browser Agent "            \
    "started\",\"port\":8080,\"vmIP\":\"" ip "\"}\r\n"
#define LATER "[   61.000000] start-all.sh[143]: [WEBRTC] waiting for an offer\r\n"

/* What the host met, from 0 to 60 s. */
#define RUN(class, from, to, neighbour)                                                            \
    {                                                                                              \
        class, from, to, (to - from) / 100 + 1, 0, neighbour                                       \
    }
#define UNREACHABLE RUN(PROBE_HOST_UNREACHABLE, 0, 60000, "failed")
#define MUTE        RUN(PROBE_NO_ANSWER, 750, 60000, NULL)

enum { MAX_RUNS = 6 };

struct scene {
    const char *name, *console;
    const char *network; /* NULL: a bare console */
    struct probe_run runs[MAX_RUNS];
    void (*shoot)(struct film *film);
    struct record_net net; /* if its bridge has a name */
    const char *cause;     /* of the verdict; NULL: none */
    double least;          /* its confidence; 0.8 is what a bare console needs */
};

static void discover_in_vain(struct film *film)
{
    for (int i = 0; i < 5; i++) {
        film->ms = 12000 + (uint32_t)i * 8000;
        film_dhcp(film, 1, MAC_GUEST, 0);
    }
}

static void discover_and_be_refused(struct film *film)
{
    for (int i = 0; i < 5; i++) {
        film->ms = 12000 + (uint32_t)i * 8000;
        film_dhcp(film, 1, MAC_GUEST, 0);
        film_dhcp(film, 6, MAC_GUEST, 0);
    }
}

/* A VM that starts after the others: only their frames pass. */
static void others_discover(struct film *film)
{
    for (int i = 0; i < 5; i++) {
        film->ms = 12000 + (uint32_t)i * 8000;
        film_dhcp(film, 1, MAC_OTHER, 0);
        film_arp(film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
    }
}

static void lease_a_stray(struct film *film)
{
    film->ms = 12000;
    film_dhcp(film, 1, MAC_GUEST, 0);
    film_dhcp(film, 2, MAC_GUEST, IP_STRAY);
    film_dhcp(film, 3, MAC_GUEST, 0);
    film_dhcp(film, 5, MAC_GUEST, IP_STRAY);
    film_arp(film, MAC_GUEST, MAC_ALL, 1, IP_STRAY, IP_HOST);
    film_arp(film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
}

static void use_far_address(struct film *film)
{
    film->ms = 12000;
    film_arp(film, MAC_GUEST, MAC_ALL, 1, IP_FAR, IP_FAR - 6);
    film_arp(film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
}

#define NET(up, looked)                                                                            \
    .net = {.bridge = (char *)(uintptr_t) "fcbr0",                                                 \
            .bridge_up = (up),                                                                     \
            .has_bridge_addresses = (looked),                                                      \
            .vnet_hdr = -1,                                                                        \
            .own_answered = -1,                                                                    \
            .answered_before_start = -1}
#define TAP(...)  .network = "tap", .runs = {__VA_ARGS__}
#define USER(...) .network = "user", .runs = {__VA_ARGS__}

static const struct scene scenes[] = {
    /* card and driver */
    {"no_card_on_the_bus", KERNEL CHIPS INIT NETWORKD WAIT LOGIN, TAP(UNREACHABLE),
     .cause = "network.device-missing", .least = 0.8},
    {"module_not_found",
     BOOT "[    5.8] systemd-modules-load[101]: Failed to find module "
          "'virtio_net'\r\n" UNIT,
     USER(MUTE), .cause = "network.driver-missing", .least = 0.9},
    {"module_of_another_kernel",
     BOOT "[    5.8] virtio_net: version magic '6.1.0-9 SMP' should be '6.1.0-10 SMP'\r\n" UNIT,
     USER(MUTE), .cause = "network.driver-missing", .least = 0.9},
    {"driver_cannot_use_the_card",
     BOOT
     "[    2.1] virtio_net virtio1: probe with driver virtio_net failed with error -22\r\n" UNIT,
     USER(MUTE), .cause = "network.driver-missing", .least = 0.8},
    {"built_in_driver_needs_no_module",
     BOOT
     "[    5.8] systemd-modules-load[101]: Failed to find module 'virtio_net'\r\n" UDEV NETWORKD
         CONFIGURED CARRIER LEASE("192.168.100.5") UNIT READY("192.168.100.5"),
     NULL, .cause = NULL},
    {"networkd_sees_no_interface", BOOT NETWORKD WAIT LOGIN, USER(MUTE),
     .cause = "network.driver-missing", .least = 0.8},
    {"networkd_sees_no_interface_and_waited_bare", BOOT NETWORKD WAIT LOGIN WAITED, NULL,
     .cause = "network.driver-missing", .least = 0.8},

    /* cut before anything was due */
    {"cut_at_the_login_prompt", BOOT UDEV NETWORKD WAIT LOGIN, NULL, .cause = NULL},
    {"cut_at_the_login_prompt_without_interface", BOOT NETWORKD WAIT LOGIN, NULL, .cause = NULL},
    {"cut_behind_a_missing_module",
     BOOT "[    5.8] systemd-modules-load[101]: Failed to find module 'virtio_net'\r\n", NULL,
     .cause = NULL},
    {"cut_between_carrier_and_lease", BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN, NULL,
     .cause = NULL},
    {"cut_behind_a_link_that_is_not_ready",
     BOOT "[   11.4] IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready\r\n" LOGIN, NULL,
     .cause = NULL},
    {"deadline_right_behind_the_login_prompt", BOOT UDEV NETWORKD WAIT LOGIN,
     USER(RUN(PROBE_NO_ANSWER, 750, 12000, NULL)), .cause = "probe.deadline-too-short",
     .least = 0.7},

    /* its name */
    {"renamed_and_nothing_matches",
     BOOT "[    3.1] virtio_net virtio0 enp0s2: renamed from eth0\r\n" NETWORKD WAIT LOGIN WAITED,
     NULL, .cause = "network.interface-renamed", .least = 0.8},
    {"healthy_guests_rename_too",
     BOOT "[    3.1] virtio_net virtio0 enp0s2: renamed from eth0\r\n" NETWORKD
          "[   11.18] systemd-networkd[123]: enp0s2: Configuring with /etc/x.network.\r\n"
          "[   11.62] systemd-networkd[123]: enp0s2: DHCPv4 address 192.168.100.5/24, gateway "
          "192.168.100.1 acquired from 192.168.100.1\r\n" UNIT READY("192.168.100.5"),
     NULL, .cause = NULL},
    {"ifup_wants_the_old_name",
     BOOT "[    3.1] virtio_net virtio0 ens3: renamed from eth0\r\n"
          "[    9.1] ifup[99]: Cannot find device \"eth0\"\r\n"
          "[    9.2] ifup[99]: ifup: failed to bring up eth0\r\n" UNIT,
     TAP(UNREACHABLE), .cause = "network.interface-renamed", .least = 0.9},
    {"ifup_finds_no_device_at_all", BOOT "[    9.1] ifup[99]: Cannot find device \"eth0\"\r\n" UNIT,
     TAP(UNREACHABLE), .cause = "network.driver-missing", .least = 0.75},
    {"ifup_wants_a_name_that_cannot_be",
     "[    0.000000] Linux version 6.1.0 (debian)\r\n"
     "[    0.000000] Command line: console=ttyS0 net.ifnames=0\r\n" NIC INIT
     "[  100.0] ifup[257]: Cannot find device \"enp0s2\"\r\n" UNIT,
     NULL, .cause = "network.interface-renamed", .least = 0.8},
    {"systemd_waits_for_the_old_name",
     BOOT "[    3.1] virtio_net virtio0 ens3: renamed from eth0\r\n"
          "[ TIME ] Timed out waiting for device sys-subsystem-net-devices-eth0.device.\r\n" UNIT,
     TAP(UNREACHABLE), .cause = "network.interface-renamed", .least = 0.9},

    {"renamed_on_a_console_without_journal",
     BOOT "[    3.1] virtio_net virtio0 ens3: renamed from eth0\r\n"
          "[  OK  ] Started vm-browser-agent.service - VM Browser.\r\n" READY("localhost"),
     TAP(UNREACHABLE), .cause = "network.interface-renamed", .least = 0.65},

    /* its configuration */
    {"nobody_configures_it", BOOT UDEV NETWORKD WAIT LOGIN, USER(MUTE),
     .cause = "network.not-configured", .least = 0.8},
    {"network_service_failed",
     BOOT UDEV "[   11.2] systemd[1]: Failed to start networking.service - Raise network "
               "interfaces.\r\n" UNIT,
     TAP(UNREACHABLE), .cause = "network.not-configured", .least = 0.8},
    {"network_service_failed_and_came_back",
     BOOT UDEV "[   11.2] systemd[1]: Failed to start systemd-networkd.service - Network "
               "Configuration.\r\n"
               "[   11.9] systemd[1]: Started systemd-networkd.service - Network "
               "Configuration.\r\n" CONFIGURED CARRIER LEASE("192.168.100.5")
                   UNIT READY("192.168.100.5"),
     NULL, .cause = NULL},
    {"cloud_init_shows_a_dead_interface",
     BOOT "[   18.4] cloud-init[311]: ci-info: |  ens3  | False |     .     |     .     |   .   | "
          "1e:01:fd:00:00:24 |\r\n" UNIT LATER,
     TAP(UNREACHABLE), .cause = "network.not-configured", .least = 0.7},
    {"placeholder_on_the_command_line",
     "[    0.000000] Linux version 6.1.0 (debian)\r\n"
     "[    0.000000] Command line: console=ttyS0 "
     "ip=undefined::192.168.100.1:255.255.255.0::eth0:off\r\n" NIC INIT UDEV UNIT,
     TAP(UNREACHABLE), .cause = "network.static-invalid", .least = 0.85},
    {"address_does_not_parse",
     BOOT UDEV
     "[    9.1] systemd-networkd[99]: /etc/systemd/network/20-eth0.network:6: Address "
     "'@IP@/24' is invalid, ignoring assignment\r\n" CONFIGURED CARRIER UNIT READY("localhost"),
     TAP(UNREACHABLE), .cause = "network.static-invalid", .least = 0.85},
    {"gateway_out_of_reach",
     BOOT "[    9.1] ifup[99]: Error: Nexthop has invalid gateway.\r\n"
          "[    9.2] ifup[99]: ifup: failed to bring up eth0\r\n" UNIT,
     TAP(UNREACHABLE), .cause = "network.static-invalid", .least = 0.8},

    {"only_the_wait_is_known",
     BOOT
     "[  OK  ] Reached target Basic System.\r\n"
     "         Starting Wait for Network to be Configured...\r\n" LOGIN
     "[ ***  ] A start job is running for Wait for Network to be Configured (52s / no limit)\r\n",
     TAP(UNREACHABLE), .cause = "init.job-waiting", .least = 0.6},
    {"networkd_speaks_and_the_job_runs_on",
     BOOT UDEV NETWORKD
     "[ ***  ] A start job is running for Wait for Network to be Configured (1min "
     "52s / no limit)\r\n",
     NULL, .cause = "network.not-configured", .least = 0.8},
    {"networkd_speaks_and_the_job_is_young",
     BOOT UDEV NETWORKD
     "[ ***  ] A start job is running for Wait for Network to be Configured (9s / "
     "no limit)\r\n",
     NULL, .cause = NULL},
    {"firecracker_without_a_card",
     "[    0.000000] Linux version 5.10.0 (fc)\r\n"
     "[    0.000000] Command line: console=ttyS0 virtio_mmio.device=4K@0xd0000000:5\r\n" INIT
         NETWORKD WAIT LOGIN,
     TAP(UNREACHABLE), .cause = "network.device-missing", .least = 0.8},

    /* its link */
    {"no_carrier",
     BOOT UDEV NETWORKD WAIT CONFIGURED "[   11.5] systemd-networkd[123]: eth0: Lost "
                                        "carrier\r\n" LOGIN,
     TAP(UNREACHABLE), .cause = "network.link-down", .least = 0.8},
    {"dhcpcd_waits_for_carrier",
     BOOT "[   11.5] dhcpcd[99]: eth0: waiting for carrier\r\n"
          "[   41.5] dhcpcd[99]: timed out\r\n" UNIT LATER,
     TAP(UNREACHABLE), .cause = "network.link-down", .least = 0.8},
    {"carrier_went_before_the_agent_came",
     BOOT UDEV NETWORKD CONFIGURED CARRIER LEASE("192.168.100.5") UNIT
     "[   13.1] systemd-networkd[123]: eth0: Link DOWN\r\n"
     "[   13.2] systemd-networkd[123]: eth0: Lost carrier\r\n" READY("localhost"),
     USER(MUTE), .cause = "network.link-down", .least = 0.85},
    {"carrier_went_later",
     BOOT UDEV NETWORKD CONFIGURED CARRIER LEASE("192.168.100.5")
         UNIT READY("192.168.100.5") "[   30.2] systemd-networkd[123]: eth0: Lost carrier\r\n",
     TAP(RUN(PROBE_REFUSED, 0, 30000, "reachable"),
         RUN(PROBE_HOST_UNREACHABLE, 30000, 60000, "failed")),
     .cause = "network.link-down", .least = 0.3},
    {"carrier_came_back",
     BOOT UDEV NETWORKD CONFIGURED CARRIER
     "[   11.5] systemd-networkd[123]: eth0: Lost carrier\r\n" CARRIER LEASE("192.168.100.5")
         UNIT READY("192.168.100.5"),
     NULL, .cause = NULL},

    /* its lease */
    {"no_offer",
     BOOT "[   14.1] dhclient[99]: DHCPDISCOVER on eth0 to 255.255.255.255 port 67 "
          "interval 6\r\n"
          "[   74.1] dhclient[99]: No DHCPOFFERS received.\r\n",
     NULL, .cause = "network.no-lease", .least = 0.85},
    {"ifup_fails_for_want_of_an_offer",
     BOOT "[   14.1] ifup[99]: DHCPDISCOVER on eth0 to 255.255.255.255 port 67 interval 6\r\n"
          "[   74.1] ifup[99]: No DHCPOFFERS received.\r\n"
          "[   74.2] ifup[99]: ifup: failed to bring up eth0\r\n"
          "[   74.3] systemd[1]: Failed to start networking.service - Raise network "
          "interfaces.\r\n",
     NULL, .cause = "network.no-lease", .least = 0.85},
    {"second_try_got_one",
     BOOT
     "[   14.1] dhclient[99]: No DHCPOFFERS received.\r\n"
     "[   24.1] dhclient[99]: DHCPACK of 192.168.100.5 from 192.168.100.1\r\n"
     "[   24.2] dhclient[99]: bound to 192.168.100.5 -- renewal in 3000 seconds.\r\n" UNIT READY(
         "192.168.100.5"),
     NULL, .cause = NULL},
    {"a_guest_that_shuts_down_gives_its_lease_back",
     BOOT UDEV NETWORKD CONFIGURED CARRIER LEASE("192.168.100.5") UNIT
     "[   50.1] systemd-networkd[123]: eth0: DHCP lease lost\r\n"
     "[   50.2] systemd-networkd[123]: eth0: Lost carrier\r\n",
     NULL, .cause = NULL},
    {"link_without_lease", BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN WAITED,
     TAP(UNREACHABLE), .cause = "network.no-lease", .least = 0.7},
    {"udhcpc_gave_up", BOOT "udhcpc: broadcasting discover\r\nudhcpc: no lease, failing\r\n", NULL,
     .cause = "network.no-lease", .least = 0.85},
    {"kernel_gave_up",
     KERNEL NIC "[   12.1] Sending DHCP requests ...... timed out!\r\n"
                "[   12.2] IP-Config: Auto-configuration of network failed\r\n" INIT,
     NULL, .cause = "network.no-lease", .least = 0.85},
    {"nobody_answers_discover", BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN, TAP(UNREACHABLE),
     .shoot = discover_in_vain, .cause = "host.dhcp-server-silent", .least = 0.9},
    {"server_refuses", BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN, TAP(UNREACHABLE),
     .shoot = discover_and_be_refused, .cause = "network.no-lease", .least = 0.8},
    {"other_guests_discover", BOOT UDEV NETWORKD WAIT LOGIN, TAP(UNREACHABLE),
     .shoot = others_discover, .cause = "network.not-configured", .least = 0.8},
    {"link_local_is_no_address",
     BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN WAITED UNIT READY("169.254.8.9"),
     TAP(UNREACHABLE), .cause = "network.no-lease", .least = 0.7},

    /* its address */
    {"another_lease",
     BOOT UDEV NETWORKD CONFIGURED CARRIER LEASE("192.168.100.94") UNIT READY("192.168.100.94"),
     TAP(UNREACHABLE), .cause = "network.address-mismatch", .least = 0.9},
    {"another_lease_in_the_capture", BOOT UNIT, TAP(UNREACHABLE), .shoot = lease_a_stray,
     .cause = "network.address-mismatch", .least = 0.9},
    {"static_address_of_another_subnet", BOOT UNIT, TAP(UNREACHABLE), .shoot = use_far_address,
     .cause = "network.static-invalid", .least = 0.85},
    {"static_address_that_only_the_agent_names", BOOT UNIT READY("10.9.8.7"), TAP(UNREACHABLE),
     .cause = "network.static-invalid", .least = 0.75},
    {"a_second_address_does_no_harm",
     BOOT UDEV NETWORKD CONFIGURED CARRIER LEASE("192.168.100.5") UNIT READY("172.17.0.1"),
     TAP(RUN(PROBE_REFUSED, 0, 60000, "reachable")), .cause = "agent.bind-loopback"},
    {"agent_without_address", BOOT UNIT READY("localhost"), TAP(UNREACHABLE),
     .cause = "network.not-configured", .least = 0.65},
    {"console_says_nothing_of_the_network", BOOT UNIT LATER, TAP(UNREACHABLE),
     .cause = "network.not-configured"},

    /* the host's side */
    {"bridge_down", BOOT UDEV NETWORKD WAIT CONFIGURED CARRIER LOGIN, TAP(UNREACHABLE),
     .shoot = discover_in_vain, NET(0, false), .cause = "host.bridge-misconfigured", .least = 0.9},
    {"bridge_without_address", BOOT UNIT READY("192.168.100.5"), TAP(UNREACHABLE), NET(1, true),
     .cause = "host.bridge-misconfigured", .least = 0.9},
};

static void take_scene(const struct scene *scene, struct record *record)
{
    record_init(record);
    record->source = mem_strdup(scene->name);
    record->console = (struct bytes){.data = scene->console, .len = strlen(scene->console)};
    if (scene->network == NULL)
        return;
    record->end = RECORD_END_DEADLINE;
    record->probe.network = mem_strdup(scene->network);
    record->guest.mac = mem_strdup("02:fc:c0:a8:64:05");
    record->guest.expected_address = mem_strdup("192.168.100.5");
    record->started_at = mem_strdup("2025-11-06T20:47:04.000Z");
    record->probe.runs = mem_calloc(MAX_RUNS, sizeof(struct probe_run));
    for (size_t n = 0; n < MAX_RUNS && scene->runs[n].count > 0; n++) {
        record->probe.runs[record->probe.n_runs++] = scene->runs[n];
        record->ended_ms = record->deadline_ms = scene->runs[n].to_ms;
    }
    if (strstr(scene->console, "] start-all.sh[143]") != NULL ||
        strstr(scene->console, "[  131.") != NULL)
        record->ended_ms = record->deadline_ms = 140000;
    if (scene->net.bridge != NULL)
        record->net = scene->net;
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
    analysis_release(&analysis);
    ruleset_free(rules);
    buf_release(&film.buf);
    record.console = record.net_pcap = (struct bytes){0};
    if (scene->net.bridge != NULL)
        record.net = (struct record_net){0};
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
