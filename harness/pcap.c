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
    CAPTURED_LEN_AT = 8,  /* in a frame's header */
    LONGEST_FRAME = 4096, /* far more than the snap length asks for */
    ETHERNET_LEN = 14,
};

/* Of the VMM's own byte order, which is ours. */
static uint32_t number_at(const char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof(number));
    return number;
}

static bool is_tcp(const char *frame, size_t len)
{
    static const char ipv4[] = {0x08, 0x00};
    enum { TYPE_AT = 12, PROTOCOL_AT = ETHERNET_LEN + 9, TCP = 6 };
    return len > PROTOCOL_AT && memcmp(frame + TYPE_AT, ipv4, sizeof(ipv4)) == 0 &&
           frame[PROTOCOL_AT] == TCP;
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

static void take_frame(struct pcap *pcap, const char *bytes, size_t len)
{
    bool tcp = is_tcp(bytes + FRAME_HEADER_LEN, len - FRAME_HEADER_LEN);
    bool room =
        pcap->written + len <= PCAP_LIMIT && (!tcp || pcap->tcp_written + len <= PCAP_TCP_LIMIT);
    if (pcap->broken || !room || !put(pcap, bytes, len)) {
        pcap->dropped++;
        return;
    }
    pcap->kept++;
    if (tcp)
        pcap->tcp_written += len;
}

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

int pcap_start(struct pcap *pcap, struct loop *loop, int fd, const char *path, struct err *err)
{
    *pcap = (struct pcap){.loop = loop, .in_fd = fd, .out_fd = -1};
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
