/* SPDX-License-Identifier: Apache-2.0 */
/* A VMM's capture comes through a pipe, in pieces of any size, and stays a small, whole capture. */
#include "tests/support.h"

#include "harness/base/loop.h"
#include "harness/pcap.h"

enum { HEADER_LEN = 24, FRAME_HEADER_LEN = 16, FRAME_LEN = 60 };

enum kind { KIND_ARP, KIND_TCP, KIND_UDP };

static const uint8_t GUEST[] = {0x02, 0xfc, 0xc0, 0xa8, 0x64, 0x32};

struct rig {
    char *dir, *path;
    struct loop *loop;
    struct pcap pcap;
    int in; /* where the VMM would write */
};

static void open_rig(struct rig *rig, void *dir)
{
    int ends[2];
    struct err err = {0};
    *rig = (struct rig){.dir = dir, .loop = loop_new()};
    rig->path = path_join(dir, "net.pcap");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    rig->in = ends[1];
    if (pcap_start(&rig->pcap, rig->loop, ends[0], GUEST, rig->path, &err) != 0)
        fail_msg("%s", err.message);
}

/* Returns the file's content, owned by the caller. */
static char *close_rig(struct rig *rig, size_t *ret_len)
{
    struct buf content;
    buf_init(&content, 0);
    (void)close(rig->in);
    pcap_stop(&rig->pcap);
    pcap_stop(&rig->pcap);
    assert_int_equal(file_read(rig->path, 1 << 20, &content, NULL), 0);
    loop_free(rig->loop);
    free(rig->path);
    *ret_len = content.len;
    return buf_steal(&content);
}

static void put_header(struct buf *to)
{
    static const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 128, 1};
    buf_add(to, (const char *)header, sizeof(header));
}

static void put_frame(struct buf *to, enum kind kind, uint32_t captured)
{
    const uint32_t header[] = {1, 2, captured, 1500};
    char frame[FRAME_LEN] = {0};
    memcpy(frame + 6, GUEST, sizeof(GUEST));
    frame[12] = 0x08;
    frame[13] = kind == KIND_ARP ? 0x06 : 0x00;
    frame[14 + 9] = kind == KIND_TCP ? 6 : 17;
    buf_add(to, (const char *)header, sizeof(header));
    buf_add(to, frame, captured < FRAME_LEN ? captured : FRAME_LEN);
}

static void feed(struct rig *rig, const struct buf *bytes, size_t step)
{
    for (size_t at = 0; at < bytes->len; at += step) {
        size_t n = bytes->len - at < step ? bytes->len - at : step;
        assert_int_equal(write(rig->in, bytes->data + at, n), n);
        pcap_drain(&rig->pcap);
    }
}

static void a_capture_passes_unchanged(void **state)
{
    static const size_t steps[] = {1, 7, 24, 1000};
    for (size_t i = 0; i < N_ROWS(steps); i++) {
        struct rig rig;
        auto_buf struct buf given;
        buf_init(&given, 1 << 20);
        put_header(&given);
        put_frame(&given, KIND_ARP, FRAME_LEN);
        put_frame(&given, KIND_TCP, FRAME_LEN);
        put_frame(&given, KIND_UDP, 5);
        put_frame(&given, KIND_UDP, 0);
        open_rig(&rig, *state);
        feed(&rig, &given, steps[i]);
        assert_int_equal(rig.pcap.kept, 4);
        size_t len;
        auto_free char *got = close_rig(&rig, &len);
        assert_int_equal(len, given.len);
        assert_memory_equal(got, given.data, len);
    }
}

/* Ten refused health checks a second crowd nobody out. */
static void tcp_leaves_room_for_what_comes_late(void **state)
{
    enum { MANY = 2000 };
    struct rig rig;
    open_rig(&rig, *state);
    for (int i = 0; i < MANY; i++) {
        auto_buf struct buf given;
        buf_init(&given, 1 << 20);
        if (i == 0)
            put_header(&given);
        put_frame(&given, KIND_TCP, FRAME_LEN);
        if (i % 100 == 99)
            put_frame(&given, KIND_ARP, FRAME_LEN);
        feed(&rig, &given, given.len);
    }
    int64_t of_tcp = PCAP_TCP_LIMIT / (FRAME_HEADER_LEN + FRAME_LEN);
    assert_int_equal(rig.pcap.kept, of_tcp + MANY / 100);
    assert_int_equal(rig.pcap.dropped, MANY - of_tcp);
    size_t len;
    auto_free char *got = close_rig(&rig, &len);
    assert_int_equal(len, HEADER_LEN + (of_tcp + MANY / 100) * (FRAME_HEADER_LEN + FRAME_LEN));
    assert_int_equal(got[len - FRAME_LEN + 13], 0x06); /* the last frame is ARP */
}

