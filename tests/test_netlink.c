/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as a kernel 6.18 sent them, and the questions themselves against the loopback interface,
 * which every network namespace has.
 */
#include "tests/support.h"

#include <linux/rtnetlink.h>

#include "harness/base/ipv4.h"
#include "harness/base/netlink.h"

static const char ADDRESS[] =
    "50000000140002000100000058320000021880000200000008000100c0a8640108000200c0a864010a0003006663"
    "627230000000080008008000000014000600ffffffffffffffff7e1715007e171500";
static const char REACHABLE[] =
    "4c0000001c000000010000005832000002000000020000000200000108000100c0a864320a00020002fcc0a86432"
    "000008000400000000001400030020000000200000002000000002000000";
static const char INCOMPLETE[] =
    "400000001c000000010000005832000002000000020000000100000108000100c0a8643308000400040000001400"
    "030090170000200000002000000002000000";
static const char FAILED[] =
    "400000001c000000010000005832000002000000020000002000000108000100c0a8643408000400000000001400"
    "030090170000200000002000000001000000";
enum { LINK_INDEX = 2, STATE_AT = 24, FLAGS_AT = 24, LONGEST = 512 };

/* In memory of exactly its size, so that reading behind it is seen. Owned by the caller. */
static char *from_hex(const char *hex, size_t *ret_len)
{
    size_t len = strlen(hex) / 2;
    char *bytes = mem_calloc(len, 1);
    for (size_t i = 0; i < len; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    *ret_len = len;
    return bytes;
}

static void an_address_is_read(void **state)
{
    (void)state;
    size_t len;
    auto_free char *message = from_hex(ADDRESS, &len);
    struct netlink_address address;
    assert_true(netlink_parse_address(message, len, LINK_INDEX, &address));
    assert_int_equal(address.address, 0xc0a86401);
    assert_int_equal(address.prefix_len, 24);
    assert_false(netlink_parse_address(message, len, LINK_INDEX + 1, &address));
}

static void a_neighbour_is_read(void **state)
{
    static const struct {
        const char *hex, *state, *mac;
    } rows[] = {
        {REACHABLE, "reachable", "02:fc:c0:a8:64:32"},
        {INCOMPLETE, "incomplete", NULL},
        {FAILED, "failed", NULL},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        size_t len;
        auto_free char *message = from_hex(rows[i].hex, &len);
        struct netlink_neighbour neighbour;
        assert_true(netlink_parse_neighbour(message, len, &neighbour));
        assert_string_equal(neighbour.state, rows[i].state);
        assert_int_equal(neighbour.has_mac, rows[i].mac != NULL);
        char mac[MAC_TEXT_SIZE];
        mac_text(neighbour.mac, mac);
        assert_string_equal(mac, rows[i].mac != NULL ? rows[i].mac : "00:00:00:00:00:00");
    }
}

/* linux/neighbour.h */
static void every_state_has_the_contracts_name(void **state)
{
    static const struct {
        unsigned char state;
        const char *name;
    } rows[] = {
        {0x00, "none"},   {0x01, "incomplete"}, {0x02, "reachable"},
        {0x04, "stale"},  {0x08, "delay"},      {0x10, "probe"},
        {0x20, "failed"}, {0x40, "permanent"},  {0x80, "permanent"},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        size_t len;
        auto_free char *message = from_hex(REACHABLE, &len);
        message[STATE_AT] = (char)rows[i].state;
        struct netlink_neighbour neighbour;
        assert_true(netlink_parse_neighbour(message, len, &neighbour));
        assert_string_equal(neighbour.state, rows[i].name);
    }
}

struct builder {
    _Alignas(struct nlmsghdr) char bytes[LONGEST];
    size_t len;
};

static size_t put_attribute(struct builder *message, uint16_t type, const void *data, size_t size)
{
    struct rtattr *attribute = (struct rtattr *)(message->bytes + message->len);
    size_t at = message->len;
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), data, size);
    message->len += RTA_SPACE(size);
    ((struct nlmsghdr *)message->bytes)->nlmsg_len = (uint32_t)message->len;
    return at;
}

static void begin_link(struct builder *message)
{
    *message = (struct builder){.len = NLMSG_SPACE(sizeof(struct ifinfomsg))};
    struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
    struct ifinfomsg *info = (struct ifinfomsg *)(header + 1);
    header->nlmsg_type = RTM_NEWLINK;
    header->nlmsg_len = (uint32_t)message->len;
    info->ifi_index = 7;
    info->ifi_flags = IFF_UP | IFF_BROADCAST;
}

