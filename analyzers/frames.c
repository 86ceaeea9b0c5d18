/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each frame is taken apart by a reader that never looks behind what was kept of it. Captures may
 * be cut to some 100 bytes a frame, which is less than a DHCP message's type: then the first answer
 * counts as an offer, and one behind a request as its acknowledgement.
 */
#include "analyzers/frames.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "analyzers/frame_file.h"

enum { MAC_LEN = 6, MAX_FRAMES = 1000 * 1000, MS_PER_DAY = 24 * 3600 * 1000 };
enum {
    ETHERTYPE_IP4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17
};

enum { ETHERNET_HEADER = 14 };

/* Bytes of a frame that were kept, from some layer on. */
struct part {
    const uint8_t *at;
    size_t len;
};

/* State of the pass. */
struct pass {
    struct frames *frames;
    uint8_t guest[MAC_LEN];
    uint32_t planned; /* IPv4 address in host order; 0: not known */
    int port;
    int64_t start_us; /* what times count from */
    int64_t now_ms;
    size_t vnet_hdr; /* what a VMM's TAP puts before each frame: 0, 10 or 12 bytes */
    bool from_guest; /* of the frame at hand */
    const uint8_t *source;
};

static unsigned get16(struct part part, size_t at)
{
    return (unsigned)part.at[at] << 8 | part.at[at + 1];
}

static uint32_t get32(struct part part, size_t at)
{
    return (uint32_t)get16(part, at) << 16 | get16(part, at + 2);
}

static struct part skip(struct part part, size_t n)
{
    if (n > part.len)
        n = part.len;
    return (struct part){part.at + n, part.len - n};
}

static void saw(struct pass *pass, enum frame_kind kind)
{
    struct frames_seen *seen = &pass->frames->seen[kind];
    if (seen->count++ == 0)
        seen->first_ms = pass->now_ms;
    seen->last_ms = pass->now_ms;
}

static void write_address(char text[static FRAMES_ADDRESS_SIZE], uint32_t address)
{
    struct in_addr in = {htonl(address)};
    (void)inet_ntop(AF_INET, &in, text, FRAMES_ADDRESS_SIZE);
}

static void guest_used(struct pass *pass, uint32_t address)
{
    struct frames *frames = pass->frames;
    char text[FRAMES_ADDRESS_SIZE];
    if (address == 0 || frames->n_addresses == FRAMES_MAX_ADDRESSES)
        return;
    write_address(text, address);
    if (!frames_guest_used(frames, text))
        memcpy(frames->addresses[frames->n_addresses++], text, sizeof(text));
}