/* virtio 1.2, 5.1.6; the flags and lengths that a guest's TCP and a broadcast have. */
static const char VNET_TCP[12] = {1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 1, 0};
static const char VNET_PLAIN[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
static const char ETHER_FROM_GUEST[14] = "\xff\xff\xff\xff\xff\xff\x02\xfc\xc0\xa8\x64\x32\x08\x06";
static const char ETHER_TO_GUEST[14] = "\x02\xfc\xc0\xa8\x64\x32\x52\x54\0\0\0\1\x08\0";
static const char ETHER_BROADCAST[14] = "\xff\xff\xff\xff\xff\xff\x52\x54\0\0\0\1\x08\x06";

/* With a header of QEMU's in front, of either size, or without: the file has the frame alone. */
static void vnet_headers_are_left_out(void **state)
{
    static const struct {
        const char *vnet;
        size_t vnet_len;
        const char *ether;
    } rows[] = {
        {VNET_TCP, 12, ETHER_FROM_GUEST},   {VNET_TCP, 12, ETHER_TO_GUEST},
        {VNET_TCP, 10, ETHER_TO_GUEST},     {VNET_PLAIN, 12, ETHER_FROM_GUEST},
        {VNET_PLAIN, 12, ETHER_BROADCAST},  {VNET_PLAIN, 10, ETHER_BROADCAST},
        {VNET_PLAIN, 10, ETHER_FROM_GUEST}, {VNET_PLAIN, 0, ETHER_FROM_GUEST},
        {VNET_PLAIN, 0, ETHER_BROADCAST},   {VNET_PLAIN, 0, ETHER_TO_GUEST},
    };
    static const char payload[50] = "x";
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct rig rig;
        auto_buf struct buf given;
        buf_init(&given, 1 << 20);
        put_header(&given);
        uint32_t captured = (uint32_t)(rows[i].vnet_len + 14 + sizeof(payload));
        const uint32_t header[] = {1, 2, captured, captured + 7};
        buf_add(&given, (const char *)header, sizeof(header));
        buf_add(&given, rows[i].vnet, rows[i].vnet_len);
        buf_add(&given, rows[i].ether, 14);
        buf_add(&given, payload, sizeof(payload));
        open_rig(&rig, *state);
        feed(&rig, &given, given.len);
        size_t len;
        auto_free char *got = close_rig(&rig, &len);
        uint32_t lengths[2];
        assert_int_equal(len, HEADER_LEN + FRAME_HEADER_LEN + 14 + sizeof(payload));
        memcpy(lengths, got + HEADER_LEN + 8, sizeof(lengths));
        assert_int_equal(lengths[0], 14 + sizeof(payload));
        assert_int_equal(lengths[1], 14 + sizeof(payload) + 7);
        assert_memory_equal(got + HEADER_LEN + FRAME_HEADER_LEN, rows[i].ether, 14);
    }
}

/* DHCP's options stand far behind the headers; of everything else the headers are enough. */
static void of_dhcp_more_is_kept(void **state)
{
    static const struct {
        unsigned char protocol, port;
        size_t kept;
    } rows[] = {{17, 67, 590}, {17, 68, 590}, {17, 53, PCAP_OTHER_LEN}, {6, 67, PCAP_OTHER_LEN}};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        struct rig rig;
        auto_buf struct buf given;
        buf_init(&given, 1 << 20);
        put_header(&given);
        const uint32_t header[] = {1, 2, 590, 590};
        char frame[590] = {0};
        memcpy(frame, ETHER_TO_GUEST, 14);
        frame[14] = 0x45;
        frame[23] = (char)rows[i].protocol;
        frame[37] = (char)rows[i].port;
        buf_add(&given, (const char *)header, sizeof(header));
        buf_add(&given, frame, sizeof(frame));
        open_rig(&rig, *state);
        feed(&rig, &given, given.len);
        size_t len;
        auto_free char *got = close_rig(&rig, &len);
        assert_int_equal(len, HEADER_LEN + FRAME_HEADER_LEN + rows[i].kept);
        assert_non_null(got);
    }
}

/* QEMU's user-mode network asks for the guest at every attempt to reach it; a bridge may carry the
 * broadcasts of hundreds of others. */
