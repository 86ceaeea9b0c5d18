/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/bridge.h"

#include <poll.h>
#include <string.h>

#include "harness/arp.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/ipv4.h"
#include "harness/base/mem.h"
#include "harness/probe.h"
#include "harness/tap.h"

enum {
    ASK_EVERY_MS = 150, /* a machine under load may miss one question */
    ANSWER_LIMIT_MS = 450,
};

static int misconfigured(struct err *err)
{
    return err_cause(err, "host.bridge-misconfigured");
}

int bridge_find(struct bridge *bridge, const char *name, struct err *err)
{
    *bridge = (struct bridge){0};
    int found = netlink_find_link(name, &bridge->link, err);
    if (found == 0)
        err_set(err,
                "there is no bridge %s; make it (ip link add %s type bridge; ip addr add "
                "ADDRESS/LENGTH dev %s; ip link set %s up), or set \"bridge\" in the target",
                name, name, name, name);
    else if (found == 1 && !bridge->link.is_bridge)
        err_set(err, "%s is no bridge; set \"bridge\" in the target to one", name);
    if (found != 1 || !bridge->link.is_bridge)
        return misconfigured(err);
    int n = netlink_addresses(bridge->link.index, bridge->addresses, BRIDGE_MOST_ADDRESSES, err);
    bridge->n_addresses = n > 0 ? (size_t)n : 0;
    return n >= 0 ? 0 : misconfigured(err);
}

uint32_t bridge_address_for(const struct bridge *bridge, uint32_t guest)
{
    for (size_t i = 0; i < bridge->n_addresses; i++)
        if (ipv4_same_subnet(bridge->addresses[i].address, guest, bridge->addresses[i].prefix_len))
            return bridge->addresses[i].address;
    return 0;
}

int bridge_check(const struct bridge *bridge, uint32_t guest, struct err *err)
{
    const char *name = bridge->link.name;
    char guest_text[IPV4_TEXT_SIZE], own_text[IPV4_TEXT_SIZE];
    ipv4_text(guest, guest_text);
    uint32_t own = bridge_address_for(bridge, guest);
    if (bridge->n_addresses > 0)
        ipv4_text(bridge->addresses[0].address, own_text);
    if (!bridge->link.up)
        err_set(err, "the bridge %s is down; switch it on: ip link set %s up", name, name);
    else if (bridge->n_addresses == 0)
        err_set(err,
                "the bridge %s has no address, so that %s cannot be reached; give it one: ip addr "
                "add ADDRESS/LENGTH dev %s",
                name, guest_text, name);
    else if (own == 0)
        err_set(err,
                "the bridge %s has %s/%d, which is another subnet than the guest's address %s; set "
                "\"address\" in the target, or the bridge's own",
                name, own_text, bridge->addresses[0].prefix_len, guest_text);
    else if (own == guest)
        err_set(err,
                "the guest's address %s is that of the bridge %s itself; set \"address\" in "
                "the target to another",
                guest_text, name);
    else
        return 0;
    return misconfigured(err);
}

uint32_t bridge_guest_address(const struct target *target, unsigned slot)
{
    uint32_t first = 0;
    (void)(target->address != NULL && ipv4_parse(target->address, &first)); /* target.c saw to it */
    return first + slot % (unsigned)target->addresses;
}

/* ---- does anybody answer already? ---- */

static int refuse_answer(uint32_t address, const uint8_t *mac, struct err *err)
{
    char text[IPV4_TEXT_SIZE], of[MAC_TEXT_SIZE] = "";
    ipv4_text(address, text);
    if (mac != NULL)
        mac_text(mac, of);
    err_set(err,
            "the guest's address %s answers already, before the boot%s%s; end what has it, or set "
            "\"address\" in the target to a free one",
            text, mac != NULL ? ": it is at " : "", of);
    return err_cause(err, "probe.stale-responder");
}

/* Reads claims until `until_ms`; -1: one is for an address of the target. */
static int listen_until(int fd, const struct target *target, int64_t until_ms, struct err *err)
{
    struct arp_claim claim;
    int64_t left;
    while ((left = until_ms - clock_ms()) > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        (void)poll(&wait, 1, (int)left);
        while (arp_next(fd, &claim)) {
            uint32_t offset = claim.address - bridge_guest_address(target, 0);
            if (claim.address != 0 && offset < (uint32_t)target->addresses)
                return refuse_answer(claim.address, claim.mac, err);
        }
    }
    return 0;
}

static int check_by_arp(const struct bridge *bridge, int fd, const struct target *target,
                        struct err *err)
{
    int64_t start_ms = clock_ms();
    for (int64_t at_ms = 0; at_ms < ANSWER_LIMIT_MS; at_ms += ASK_EVERY_MS) {
        for (int slot = 0; slot < target->addresses; slot++) {
            uint32_t address = bridge_guest_address(target, (unsigned)slot);
            arp_ask(fd, bridge->link.name, bridge_address_for(bridge, address), address);
        }
        if (listen_until(fd, target, start_ms + at_ms + ASK_EVERY_MS, err) != 0)
            return -1;
    }
    return 0;
}

/* Without the right to a raw socket: what listens there can still be asked. */
static int check_by_http(const struct target *target, struct err *err)
{
    char text[IPV4_TEXT_SIZE];
    uint32_t address = bridge_guest_address(target, 0);
    ipv4_text(address, text);
    auto_free char *url =
        mem_printf("http://%s:%d%s", text, target->service.port, target->service.health_path);
    return probe_answers(url, ANSWER_LIMIT_MS) ? refuse_answer(address, NULL, err) : 0;
}

static int check_unanswered(const struct bridge *bridge, const struct target *target,
                            struct err *err)
{
    auto_fd int fd = arp_open(bridge->link.index, NULL);
    return fd >= 0 ? check_by_arp(bridge, fd, target, err) : check_by_http(target, err);
}

int bridge_preflight(const struct target *target, struct err *err)
{
    struct bridge bridge;
    auto_tap struct tap tap = TAP_INIT;
    if (strcmp(target->network_checks, "lenient") == 0)
        return 0;
    uint32_t last = bridge_guest_address(target, (unsigned)target->addresses - 1);
    if (bridge_find(&bridge, target->bridge, err) != 0 ||
        bridge_check(&bridge, bridge_guest_address(target, 0), err) != 0 ||
        bridge_check(&bridge, last, err) != 0 ||
        tap_open(&tap, target->tap, bridge.link.index, err) != 0)
        return -1;
    return check_unanswered(&bridge, target, err);
}
