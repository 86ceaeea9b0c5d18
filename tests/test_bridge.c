/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's end of a TAP network must be like; how addresses and MACs follow from a target;
 * what an ARP packet claims. On a real bridge: tests/vm/network.sh. */
#include "tests/support.h"

#include "harness/arp.h"
#include "harness/base/ipv4.h"
#include "harness/bridge.h"
#include "harness/guest_net.h"
#include "harness/tap.h"

enum { GUEST = 0xc0a86432 }; /* 192.168.100.50 */

static void a_bridge_must_reach_the_guest(void **state)
{
    static const struct {
        bool up;
        struct netlink_address addresses[2];
        size_t n;
        const char *problem; /* NULL: fine */
    } rows[] = {
        {true, {{0xc0a86401, 24}}, 1, NULL},
        {true, {{0x0a000001, 8}, {0xc0a86401, 24}}, 2, NULL},
        {true, {{0xc0a80001, 16}}, 1, NULL},
        {false, {{0xc0a86401, 24}}, 1, "fcbr0 is down; switch it on: ip link set fcbr0 up"},
        {true, {{0, 0}}, 0, "fcbr0 has no address, so that 192.168.100.50 cannot be reached"},
        {true,
         {{0xc0a86501, 24}},
         1,
         "has 192.168.101.1/24, which is another subnet than the guest's"},
        {true, {{0xc0a86401, 27}}, 1, "another subnet"},
        {true, {{GUEST, 24}}, 1, "192.168.100.50 is that of the bridge fcbr0 itself"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct bridge bridge = {.link = {.index = 1, .up = rows[i].up, .name = "fcbr0"},
                                .n_addresses = rows[i].n};
        memcpy(bridge.addresses, rows[i].addresses, sizeof(rows[i].addresses));
        struct err err = {0};
        int result = bridge_check(&bridge, GUEST, &err);
        assert_int_equal(result, rows[i].problem != NULL ? -1 : 0);
        if (result == 0)
            continue;
        if (strstr(err.message, rows[i].problem) == NULL)
            fail_msg("%s", err.message);
        assert_string_equal(err.cause, "host.bridge-misconfigured");
    }
}

/* As `bootdiag run` refuses them before its first boot. */
static void the_preflight_names_object_and_remedy(void **state)
{
    static const struct {
        const char *bridge, *problem;
    } rows[] = {
        {"bd-none0", "there is no bridge bd-none0; make it (ip link add bd-none0 type bridge"},
        {"a-name-that-no-link-can-have", "there is no bridge a-name-that-no-link-can-have;"},
        {"lo", "lo is no bridge; set \"bridge\""},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        auto_target struct target target;
        target_init(&target);
        target.address = mem_strdup("192.168.100.50");
        free(target.bridge);
        target.bridge = mem_strdup(rows[i].bridge);
        struct err err = {0};
        assert_int_equal(bridge_preflight(&target, &err), -1);
        if (strstr(err.message, rows[i].problem) == NULL)
            fail_msg("%s", err.message);
        assert_string_equal(err.cause, "host.bridge-misconfigured");
        free(target.network_checks);
        target.network_checks = mem_strdup("lenient");
        assert_int_equal(bridge_preflight(&target, &err), 0);
    }
}

static void an_existing_tap_must_be_one(void **state)
{
    static const struct {
        const char *name, *problem;
    } rows[] = {
        {"bd-none0", "there is no TAP device bd-none0; make one: ip tuntap add dev bd-none0"},
        {"lo", "this interface is no TAP device: lo"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct tap tap;
        struct err err = {0};
        assert_int_equal(tap_open(&tap, rows[i].name, 1, &err), -1);
        if (strstr(err.message, rows[i].problem) == NULL)
            fail_msg("%s", err.message);
        assert_string_equal(err.cause, "host.tap-unavailable");
        assert_int_equal(tap.fd, -1);
        tap_release(&tap);
    }
}

static void each_slot_has_its_address_and_mac(void **state)
{
    static const struct {
        unsigned slot;
        const char *address, *mac;
    } rows[] = {
        {0, "192.168.100.254", "02:fc:c0:a8:64:fe"},
        {1, "192.168.100.255", "02:fc:c0:a8:64:ff"},
        {2, "192.168.101.0", "02:fc:c0:a8:65:00"},
        {3, "192.168.100.254", "02:fc:c0:a8:64:fe"},
        {0xffffffff, "192.168.100.254", "02:fc:c0:a8:64:fe"},
    };
    (void)state;
    auto_target struct target target;
    target_init(&target);
    target.address = mem_strdup("192.168.100.254");
    target.addresses = 3;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        char address[IPV4_TEXT_SIZE], mac[MAC_TEXT_SIZE];
        uint8_t bytes[MAC_SIZE];
        uint32_t got = bridge_guest_address(&target, rows[i].slot);
        ipv4_text(got, address);
        guest_net_mac(got, bytes);
        mac_text(bytes, mac);
        assert_string_equal(address, rows[i].address);
        assert_string_equal(mac, rows[i].mac);
    }
}

/* "192.168.100.50 is at 02:fc:c0:a8:64:32", as a Linux guest sent it. */
static const unsigned char REPLY[] = {0,    1,    8,    0,    6,   4,   0,   2,  2,    0xfc,
                                      0xc0, 0xa8, 0x64, 0x32, 192, 168, 100, 50, 0xa4, 0x85,
                                      9,    0xfe, 0xd3, 0xc2, 192, 168, 100, 1};

static void an_arp_packet_claims_an_address(void **state)
{
    (void)state;
    struct arp_claim claim;
    char mac[MAC_TEXT_SIZE];
    assert_true(arp_parse(REPLY, sizeof(REPLY), &claim));
    mac_text(claim.mac, mac);
    assert_string_equal(mac, "02:fc:c0:a8:64:32");
    assert_int_equal(claim.address, GUEST);
}

static void what_is_no_arp_claims_nothing(void **state)
{
    (void)state;
    struct arp_claim claim;
    for (size_t len = 0; len < sizeof(REPLY); len++) {
        auto_free char *cut = mem_calloc(len + 1, 1);
        memcpy(cut + 1, REPLY, len);
        assert_false(arp_parse(cut + 1, len, &claim));
    }
    static const size_t fixed[] = {0, 1, 2, 3, 4, 5}; /* hardware, protocol, and their sizes */
    for (size_t i = 0; i < N_ROWS(fixed); i++) {
        unsigned char other[sizeof(REPLY)];
        memcpy(other, REPLY, sizeof(other));
        other[fixed[i]] ^= 0x40;
        assert_false(arp_parse(other, sizeof(other), &claim));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bridge_must_reach_the_guest),
        cmocka_unit_test(the_preflight_names_object_and_remedy),
        cmocka_unit_test(an_existing_tap_must_be_one),
        cmocka_unit_test(each_slot_has_its_address_and_mac),
        cmocka_unit_test(an_arp_packet_claims_an_address),
        cmocka_unit_test(what_is_no_arp_claims_nothing),
    };
    return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