static void others_leave_room_for_the_guest(void **state)
{
    enum { MANY = 3000 };
    struct rig rig;
    auto_buf struct buf given;
    buf_init(&given, 1 << 20);
    put_header(&given);
    open_rig(&rig, *state);
    for (int i = 0; i < MANY; i++) {
        const uint32_t header[] = {1, 2, FRAME_LEN, FRAME_LEN};
        char frame[FRAME_LEN] = {0};
        memcpy(frame, ETHER_BROADCAST, sizeof(ETHER_BROADCAST));
        buf_add(&given, (const char *)header, sizeof(header));
        buf_add(&given, frame, sizeof(frame));
        feed(&rig, &given, given.len);
        buf_clear(&given);
    }
    int64_t of_others = PCAP_OTHERS_LIMIT / (FRAME_HEADER_LEN + FRAME_LEN);
    assert_int_equal(rig.pcap.kept, of_others);
    put_frame(&given, KIND_ARP, FRAME_LEN);
    put_frame(&given, KIND_TCP, FRAME_LEN);
    feed(&rig, &given, given.len);
    assert_int_equal(rig.pcap.kept, of_others + 2);
    size_t len;
    auto_free char *got = close_rig(&rig, &len);
    assert_non_null(got);
}

static void a_flood_is_bounded(void **state)
{
    enum { MANY = 4000 };
    struct rig rig;
    auto_buf struct buf given;
    buf_init(&given, 1 << 20);
    put_header(&given);
    open_rig(&rig, *state);
    for (int i = 0; i < MANY; i++) {
        put_frame(&given, KIND_ARP, FRAME_LEN);
        feed(&rig, &given, given.len);
        buf_clear(&given);
    }
    assert_int_equal(rig.pcap.kept + rig.pcap.dropped, MANY);
    size_t len;
    auto_free char *got = close_rig(&rig, &len);
    assert_true(len <= PCAP_LIMIT);
    assert_true(len > PCAP_LIMIT - FRAME_HEADER_LEN - FRAME_LEN);
    assert_non_null(got);
}

/* Half a frame at the end, or a length that no frame has: what is whole is kept, nothing else. */
static void what_is_no_frame_is_not_written(void **state)
{
    static const uint32_t lengths[] = {FRAME_LEN + 1, 5000, 0xffffffff, 0x80000000};
    for (size_t i = 0; i < N_ROWS(lengths); i++) {
        struct rig rig;
        auto_buf struct buf given;
        buf_init(&given, 1 << 20);
        put_header(&given);
        put_frame(&given, KIND_ARP, FRAME_LEN);
        size_t whole = given.len;
        put_frame(&given, KIND_ARP, lengths[i]);
        open_rig(&rig, *state);
        feed(&rig, &given, 11);
        size_t len;
        auto_free char *got = close_rig(&rig, &len);
        assert_int_equal(len, whole);
        assert_memory_equal(got, given.data, len);
    }
}

/* A VMM must not wait for a reader that has given up. */
static void garbage_is_read_to_its_end(void **state)
{
    struct rig rig;
    char garbage[8192];
    memset(garbage, 0xff, sizeof(garbage));
    open_rig(&rig, *state);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(write(rig.in, garbage, sizeof(garbage)), sizeof(garbage));
        pcap_drain(&rig.pcap);
    }
    size_t len;
    auto_free char *got = close_rig(&rig, &len);
    assert_int_equal(len, HEADER_LEN);
    assert_non_null(got);
}

static void one_that_was_never_started_can_be_stopped(void **state)
{
    (void)state;
    struct pcap pcap = PCAP_INIT;
    pcap_drain(&pcap);
    pcap_stop(&pcap);
    pcap_stop(&pcap);
}

static void a_file_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct pcap pcap = PCAP_INIT;
    struct err err = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct loop *loop = loop_new();
    assert_int_equal(pcap_start(&pcap, loop, ends[0], GUEST, "/proc/none/net.pcap", &err), -1);
    assert_non_null(strstr(err.message, "cannot create /proc/none/net.pcap"));
    pcap_stop(&pcap);
    loop_free(loop);
    (void)close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        dir_test(a_capture_passes_unchanged),
        dir_test(tcp_leaves_room_for_what_comes_late),
        dir_test(vnet_headers_are_left_out),
        dir_test(of_dhcp_more_is_kept),
        dir_test(others_leave_room_for_the_guest),
        dir_test(a_flood_is_bounded),
        dir_test(what_is_no_frame_is_not_written),
        dir_test(garbage_is_read_to_its_end),
        cmocka_unit_test(one_that_was_never_started_can_be_stopped),
        cmocka_unit_test(a_file_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests_name("pcap", tests, NULL, NULL);
}
