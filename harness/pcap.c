/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "harness/base/auto.h"

enum {
    CHUNK = 16384,
    PENDING_LIMIT = 2 * CHUNK,
    FILE_HEADER_LEN = 24,
    FRAME_HEADER_LEN = 16,
    CAPTURED_LEN_AT = 8,  /* in a frame's header; the frame's own length follows */
    LONGEST_FRAME = 4096, /* far more than the VMM is asked for */
    MAC_LEN = 6,
    ETHERNET_LEN = 14,
    TYPE_AT = 12,
    PROTOCOL_AT = ETHERNET_LEN + 9,
    UDP = 17,
    TCP = 6,
};

/* Of the VMM's own byte order, which is ours. */
static uint32_t number_at(const char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

static unsigned wire16_at(const char *bytes)
{
    return (unsigned)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

/* ---- one frame ---- */

static bool is_ipv4(const char *frame, size_t len, int protocol)
{
    return len > PROTOCOL_AT && wire16_at(frame + TYPE_AT) == 0x0800 &&
           frame[PROTOCOL_AT] == protocol;
}

static bool is_dhcp(const char *frame, size_t len)
{
    enum { SERVER_PORT = 67, CLIENT_PORT = 68 };
    if (!is_ipv4(frame, len, UDP))
        return false;
    size_t udp = ETHERNET_LEN + ((size_t)frame[ETHERNET_LEN] & 0xf) * 4;
    if (len < udp + 4)
        return false;
    unsigned to = wire16_at(frame + udp + 2);
    return to == SERVER_PORT || to == CLIENT_PORT;
}

/* Does a frame from or to this MAC begin here? */
static bool has_mac(const char *frame, size_t len, const uint8_t *mac)
{
    return len >= ETHERNET_LEN &&
           (memcmp(frame, mac, MAC_LEN) == 0 || memcmp(frame + MAC_LEN, mac, MAC_LEN) == 0);
}

/* Does a frame to many, of a usual type, begin here? */
static bool is_multicast(const char *frame, size_t len)
{
    if (len < ETHERNET_LEN || (frame[0] & 1) == 0 || (frame[MAC_LEN] & 1) != 0)
        return false;
    unsigned type = wire16_at(frame + TYPE_AT);
    return type == 0x0800 || type == 0x0806 || type == 0x86dd;
}

static bool is_broadcast_of_others(const char *frame, size_t len, const uint8_t *mac)
{
    return len >= ETHERNET_LEN && (frame[0] & 1) != 0 && memcmp(frame + MAC_LEN, mac, MAC_LEN) != 0;
}

/* Length of the virtio-net header in front of the frame, 0 if there is none. */
static size_t vnet_header_len(const char *bytes, size_t len, const uint8_t *mac)
{
    static const size_t candidates[] = {0, 10, 12};
    enum { N = sizeof(candidates) / sizeof(candidates[0]) };
    for (size_t i = 0; i < N; i++)
        if (len >= candidates[i] && has_mac(bytes + candidates[i], len - candidates[i], mac))
            return candidates[i];
    for (size_t i = 0; i < N; i++)
        if (len >= candidates[i] && is_multicast(bytes + candidates[i], len - candidates[i]))
            return candidates[i];
    return 0;
}

static bool put(struct pcap *pcap, const char *bytes, size_t len)
{
    if (write(pcap->out_fd, bytes, len) != (ssize_t)len) {
        pcap->broken = true; /* half a frame may stand at its end now: nothing may follow */
        return false;
    }
    pcap->written += len;
    return true;
}

/* `bytes` has its header and what was captured of it. */
static void take_frame(struct pcap *pcap, const char *bytes, size_t len)
{
    char out[FRAME_HEADER_LEN + PCAP_DHCP_LEN];
    const char *frame = bytes + FRAME_HEADER_LEN;
    size_t skip = vnet_header_len(frame, len - FRAME_HEADER_LEN, pcap->mac);
    size_t left = len - FRAME_HEADER_LEN - skip;
    frame += skip;
    bool dhcp = is_dhcp(frame, left);
    size_t most = dhcp ? PCAP_DHCP_LEN : PCAP_OTHER_LEN;
    uint32_t captured = (uint32_t)(left < most ? left : most);
    uint32_t whole = number_at(bytes + CAPTURED_LEN_AT + sizeof(captured));
    whole = whole > skip ? whole - (uint32_t)skip : captured;
    memcpy(out, bytes, CAPTURED_LEN_AT);
    memcpy(out + CAPTURED_LEN_AT, &captured, sizeof(captured));
    memcpy(out + CAPTURED_LEN_AT + sizeof(captured), &whole, sizeof(whole));
    memcpy(out + FRAME_HEADER_LEN, frame, captured);

    bool others = !dhcp && is_broadcast_of_others(frame, left, pcap->mac);
    size_t *part = others                      ? &pcap->others_written
                   : is_ipv4(frame, left, TCP) ? &pcap->tcp_written
                                               : NULL;
    size_t limit = others ? PCAP_OTHERS_LIMIT : PCAP_TCP_LIMIT;
    size_t size = FRAME_HEADER_LEN + captured;
    bool room = pcap->written + size <= PCAP_LIMIT && (part == NULL || *part + size <= limit);
    if (pcap->broken || !room || !put(pcap, out, size)) {
        pcap->dropped++;
        return;
    }
    pcap->kept++;
    if (part != NULL)
        *part += size;
}

/* ---- the stream ---- */

/* Takes what is complete. */
static void take_pending(struct pcap *pcap)
{
    const char *at = buf_text(&pcap->pending);
    size_t left = pcap->pending.len;
    if (!pcap->has_header && left >= FILE_HEADER_LEN) {
        pcap->has_header = put(pcap, at, FILE_HEADER_LEN);
        at += FILE_HEADER_LEN;
        left -= FILE_HEADER_LEN;
    }
    while (pcap->has_header && left >= FRAME_HEADER_LEN) {
        size_t captured = number_at(at + CAPTURED_LEN_AT);
        if (captured > LONGEST_FRAME) {
            pcap->broken = true; /* no capture: where the next frame begins is not known */
            left = 0;
            break;
        }
        size_t len = FRAME_HEADER_LEN + captured;
        if (left < len)
            break;
        take_frame(pcap, at, len);
        at += len;
        left -= len;
    }
    buf_consume(&pcap->pending, pcap->pending.len - left);
}

/* True while there may be more. */
static bool take_chunk(struct pcap *pcap)
{
    char chunk[CHUNK];
    ssize_t got = read(pcap->in_fd, chunk, sizeof(chunk));
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            loop_unwatch(pcap->loop, &pcap->watch);
        return false;
    }
    if (pcap->broken)
        return true; /* the VMM must not be held up by a full pipe */
    buf_add(&pcap->pending, chunk, (size_t)got);
    take_pending(pcap);
    return true;
}

static void on_frames(void *ctx, uint32_t events)
{
    (void)events;
    (void)take_chunk(ctx);
}

int pcap_start(struct pcap *pcap, struct loop *loop, int fd, const uint8_t mac[static 6],
               const char *path, struct err *err)
{
    *pcap = (struct pcap){.loop = loop, .in_fd = fd, .out_fd = -1};
    memcpy(pcap->mac, mac, sizeof(pcap->mac));
    buf_init(&pcap->pending, PENDING_LIMIT);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    pcap->out_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (pcap->out_fd < 0)
        return err_sys(err, errno, "cannot create %s", path);
    pcap->watch = (struct loop_watch){.fd = fd, .on_ready = on_frames, .ctx = pcap};
    loop_watch(loop, &pcap->watch, EPOLLIN);
    return 0;
}

void pcap_drain(struct pcap *pcap)
{
    enum { MOST_CHUNKS = 64 }; /* of a VMM that still writes */
    for (int i = 0; pcap->in_fd >= 0 && i < MOST_CHUNKS && take_chunk(pcap); i++)
        ;
}

void pcap_stop(struct pcap *pcap)
{
    pcap_drain(pcap);
    if (pcap->loop != NULL)
        loop_unwatch(pcap->loop, &pcap->watch);
    auto_fd_release(&pcap->in_fd);
    auto_fd_release(&pcap->out_fd);
    pcap->in_fd = pcap->out_fd = -1;
    buf_release(&pcap->pending);
}
