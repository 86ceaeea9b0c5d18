/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture shows. All frames here are synthetic (film.h). */
#include "tests/support.h"

#include "analyzers/frame_file.h"
#include "analyzers/frames.h"
#include "tests/film.h"

/* A record with that film, as production has it. */
static void record_with(struct record *record, const struct film *film)
{
    record_init(record);
    record->guest.mac = mem_strdup("02:fc:c0:a8:64:05");
    record->guest.expected_address = mem_strdup("192.168.100.5");
    record->started_at = mem_strdup("2025-11-06T20:47:04.000Z");
    record->ended_ms = 60000;
    record->net_pcap = (struct bytes){.data = film->buf.data, .len = film->buf.len};
}

static void record_without(struct record *record)
{
    record->net_pcap = (struct bytes){0};
    record_release(record);
}

static struct frames frames_of(struct film *film)
{
    struct record record;
    struct frames frames;
    record_with(&record, film);
    frames_read(&record, &frames);
    record_without(&record);
    return frames;
}

static void lease(struct film *film)
{
    film->ms = 5000;
    film_dhcp(film, 1, MAC_GUEST, 0);
    film_dhcp(film, 2, MAC_GUEST, IP_STRAY);
    film_dhcp(film, 3, MAC_GUEST, 0);
    film->ms = 5100;
    film_dhcp(film, 5, MAC_GUEST, IP_STRAY);
}

static void assert_lease(const struct frames *frames)
{
    assert_true(frames->readable && frames->knows_guest && frames->since_start);
    assert_int_equal(frames->n, 4);
    assert_int_equal(frames->seen[FRAME_OF_GUEST].count, 2);
    assert_int_equal(frames->seen[FRAME_DISCOVER].count, 1);
    assert_int_equal(frames->seen[FRAME_OFFER].count, 1);
    assert_int_equal(frames->seen[FRAME_REQUEST].count, 1);
    assert_int_equal(frames->seen[FRAME_ACK].count, 1);
    assert_int_equal(frames->seen[FRAME_NAK].count, 0);
    assert_int_equal(frames->seen[FRAME_DISCOVER].first_ms, 5000);
    assert_int_equal(frames->seen[FRAME_ACK].last_ms, 5100);
    assert_string_equal(frames->offered, "192.168.100.94");
}

/* In every form that a capture file may have. */
static void a_lease_is_seen(void **state)
{
    static const struct {
        size_t snap_len, vnet_hdr;
        bool swapped, nanoseconds;
    } forms[] = {
        {0, 0, false, false},  {0, 0, true, false},     {0, 0, false, true},
        {0, 0, true, true},    {0, 12, false, false},   {0, 10, false, false},
        {96, 0, false, false}, {128, 12, false, false},
    };
    (void)state;
    for (size_t i = 0; i < N_ROWS(forms); i++) {
        struct film film = {.snap_len = forms[i].snap_len,
                            .vnet_hdr = forms[i].vnet_hdr,
                            .swapped = forms[i].swapped,
                            .nanoseconds = forms[i].nanoseconds};
        film_start(&film);
        lease(&film);
        struct frames frames = frames_of(&film);
        assert_lease(&frames);
        buf_release(&film.buf);
    }
}

static void a_refusal_is_no_offer(void **state)
{
    (void)state;
    for (size_t snap_len = 0; snap_len <= 96; snap_len += 96) {
        struct film film = {.snap_len = snap_len};
        film_start(&film);
        film_dhcp(&film, 1, MAC_GUEST, 0);
        film_dhcp(&film, 6, MAC_GUEST, 0);
        struct frames frames = frames_of(&film);
        assert_int_equal(frames.seen[FRAME_DISCOVER].count, 1);
        assert_int_equal(frames.seen[FRAME_NAK].count, 1);
        assert_int_equal(frames.seen[FRAME_OFFER].count, 0);
        buf_release(&film.buf);
    }
}

/* Other VMs ask for leases on the same bridge, and are answered by broadcast. */
static void others_leases_are_not_the_guests(void **state)
{
    struct film film = {0};
    (void)state;
    film_start(&film);
    film_dhcp(&film, 1, MAC_OTHER, 0);
    film_dhcp(&film, 2, MAC_OTHER, IP_STRAY);
    struct frames frames = frames_of(&film);
    assert_int_equal(frames.n, 2);
    for (int i = 0; i < FRAME_N_KINDS; i++)
        assert_int_equal(frames.seen[i].count, 0);
    assert_string_equal(frames.offered, "");
    buf_release(&film.buf);
}