/* A kind is an attribute within an attribute. */
static void put_kind(struct builder *message, const char *kind)
{
    struct builder inner = {.len = 0};
    struct rtattr *attribute = (struct rtattr *)inner.bytes;
    attribute->rta_type = IFLA_INFO_KIND;
    attribute->rta_len = (unsigned short)RTA_LENGTH(strlen(kind) + 1);
    memcpy(RTA_DATA(attribute), kind, strlen(kind) + 1);
    put_attribute(message, IFLA_LINKINFO | NLA_F_NESTED, inner.bytes, attribute->rta_len);
}

static void a_link_is_read(void **state)
{
    static const uint8_t mac[] = {2, 0xfc, 1, 2, 3, 4};
    static const struct {
        const char *kind;
        bool bridge, tun;
    } rows[] = {{"bridge", true, false},
                {"tun", false, true},
                {"bridge2", false, false},
                {"brid", false, false},
                {"", false, false}};
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct builder message;
        int master = 9;
        begin_link(&message);
        put_attribute(&message, IFLA_IFNAME, "fcbr0", 6);
        put_attribute(&message, IFLA_MASTER, &master, sizeof(master));
        put_attribute(&message, IFLA_ADDRESS, mac, sizeof(mac));
        put_kind(&message, rows[i].kind);
        struct netlink_link link;
        assert_true(netlink_parse_link(message.bytes, message.len, &link));
        assert_int_equal(link.index, 7);
        assert_int_equal(link.master, 9);
        assert_true(link.up);
        assert_string_equal(link.name, "fcbr0");
        assert_memory_equal(link.mac, mac, sizeof(mac));
        assert_int_equal(link.is_bridge, rows[i].bridge);
        assert_int_equal(link.is_tun, rows[i].tun);
    }
}

/* A name without its NUL, a name that is too long, an address of another size: not taken. */
static void attributes_of_a_wrong_size_are_left(void **state)
{
    static const char longest[40] = "0123456789012345678901234567890123456789";
    (void)state;
    struct builder message;
    begin_link(&message);
    put_attribute(&message, IFLA_IFNAME, longest, sizeof(longest));
    put_attribute(&message, IFLA_ADDRESS, longest, 20);
    put_attribute(&message, IFLA_MASTER, longest, 2);
    put_attribute(&message, IFLA_LINKINFO, NULL, 0);
    struct netlink_link link;
    assert_true(netlink_parse_link(message.bytes, message.len, &link));
    assert_string_equal(link.name, "");
    assert_int_equal(link.master, 0);
    assert_int_equal(link.mac[0], 0);
}

static void parse_as_anything(const char *message, size_t len)
{
    struct netlink_link link;
    struct netlink_address address;
    struct netlink_neighbour neighbour;
    (void)netlink_parse_link(message, len, &link);
    (void)netlink_parse_address(message, len, LINK_INDEX, &address);
    (void)netlink_parse_neighbour(message, len, &neighbour);
}

/* Cut anywhere, with the length that it claims, or with one that fits what is left. */
static void cut_and_lying_messages_are_survived(void **state)
{
    static const char *const all[] = {ADDRESS, REACHABLE, INCOMPLETE, FAILED};
    (void)state;
    for (size_t i = 0; i < N_ROWS(all); i++) {
        size_t whole;
        auto_free char *message = from_hex(all[i], &whole);
        for (size_t len = 0; len <= whole; len++) {
            auto_free char *cut = mem_calloc(len > 0 ? len : 1, 1);
            memcpy(cut, message, len);
            parse_as_anything(cut, len);
            if (len >= sizeof(uint32_t))
                memcpy(cut, &(uint32_t){(uint32_t)len}, sizeof(uint32_t));
            parse_as_anything(cut, len);
        }
        for (size_t at = 0; at < whole; at++) {
            char was = message[at];
            message[at] = (char)0xff;
            parse_as_anything(message, whole);
            message[at] = 0;
            parse_as_anything(message, whole);
            message[at] = was;
        }
    }
}

