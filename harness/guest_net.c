/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions go out by broadcast now and then for the whole boot: once the host has an entry it asks
 * that machine only, and a second one with the same address would never be heard.
 */
#include "harness/guest_net.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "harness/arp.h"
#include "harness/base/auto.h"
#include "harness/base/clock.h"
#include "harness/base/ipv4.h"
#include "harness/base/mem.h"
#include "harness/base/netlink.h"
#include "harness/bridge.h"
#include "harness/tap.h"

enum {
    ASK_FIRST_MS = 150,  /* between questions before the guest runs */
    ASK_LATER_MS = 5000, /* and afterwards */
    SILENCE_MS = 450,    /* nobody answered for so long: nobody has it */
    MOST_AT_ONCE = 64,   /* packets: a flood must not hold up the other boots */
};

struct guest_net {
    const struct target *target;
    struct loop *loop;
    struct record *record;
    struct bridge bridge;
    struct tap tap;
    uint32_t address;
    char address_text[IPV4_TEXT_SIZE];
    uint8_t mac[MAC_SIZE];

    struct loop_watch arp; /* its descriptor is ours; -1: we may not listen */
    struct loop_timer ask, decide;
    int64_t start_ms;
    bool decided;
    void (*on_decided)(void *ctx, const struct err *why);
    void *ctx;
};

void guest_net_mac(uint32_t address, uint8_t ret_mac[static MAC_SIZE])
{
    const uint8_t mac[MAC_SIZE] = {0x02,
                                   0xfc,
                                   (uint8_t)(address >> 24),
                                   (uint8_t)(address >> 16),
                                   (uint8_t)(address >> 8),
                                   (uint8_t)address};
    memcpy(ret_mac, mac, sizeof(mac));
}

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

/* ---- what is heard ---- */