static void arp_tells_who_has_the_address(void **state)
{
    struct film film = {0};
    (void)state;
    film_start(&film);
    film_arp(&film, MAC_HOST, MAC_ALL, 1, IP_HOST, IP_PLANNED);
    film_arp(&film, MAC_GUEST, MAC_HOST, 2, IP_PLANNED, IP_HOST);
    film_arp(&film, MAC_OTHER, MAC_HOST, 2, IP_PLANNED, IP_HOST);
    film_arp(&film, MAC_GUEST, MAC_ALL, 1, IP_PLANNED, IP_HOST);
    film_arp(&film, MAC_HOST, MAC_GUEST, 2, IP_HOST, IP_PLANNED);
    struct frames frames = frames_of(&film);
    assert_int_equal(frames.seen[FRAME_WHO_HAS_GUEST].count, 1);
    assert_int_equal(frames.seen[FRAME_GUEST_IS_AT].count, 2);
    assert_int_equal(frames.seen[FRAME_OTHER_IS_AT].count, 1);
    assert_int_equal(frames.seen[FRAME_WHO_HAS_OTHER].count, 1);
    assert_int_equal(frames.seen[FRAME_TO_GUEST].count, 1);
    assert_string_equal(frames.other_mac, "02:fc:00:00:00:99");
    assert_true(frames_guest_used(&frames, "192.168.100.5"));
    assert_null(frames_other_address(&frames, "192.168.100.5"));
    buf_release(&film.buf);
}

/* A probe for an address (RFC 5227) does not use it. */
static void another_address_is_noticed(void **state)
{
    struct film film = {0};
    (void)state;
    film_start(&film);
    film_arp(&film, MAC_GUEST, MAC_ALL, 1, 0, IP_PLANNED);
    film_arp(&film, MAC_GUEST, MAC_ALL, 1, IP_STRAY, IP_HOST);
    struct frames frames = frames_of(&film);
    assert_int_equal(frames.seen[FRAME_GUEST_IS_AT].count, 0);
    assert_false(frames_guest_used(&frames, "192.168.100.5"));
    assert_string_equal(frames_other_address(&frames, "192.168.100.5"), "192.168.100.94");
    assert_string_equal(frames_other_address(&frames, NULL), "192.168.100.94");
    buf_release(&film.buf);
}

static void connections_are_told_apart(void **state)
{
    struct film film = {.snap_len = 54};
    (void)state;
    film_start(&film);
    film_syn(&film);
    film_tcp(&film, MAC_HOST, IP_HOST, 51000, IP_PLANNED, 22, 2, 0);         /* another port */
    film_tcp(&film, MAC_HOST, IP_HOST, 51000, IP_PLANNED, 8080, 16, 9);      /* no SYN */
    film_tcp(&film, MAC_GUEST, IP_PLANNED, 8080, IP_HOST, 51000, 4 | 16, 0); /* refuses */
    film_tcp(&film, MAC_GUEST, IP_PLANNED, 8080, IP_HOST, 51000, 2 | 16, 0); /* accepts */
    film_tcp(&film, MAC_GUEST, IP_PLANNED, 8080, IP_HOST, 51000, 16, 100);   /* speaks */
    film_tcp(&film, MAC_GUEST, IP_PLANNED, 5901, IP_HOST, 51000, 16, 100);   /* VNC */
    film_tcp(&film, MAC_OTHER, IP_PLANNED, 8080, IP_HOST, 51000, 2 | 16, 0); /* an impostor */
    film_unreachable(&film, 10);
    struct frames frames = frames_of(&film);
    assert_int_equal(frames.seen[FRAME_SYN].count, 1);
    assert_int_equal(frames.seen[FRAME_GUEST_RESETS].count, 1);
    assert_int_equal(frames.seen[FRAME_GUEST_ACCEPTS].count, 1);
    assert_int_equal(frames.seen[FRAME_GUEST_DATA].count, 1);
    assert_int_equal(frames.seen[FRAME_OTHER_TCP].count, 1);
    assert_int_equal(frames.seen[FRAME_REJECTED].count, 1);
    buf_release(&film.buf);
}

/* The MAC of the record first, then that of the VMM's arguments, then that of who asks for a lease.
 */
