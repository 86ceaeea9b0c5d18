/* SPDX-License-Identifier: Apache-2.0 */
/*
 * film: synthetic captures for tests, built byte by byte after pcap-savefile(5), RFC 826 (ARP), 791
 * (IPv4), 792 (ICMP), 793 (TCP) and 2131 (DHCP). Checksums are left out: nobody looks at them.
 */
#ifndef BOOTDIAG_TESTS_FILM_H
#define BOOTDIAG_TESTS_FILM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/buf.h"

#define MAC_GUEST "\x02\xfc\xc0\xa8\x64\x05"
#define MAC_HOST  "\x5a\x5d\x7d\x65\x7e\xaa"
#define MAC_OTHER "\x02\xfc\x00\x00\x00\x99"
#define MAC_ALL   "\xff\xff\xff\xff\xff\xff"

/* 192.168.100.5, .1, .94; 10.9.8.7 */
enum { IP_PLANNED = 0xc0a86405, IP_HOST = 0xc0a86401, IP_STRAY = 0xc0a8645e, IP_FAR = 0x0a090807 };
enum { FILM_START = 1762462024 }; /* 2025-11-06T20:47:04Z */

struct film {
    struct buf buf;
    uint32_t ms;     /* of the next frame, since FILM_START */
    size_t snap_len; /* of each frame; 0: whole */
    size_t vnet_hdr; /* zero bytes before each frame */
    bool swapped, nanoseconds;
};

static inline void film_file32(struct film *film, uint32_t value)
{
    uint32_t number = film->swapped ? __builtin_bswap32(value) : value;
    buf_add(&film->buf, (const char *)&number, sizeof(number));
}

static inline void film_start(struct film *film)
{
    buf_init(&film->buf, 4 << 20);
    film_file32(film, film->nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    film_file32(film, 0x00040002);
    film_file32(film, 0);
    film_file32(film, 0);
    film_file32(film, 65535);
    film_file32(film, 1);
}

static inline void film_frame(struct film *film, const char *bytes, size_t len)
{
    static const char zeros[16];
    size_t whole = len + film->vnet_hdr;
    size_t kept = film->snap_len > 0 && whole > film->snap_len ? film->snap_len : whole;
    film_file32(film, FILM_START + film->ms / 1000);
    film_file32(film, film->ms % 1000 * (film->nanoseconds ? 1000 * 1000 : 1000));
    film_file32(film, (uint32_t)kept);
    film_file32(film, (uint32_t)whole);
    buf_add(&film->buf, zeros, film->vnet_hdr);
    buf_add(&film->buf, bytes, kept - film->vnet_hdr);
}

static inline void put16(struct buf *buf, unsigned value)
{
    buf_add_char(buf, (char)(value >> 8));
    buf_add_char(buf, (char)value);
}

static inline void put32(struct buf *buf, uint32_t value)
{
    put16(buf, value >> 16);
    put16(buf, value & 0xffff);
}

static inline void put_zeros(struct buf *buf, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_char(buf, '\0');
}

/* `op`: 1 asks, 2 answers. */
static inline void film_arp(struct film *film, const char *from, const char *to, unsigned op,
                            uint32_t sender, uint32_t target)
{
    auto_buf struct buf frame;
    buf_init(&frame, 2048);
    buf_add(&frame, to, 6);
    buf_add(&frame, from, 6);
    put16(&frame, 0x0806);
    put16(&frame, 1);
    put16(&frame, 0x0800);
    put16(&frame, 0x0604);
    put16(&frame, op);
    buf_add(&frame, from, 6);
    put32(&frame, sender);
    put_zeros(&frame, 6);
    put32(&frame, target);
    film_frame(film, frame.data, frame.len);
}

static inline void film_ip(struct film *film, const char *from_mac, const char *to_mac,
                           unsigned protocol, uint32_t from, uint32_t to, const struct buf *payload)
{
    auto_buf struct buf frame;
    buf_init(&frame, 2048);
    buf_add(&frame, to_mac, 6);
    buf_add(&frame, from_mac, 6);
    put16(&frame, 0x0800);
    put16(&frame, 0x4500);
    put16(&frame, (unsigned)(20 + payload->len));
    put32(&frame, 0);
    buf_add_char(&frame, 64);
    buf_add_char(&frame, (char)protocol);
    put16(&frame, 0);
    put32(&frame, from);
    put32(&frame, to);
    buf_add(&frame, payload->data, payload->len);
    film_frame(film, frame.data, frame.len);
}

/* `type` as in RFC 2132, 9.6; `address` is what the server gives. */
static inline void film_dhcp(struct film *film, int type, const char *client, uint32_t address)
{
    bool asks = type == 1 || type == 3 || type == 4;
    auto_buf struct buf udp;
    buf_init(&udp, 2048);
    put16(&udp, asks ? 68 : 67);
    put16(&udp, asks ? 67 : 68);
    put32(&udp, 0);
    buf_add_char(&udp, asks ? 1 : 2);
    buf_add(&udp, "\x01\x06", 2);
    put_zeros(&udp, 13);
    put32(&udp, asks ? 0 : address);
    put_zeros(&udp, 8);
    buf_add(&udp, client, 6);
    put_zeros(&udp, 10 + 64 + 128);
    buf_add(&udp, "\x63\x82\x53\x63\x00\x35\x01", 7);
    buf_add_char(&udp, (char)type);
    buf_add_char(&udp, (char)0xff);
    film_ip(film, asks ? client : MAC_HOST, asks ? MAC_ALL : client, 17, asks ? 0 : IP_HOST,
            asks ? 0xffffffff : IP_PLANNED, &udp);
}

/* `flags`: 2 SYN, 4 RST, 16 ACK. */
static inline void film_tcp(struct film *film, const char *from_mac, uint32_t from, unsigned port,
                            uint32_t to, unsigned to_port, int flags, size_t n_data)
{
    auto_buf struct buf tcp;
    buf_init(&tcp, 2048);
    put16(&tcp, port);
    put16(&tcp, to_port);
    put_zeros(&tcp, 8);
    buf_add_char(&tcp, 0x50);
    buf_add_char(&tcp, (char)flags);
    put_zeros(&tcp, 6 + n_data);
    film_ip(film, from_mac, MAC_GUEST, 6, from, to, &tcp);
}

static inline void film_syn(struct film *film)
{
    film_tcp(film, MAC_HOST, IP_HOST, 51000, IP_PLANNED, 8080, 2, 0);
}

/* The guest says that `code` keeps a packet from getting through. */
static inline void film_unreachable(struct film *film, int code)
{
    auto_buf struct buf icmp;
    buf_init(&icmp, 2048);
    buf_add_char(&icmp, 3);
    buf_add_char(&icmp, (char)code);
    put_zeros(&icmp, 6 + 28);
    film_ip(film, MAC_GUEST, MAC_HOST, 1, IP_PLANNED, IP_HOST, &icmp);
}

#endif