static void take_claim(struct guest_net *net, const struct arp_claim *claim)
{
    struct record *record = net->record;
    /* A leftover of an earlier boot may have the same address, and so the same MAC. */
    bool own = net->decided && memcmp(claim->mac, net->mac, MAC_SIZE) == 0;
    char text[IPV4_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    if (claim->address == 0)
        return;
    if (own) {
        ipv4_text(claim->address, text);
        set_text(&record->guest.seen_address, text);
    }
    if (claim->address != net->address)
        return;
    if (own) {
        record->net.own_answered = 1;
    } else {
        mac_text(claim->mac, mac);
        set_text(&record->net.foreign_mac, mac);
        if (!net->decided)
            record->net.answered_before_start = 1;
    }
}

static void on_packets(void *ctx, uint32_t events)
{
    struct guest_net *net = ctx;
    struct arp_claim claim;
    (void)events;
    for (int i = 0; i < MOST_AT_ONCE && arp_next(net->arp.fd, &claim); i++)
        take_claim(net, &claim);
}

static void ask(void *ctx)
{
    struct guest_net *net = ctx;
    uint32_t own = bridge_address_for(&net->bridge, net->address);
    if (own != 0 || !net->decided) /* without an address of ours it would look like a probe for a
                                      duplicate, and the guest might give its address up */
        arp_ask(net->arp.fd, net->target->bridge, own, net->address);
    loop_arm(net->loop, &net->ask, net->decided ? ASK_LATER_MS : ASK_FIRST_MS);
}

/* ---- before the guest runs ---- */

static void decide(void *ctx)
{
    struct guest_net *net = ctx;
    const struct record *record = net->record;
    struct err why = {0};
    on_packets(net, 0);
    net->decided = true;
    bool refuse = record->net.answered_before_start == 1 &&
                  strcmp(net->target->network_checks, "strict") == 0;
    if (refuse) {
        err_set(&why,
                "the guest's address %s answered before the guest was let run: it is at %s; end "
                "what has it",
                net->address_text, record->net.foreign_mac);
        err_cause(&why, "probe.stale-responder");
    }
    net->on_decided(net->ctx, refuse ? &why : NULL);
}

void guest_net_decide(struct guest_net *net, void (*on_decided)(void *ctx, const struct err *why),
                      void *ctx)
{
    int64_t left_ms = net->start_ms + SILENCE_MS - clock_ms();
    bool known = net->arp.fd < 0 || net->record->net.answered_before_start == 1;
    net->on_decided = on_decided;
    net->ctx = ctx;
    loop_arm(net->loop, &net->decide, known || left_ms < 0 ? 0 : left_ms);
}

/* ---- life ---- */

static void record_bridge(struct guest_net *net)
{
    struct record_net *facts = &net->record->net;
    const struct bridge *bridge = &net->bridge;
    set_text(&facts->bridge, net->target->bridge);
    facts->bridge_up = bridge->link.up;
    facts->has_bridge_addresses = true;
    facts->n_bridge_addresses = bridge->n_addresses;
    for (size_t i = 0; i < bridge->n_addresses; i++) {
        char text[IPV4_TEXT_SIZE];
        ipv4_text(bridge->addresses[i].address, text);
        facts->bridge_addresses[i] = mem_printf("%s/%d", text, bridge->addresses[i].prefix_len);
    }
}

static void record_guest(struct guest_net *net)
{
    struct record *record = net->record;
    char mac[MAC_TEXT_SIZE];
    mac_text(net->mac, mac);
    set_text(&record->guest.mac, mac);
    set_text(&record->guest.expected_address, net->address_text);
    set_text(&record->probe.network, "tap");
}

static void listen_for_answers(struct guest_net *net)
{
    net->arp.fd = arp_open(net->bridge.link.index, NULL);
    if (net->arp.fd < 0)
        return;
    net->record->net.answered_before_start = 0;
    net->record->net.own_answered = 0;
    loop_watch(net->loop, &net->arp, EPOLLIN);
    ask(net);
}

/* Refuses what the first boot's pre-flight would, if it came about since then. */
static int look(struct guest_net *net, struct err *err)
{
    if (bridge_find(&net->bridge, net->target->bridge, err) != 0)
        return -1;
    record_bridge(net);
    bool strict = strcmp(net->target->network_checks, "strict") == 0;
    return strict ? bridge_check(&net->bridge, net->address, err) : 0;
}

static struct guest_net *
make(const struct target *target, unsigned slot, struct loop *loop, struct record *record,
     int (*open_tap)(struct tap *tap, const char *name, int bridge, struct err *err),
     struct err *err)
{
    struct guest_net *net = mem_calloc(1, sizeof(*net));
    net->target = target;
    net->loop = loop;
    net->record = record;
    net->tap = (struct tap)TAP_INIT;
    net->address = bridge_guest_address(target, slot);
    net->arp = (struct loop_watch){.fd = -1, .on_ready = on_packets, .ctx = net};
    net->ask = (struct loop_timer){.on_due = ask, .ctx = net};
    net->decide = (struct loop_timer){.on_due = decide, .ctx = net};
    net->start_ms = clock_ms();
    ipv4_text(net->address, net->address_text);
    guest_net_mac(net->address, net->mac);
    record_guest(net);
    if (look(net, err) != 0 || open_tap(&net->tap, target->tap, net->bridge.link.index, err) != 0) {
        guest_net_free(net);
        return NULL;
    }
    set_text(&record->net.tap, net->tap.name);
    record->net.vnet_hdr = net->tap.vnet_hdr;
    (void)netlink_forget_neighbour(net->bridge.link.index, net->address, NULL);
    listen_for_answers(net);
    return net;
}

struct guest_net *guest_net_new(const struct target *target, unsigned slot, struct loop *loop,
                                struct record *record, struct err *err)
{
    return make(target, slot, loop, record, tap_open, err);
}

struct guest_net *guest_net_lend(const struct target *target, unsigned slot, struct loop *loop,
                                 struct record *record, struct err *err)
{
    return make(target, slot, loop, record, tap_lend, err);
}

void guest_net_free(struct guest_net *net)
{
    if (net == NULL)
        return;
    loop_unwatch(net->loop, &net->arp);
    loop_disarm(net->loop, &net->ask);
    loop_disarm(net->loop, &net->decide);
    auto_fd_release(&net->arp.fd);
    tap_release(&net->tap);
    free(net);
}

int guest_net_fd(const struct guest_net *net)
{
    return net->tap.fd;
}

const char *guest_net_tap(const struct guest_net *net)
{
    return net->tap.name;
}

const char *guest_net_address(const struct guest_net *net)
{
    return net->address_text;
}

const char *guest_net_neighbour(struct guest_net *net)
{
    struct netlink_neighbour neighbour;
    if (netlink_neighbour(net->bridge.link.index, net->address, &neighbour, NULL) != 0)
        return NULL;
    if (neighbour.has_mac) {
        char mac[MAC_TEXT_SIZE];
        mac_text(neighbour.mac, mac);
        set_text(&net->record->net.neighbour_mac, mac);
    }
    return neighbour.state;
}

void guest_net_take_facts(struct guest_net *net)
{
    struct bridge now;
    on_packets(net, 0);
    set_text(&net->record->probe.neighbour, guest_net_neighbour(net));
    if (bridge_find(&now, net->target->bridge, NULL) != 0 || !now.link.up)
        net->record->net.bridge_up = 0;
}