static void the_guest_is_known_by_its_mac(void **state)
{
    static char device[] = "virtio-net-pci,netdev=net,mac=02:fc:c0:a8:64:05";
    static char *argv[] = {device, NULL};
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct film film = {0};
        struct record record;
        struct frames frames;
        film_start(&film);
        if (way != 2)
            lease(&film);
        record_with(&record, &film);
        free(record.guest.mac);
        record.guest.mac = NULL;
        record.vmm.argv = way == 0 ? argv : NULL;
        frames_read(&record, &frames);
        assert_int_equal(frames.knows_guest, way != 2);
        assert_int_equal(frames.seen[FRAME_DISCOVER].count, way != 2);
        record.vmm.argv = NULL;
        record_without(&record);
        buf_release(&film.buf);
    }
}

/* A VMM may stamp frames by a clock of its own. */
static void foreign_clocks_count_from_the_first_frame(void **state)
{
    struct film film = {0};
    struct record record;
    struct frames frames;
    (void)state;
    film_start(&film);
    lease(&film);
    record_with(&record, &film);
    record.started_at[0] = '1';
    frames_read(&record, &frames);
    assert_false(frames.since_start);
    assert_int_equal(frames.seen[FRAME_DISCOVER].first_ms, 0);
    assert_int_equal(frames.seen[FRAME_ACK].first_ms, 100);
    record_without(&record);
    buf_release(&film.buf);
}

static void what_is_no_capture_is_not_read(void **state)
{
    static const char others[][24] = {"", "\n\r\r\n", "not a capture at all", "\xd4\xc3\xb2\xa1"};
    (void)state;
    for (size_t i = 0; i < N_ROWS(others); i++) {
        struct film film = {0};
        film.buf.data = (char *)(uintptr_t)others[i];
        film.buf.len = strlen(others[i]);
        struct frames frames = frames_of(&film);
        assert_false(frames.readable);
    }
}

static void other_links_are_not_read(void **state)
{
    struct film film = {0};
    (void)state;
    film_start(&film);
    film.buf.data[20] = 113; /* Linux cooked */
    lease(&film);
    struct frames frames = frames_of(&film);
    assert_false(frames.readable);
    buf_release(&film.buf);
}

/* Cut anywhere, and with any byte changed: bounded, and no byte behind the end is looked at. */
static void hostile_files_are_survived(void **state)
{
    struct film film = {0};
    (void)state;
    film_start(&film);
    lease(&film);
    film_arp(&film, MAC_GUEST, MAC_ALL, 1, IP_STRAY, IP_HOST);
    film_tcp(&film, MAC_GUEST, IP_PLANNED, 8080, IP_HOST, 51000, 16, 100);
    film_unreachable(&film, 3);
    uint32_t whole = frames_of(&film).n;
    assert_int_equal(whole, 7);
    for (size_t len = 0; len < film.buf.len; len++) {
        char *copy = mem_calloc(len + 1, 1); /* a block of its own: ASan sees every step too far */
        memcpy(copy, film.buf.data, len);
        struct film cut = {.buf = {.data = copy, .len = len}};
        assert_true(frames_of(&cut).n < whole);
        free(copy);
    }
    for (size_t i = 0; i < film.buf.len; i++)
        for (int value = 0; value < 256; value += 51) {
            char old = film.buf.data[i];
            film.buf.data[i] = (char)value;
            assert_true(frames_of(&film).n <= film.buf.len / 16);
            film.buf.data[i] = old;
        }
    buf_release(&film.buf);
}

static void a_length_beyond_the_file_ends_it(void **state)
{
    struct film film = {0};
    struct frame_file file;
    struct frame frame;
    (void)state;
    film_start(&film);
    film_arp(&film, MAC_GUEST, MAC_ALL, 1, IP_STRAY, IP_HOST);
    assert_true(frame_file_open(&file, film.buf.data, film.buf.len));
    assert_true(frame_file_next(&file, &frame));
    assert_int_equal(frame.len, 42);
    assert_false(frame_file_next(&file, &frame));
    memset(film.buf.data + 24 + 8, 0xff, 4);
    assert_true(frame_file_open(&file, film.buf.data, film.buf.len));
    assert_false(frame_file_next(&file, &frame));
    buf_release(&film.buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_seen),
        cmocka_unit_test(a_refusal_is_no_offer),
        cmocka_unit_test(others_leases_are_not_the_guests),
        cmocka_unit_test(arp_tells_who_has_the_address),
        cmocka_unit_test(another_address_is_noticed),
        cmocka_unit_test(connections_are_told_apart),
        cmocka_unit_test(the_guest_is_known_by_its_mac),
        cmocka_unit_test(foreign_clocks_count_from_the_first_frame),
        cmocka_unit_test(what_is_no_capture_is_not_read),
        cmocka_unit_test(other_links_are_not_read),
        cmocka_unit_test(hostile_files_are_survived),
        cmocka_unit_test(a_length_beyond_the_file_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