static void other_has_it(struct pass *pass, enum frame_kind kind)
{
    const uint8_t *mac = pass->source;
    saw(pass, kind);
    snprintf(pass->frames->other_mac, sizeof(pass->frames->other_mac),
             "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* RFC 826, Ethernet and IPv4: op at 6, sender's MAC at 8 and address at 14, target's address at 24.
 */
static void take_arp(struct pass *pass, struct part arp)
{
    enum { ARP_LEN = 28, REQUEST = 1 };
    if (arp.len < ARP_LEN || get16(arp, 2) != ETHERTYPE_IP4)
        return;
    unsigned op = get16(arp, 6);
    uint32_t sender = get32(arp, 14), target = get32(arp, 24);
    bool planned = pass->planned != 0 && sender == pass->planned;
    if (pass->from_guest) {
        guest_used(pass, sender);
        if (planned)
            saw(pass, FRAME_GUEST_IS_AT);
        if (op == REQUEST && target != sender)
            saw(pass, FRAME_WHO_HAS_OTHER);
        return;
    }
    if (planned && pass->frames->knows_guest)
        other_has_it(pass, FRAME_OTHER_IS_AT);
    if (op == REQUEST && pass->planned != 0 && target == pass->planned && sender != target)
        saw(pass, FRAME_WHO_HAS_GUEST);
}

/* The message type of RFC 2132, 9.6; 0: it was cut off. */
static int dhcp_type(struct part options)
{
    enum { PAD = 0, TYPE = 53, END = 255 };
    for (size_t at = 0; at + 2 < options.len && options.at[at] != END;) {
        if (options.at[at] == PAD) {
            at++;
            continue;
        }
        if (options.at[at] == TYPE)
            return options.at[at + 2];
        at += 2 + (size_t)options.at[at + 1];
    }
    return 0;
}

static void take_dhcp(struct pass *pass, struct part dhcp)
{
    enum { FIXED = 34, OPTIONS = 240, YOUR_ADDRESS = 16, HARDWARE = 28, FROM_CLIENT = 1 };
    static const enum frame_kind kinds[] = {
        [1] = FRAME_DISCOVER, [2] = FRAME_OFFER, [3] = FRAME_REQUEST,
        [4] = FRAME_DECLINE,  [5] = FRAME_ACK,   [6] = FRAME_NAK,
    };
    struct frames *frames = pass->frames;
    if (dhcp.len < FIXED || !frames->knows_guest ||
        memcmp(dhcp.at + HARDWARE, pass->guest, MAC_LEN) != 0)
        return;
    bool asks = dhcp.at[0] == FROM_CLIENT;
    uint32_t address = get32(dhcp, YOUR_ADDRESS);
    int type = dhcp.len > OPTIONS ? dhcp_type(skip(dhcp, OPTIONS)) : 0;
    bool answered = frames->seen[FRAME_OFFER].count > 0;
    if (type == 0 && asks)
        type = answered ? 3 : 1;
    else if (type == 0)
        type = address == 0 ? 6 : frames->seen[FRAME_REQUEST].count > 0 ? 5 : 2;
    if (type < 1 || type > 6 || asks != (type == 1 || type == 3 || type == 4))
        return;
    saw(pass, kinds[type]);
    if (!asks && address != 0)
        write_address(frames->offered, address);
}

static void take_udp(struct pass *pass, struct part udp)
{
    enum { HEADER = 8, SERVER = 67, CLIENT = 68 };
    if (udp.len < HEADER)
        return;
    unsigned from = get16(udp, 0), to = get16(udp, 2);
    bool asks = from == CLIENT && to == SERVER && pass->from_guest;
    bool answers = from == SERVER && (to == CLIENT || to == SERVER) && !pass->from_guest;
    if (asks || answers)
        take_dhcp(pass, skip(udp, HEADER));
}

/* `total` is what the datagram holds, also where less of it was kept. */
static void take_tcp(struct pass *pass, struct part tcp, size_t total, uint32_t from, uint32_t to)
{
    enum { HEADER = 20, FLAG_SYN = 0x02, FLAG_RST = 0x04, FLAG_ACK = 0x10 };
    if (tcp.len < HEADER || pass->planned == 0)
        return;
    unsigned flags = tcp.at[13];
    size_t header = (size_t)(tcp.at[12] >> 4) * 4;
    bool syn = (flags & FLAG_SYN) != 0, ack = (flags & FLAG_ACK) != 0;
    if (!pass->from_guest && to == pass->planned && (int)get16(tcp, 2) == pass->port && syn && !ack)
        saw(pass, FRAME_SYN);
    if (from != pass->planned || (int)get16(tcp, 0) != pass->port)
        return;
    if (!pass->from_guest) {
        if (pass->frames->knows_guest)
            other_has_it(pass, FRAME_OTHER_TCP);
        return;
    }
    if (syn && ack)
        saw(pass, FRAME_GUEST_ACCEPTS);
    if ((flags & FLAG_RST) != 0)
        saw(pass, FRAME_GUEST_RESETS);
    if (total > header)
        saw(pass, FRAME_GUEST_DATA);
}

static void take_ip4(struct pass *pass, struct part ip)
{
    enum { HEADER = 20, UNREACHABLE = 3 };
    size_t header = ip.len >= HEADER ? (size_t)(ip.at[0] & 0xf) * 4 : 0;
    if (header < HEADER || ip.at[0] >> 4 != 4 || (get16(ip, 6) & 0x1fff) != 0)
        return;
    uint32_t from = get32(ip, 12), to = get32(ip, 16);
    size_t total = get16(ip, 2) > header ? get16(ip, 2) - header : 0;
    struct part rest = skip(ip, header);
    if (pass->from_guest)
        guest_used(pass, from);
    if (ip.at[9] == PROTO_UDP)
        take_udp(pass, rest);
    if (ip.at[9] == PROTO_TCP)
        take_tcp(pass, rest, total, from, to);
    if (ip.at[9] == PROTO_ICMP && pass->from_guest && rest.len > 0 && rest.at[0] == UNREACHABLE)
        saw(pass, FRAME_REJECTED);
}

static void take_frame(struct pass *pass, const struct frame *frame)
{
    struct part ethernet = skip((struct part){frame->bytes, frame->len}, pass->vnet_hdr);
    if (ethernet.len < ETHERNET_HEADER)
        return;
    struct frames *frames = pass->frames;
    pass->now_ms = (frame->at_us - pass->start_us) / 1000;
    frames->last_ms = pass->now_ms;
    pass->source = ethernet.at + MAC_LEN;
    pass->from_guest = frames->knows_guest && memcmp(pass->source, pass->guest, MAC_LEN) == 0;
    if (pass->from_guest)
        saw(pass, FRAME_OF_GUEST);
    else if (frames->knows_guest && memcmp(ethernet.at, pass->guest, MAC_LEN) == 0)
        saw(pass, FRAME_TO_GUEST);
    unsigned type = get16(ethernet, 12);
    if (type == ETHERTYPE_ARP)
        take_arp(pass, skip(ethernet, ETHERNET_HEADER));
    else if (type == ETHERTYPE_IP4)
        take_ip4(pass, skip(ethernet, ETHERNET_HEADER));
}

/* ---- whose frames, since when ---- */

static bool is_ethernet(struct part part)
{
    static const unsigned types[] = {ETHERTYPE_IP4, ETHERTYPE_ARP, 0x86dd, 0x8100, 0x88cc};
    for (size_t i = 0; part.len >= ETHERNET_HEADER && i < sizeof(types) / sizeof(types[0]); i++)
        if (get16(part, 12) == types[i])
            return true;
    return false;
}

/* QEMU's filter-dump writes the virtio-net header of a TAP (virtio 1.2, 5.1.6) before each frame
 * and still calls it Ethernet. Of the possible lengths the one that makes most sense is right. */
static size_t find_vnet_hdr(struct frame_file file)
{
    enum { LOOKED_AT = 64 };
    static const size_t lengths[] = {0, 10, 12};
    unsigned fits[] = {0, 0, 0};
    struct frame frame;
    for (size_t n = 0; n < LOOKED_AT && frame_file_next(&file, &frame); n++)
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
            fits[i] += is_ethernet(skip((struct part){frame.bytes, frame.len}, lengths[i]));
    size_t best = 0;
    for (size_t i = 1; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        if (fits[i] > fits[best])
            best = i;
    return lengths[best];
}

static bool parse_mac(const char *text, uint8_t ret_mac[static MAC_LEN])
{
    unsigned bytes[MAC_LEN];
    if (text == NULL || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2],
                               &bytes[3], &bytes[4], &bytes[5]) != MAC_LEN)
        return false;
    for (size_t i = 0; i < MAC_LEN; i++)
        ret_mac[i] = (uint8_t)bytes[i];
    return true;
}

static bool mac_of_argv(char *const *argv, uint8_t ret_mac[static MAC_LEN])
{
    for (; argv != NULL && *argv != NULL; argv++) {
        const char *mac = strstr(*argv, "mac=");
        if (mac != NULL && parse_mac(mac + strlen("mac="), ret_mac))
            return true;
    }
    return false;
}

/* The client's MAC of the first DHCP question. */
static bool mac_of_question(struct frame_file file, size_t vnet_hdr,
                            uint8_t ret_mac[static MAC_LEN])
{
    enum { PORTS = 34, DHCP = 42, MIN = DHCP + 34 };
    struct frame frame;
    for (size_t n = 0; n < MAX_FRAMES && frame_file_next(&file, &frame); n++) {
        struct part part = skip((struct part){frame.bytes, frame.len}, vnet_hdr);
        if (part.len < MIN || get16(part, 12) != ETHERTYPE_IP4 || part.at[14] != 0x45 ||
            part.at[23] != PROTO_UDP || get32(part, PORTS) != (68u << 16 | 67u))
            continue;
        memcpy(ret_mac, part.at + MAC_LEN, MAC_LEN);
        return true;
    }
    return false;
}

/* Microseconds since 1970 of "2025-11-06T20:47:04.123Z"; -1: no such date. */
static int64_t parse_date(const char *text)
{
    struct tm tm = {0};
    int ms = 0;
    if (text == NULL || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &tm.tm_year, &tm.tm_mon,
                               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return ((int64_t)timegm(&tm) * 1000 + ms) * 1000;
}

/* The VMM may stamp frames with a clock of its own; then only differences mean anything. The first
 * stamp of QEMU's has no fraction of a second. */
static void set_start(struct pass *pass, const struct record *record, struct frame_file file)
{
    struct frame first;
    if (!frame_file_next(&file, &first))
        return;
    int64_t start_us = parse_date(record->started_at);
    int64_t span_ms = record->ended_ms >= 0 ? record->ended_ms + 1000 : MS_PER_DAY;
    bool fits =
        start_us >= 0 && first.at_us >= start_us && (first.at_us - start_us) / 1000 <= span_ms;
    pass->start_us = fits ? start_us : first.at_us;
    pass->frames->since_start = fits;
}

static uint32_t parse_address(const char *text)
{
    struct in_addr in;
    return text != NULL && inet_pton(AF_INET, text, &in) == 1 ? ntohl(in.s_addr) : 0;
}

void frames_read(const struct record *record, struct frames *ret_frames)
{
    struct pass pass = {.frames = ret_frames, .port = record->service.port};
    struct frame_file file;
    struct frame frame;
    *ret_frames = (struct frames){0};
    if (!frame_file_open(&file, record->net_pcap.data, record->net_pcap.len) ||
        file.link_type != FRAME_FILE_ETHERNET)
        return;
    ret_frames->readable = true;
    pass.vnet_hdr = find_vnet_hdr(file);
    ret_frames->knows_guest = parse_mac(record->guest.mac, pass.guest) ||
                              mac_of_argv(record->vmm.argv, pass.guest) ||
                              mac_of_question(file, pass.vnet_hdr, pass.guest);
    pass.planned = parse_address(record->guest.expected_address);
    set_start(&pass, record, file);
    while (ret_frames->n < MAX_FRAMES && frame_file_next(&file, &frame)) {
        ret_frames->n++;
        take_frame(&pass, &frame);
    }
    ret_frames->cut = ret_frames->n == MAX_FRAMES;
}

bool frames_guest_used(const struct frames *frames, const char *address)
{
    for (size_t i = 0; i < frames->n_addresses; i++)
        if (strcmp(frames->addresses[i], address) == 0)
            return true;
    return false;
}

const char *frames_other_address(const struct frames *frames, const char *planned)
{
    for (size_t i = 0; i < frames->n_addresses; i++)
        if (planned == NULL || strcmp(frames->addresses[i], planned) != 0)
            return frames->addresses[i];
    return NULL;
}