static void other_messages_are_refused(void **state)
{
    (void)state;
    size_t len;
    auto_free char *message = from_hex(ADDRESS, &len);
    struct netlink_link link;
    struct netlink_neighbour neighbour;
    assert_false(netlink_parse_link(message, len, &link));
    assert_false(netlink_parse_neighbour(message, len, &neighbour));
}

/* ---- the kernel itself ---- */

static void loopback_is_found(void **state)
{
    (void)state;
    struct netlink_link link;
    struct err err = {0};
    if (netlink_find_link("lo", &link, &err) != 1)
        fail_msg("%s", err.message);
    assert_string_equal(link.name, "lo");
    assert_int_equal(link.index, if_nametoindex("lo"));
    assert_false(link.is_bridge);
    assert_int_equal(netlink_find_link("no-such-link0", &link, &err), 0);
    assert_int_equal(netlink_find_link("a-name-that-no-link-can-have", &link, &err), 0);
}

static void loopback_has_its_address(void **state)
{
    (void)state;
    struct netlink_address addresses[4];
    struct err err = {0};
    int n = netlink_addresses((int)if_nametoindex("lo"), addresses, N_ROWS(addresses), &err);
    if (n < 1)
        fail_msg("%d: %s", n, err.message);
    assert_int_equal(addresses[0].address, 0x7f000001);
    assert_int_equal(addresses[0].prefix_len, 8);
    assert_int_equal(netlink_addresses((int)if_nametoindex("lo"), addresses, 0, &err), 0);
    assert_int_equal(netlink_addresses(0x7ffffff0, addresses, N_ROWS(addresses), &err), 0);
}

static void a_stranger_is_no_neighbour(void **state)
{
    (void)state;
    struct netlink_neighbour neighbour;
    struct err err = {0};
    int index = (int)if_nametoindex("lo");
    if (netlink_neighbour(index, 0xcb007101, &neighbour, &err) != 0) /* 203.0.113.1, RFC 5737 */
        fail_msg("%s", err.message);
    assert_string_equal(neighbour.state, "none");
    assert_false(neighbour.has_mac);
}

/* ---- addresses as text ---- */

static void ipv4_texts(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t address;
        bool host;
    } rows[] = {
        {"192.168.100.50", true, 0xc0a86432, true},
        {"0.0.0.0", true, 0, false},
        {"127.0.0.1", true, 0x7f000001, false},
        {"255.255.255.255", true, 0xffffffff, false},
        {"224.0.0.1", true, 0xe0000001, false},
        {"1.2.3", false, 0, false},
        {"1.2.3.4.5", false, 0, false},
        {"1.2.3.256", false, 0, false},
        {" 1.2.3.4", false, 0, false},
        {"", false, 0, false},
        {"0x1.2.3.4", false, 0, false},
        {"::1", false, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        uint32_t address = 0;
        assert_int_equal(ipv4_parse(rows[i].text, &address), rows[i].good);
        assert_int_equal(address, rows[i].address);
        if (!rows[i].good)
            continue;
        char text[IPV4_TEXT_SIZE];
        ipv4_text(address, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(ipv4_is_host(address), rows[i].host);
    }
}

static void subnets(void **state)
{
    static const struct {
        uint32_t a, b;
        int prefix_len;
        bool same;
    } rows[] = {
        {0xc0a86401, 0xc0a86432, 24, true},  {0xc0a86401, 0xc0a86532, 24, false},
        {0xc0a86401, 0xc0a86532, 23, true},  {0xc0a86401, 0xc0a86532, 16, true},
        {0xc0a86401, 0xc0a86402, 32, false}, {0xc0a86401, 0xc0a86401, 32, true},
        {0x00000001, 0xffffffff, 0, true},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(rows); i++)
        assert_int_equal(ipv4_same_subnet(rows[i].a, rows[i].b, rows[i].prefix_len), rows[i].same);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read),
        cmocka_unit_test(a_neighbour_is_read),
        cmocka_unit_test(every_state_has_the_contracts_name),
        cmocka_unit_test(a_link_is_read),
        cmocka_unit_test(attributes_of_a_wrong_size_are_left),
        cmocka_unit_test(cut_and_lying_messages_are_survived),
        cmocka_unit_test(other_messages_are_refused),
        cmocka_unit_test(loopback_is_found),
        cmocka_unit_test(loopback_has_its_address),
        cmocka_unit_test(a_stranger_is_no_neighbour),
        cmocka_unit_test(ipv4_texts),
        cmocka_unit_test(subnets),
    };
    return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
