/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/arrivals.h"

#include <stdbool.h>

#include "harness/base/mem.h"

/* Digits and the byte `stop` behind them; numbers up to 2^53, as in JSON, can be added without
 * care. */
static bool take_number(const char **at, char stop, uint64_t *ret)
{
    static const uint64_t most = 1ULL << 53;
    const char *digit = *at;
    uint64_t number = 0;
    for (; *digit >= '0' && *digit <= '9' && number <= most; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    if (digit == *at || *digit != stop || number > most)
        return false;
    *at = digit + 1;
    *ret = number;
    return true;
}

struct record_time *arrivals_parse(const char *text, size_t *ret_n)
{
    struct record_time *times = NULL;
    size_t n = 0, cap = 0;
    uint64_t offset, at_ms;
    while (take_number(&text, ' ', &offset) && take_number(&text, '\n', &at_ms)) {
        if (n > 0 && (offset < times[n - 1].offset || (int64_t)at_ms < times[n - 1].at_ms))
            break;
        times = mem_grow(times, n, &cap, sizeof(*times));
        times[n++] = (struct record_time){.offset = offset, .at_ms = (int64_t)at_ms};
    }
    *ret_n = n;
    return times;
}

size_t arrivals_close_gap(struct record_time *times, size_t n, uint64_t gap, uint64_t dropped)
{
    const uint64_t gap_end = gap + dropped;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct record_time time = times[i];
        bool in_gap = time.offset >= gap && time.offset < gap_end;
        bool last_in_gap = i + 1 == n || times[i + 1].offset > gap_end;
        if (in_gap && !last_in_gap)
            continue;
        if (time.offset >= gap)
            time.offset = in_gap ? gap : time.offset - dropped;
        times[kept++] = time;
    }
    return kept;
}

int64_t arrivals_find(const struct record_time *times, size_t n, uint64_t offset)
{
    size_t low = 0, high = n; /* the last entry with .offset <= offset is at low - 1 */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? times[low - 1].at_ms : -1;
}
