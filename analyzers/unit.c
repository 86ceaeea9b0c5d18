/* SPDX-License-Identifier: Apache-2.0 */
/* A shortened text is a head, an ellipsis and a tail; comparing is by those two. */
#include "analyzers/unit.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "analyzers/chars.h"

enum { HEAD_MIN = 8 }; /* so many bytes of a head tell units apart without their tail */

struct part {
    const char *text;
    size_t len; /* 0: not shown */
};

/* A text, or the two ends of a shortened one. */
struct ends {
    struct part head, tail;
    bool cut;
};

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct ends ends_of(struct part part)
{
    size_t n = strlen(ELLIPSIS);
    const char *cut = memmem(part.text, part.len, ELLIPSIS, n);
    if (cut == NULL)
        return (struct ends){part, part, false};
    size_t head = (size_t)(cut - part.text);
    return (struct ends){{part.text, head}, {cut + n, part.len - head - n}, true};
}

static bool same_start(struct part left, struct part right)
{
    return memcmp(left.text, right.text, min_size(left.len, right.len)) == 0;
}

static bool same_end(struct part left, struct part right)
{
    size_t n = min_size(left.len, right.len);
    return memcmp(left.text + left.len - n, right.text + right.len - n, n) == 0;
}

/* An end that is only the ellipsis says nothing; of two such ends, something must be left. */
static bool can_be_same(struct part left, struct part right)
{
    struct ends a = ends_of(left), b = ends_of(right);
    if (!a.cut && !b.cut)
        return left.len == right.len && memcmp(left.text, right.text, left.len) == 0;
    if ((!a.cut && b.head.len + b.tail.len > left.len) ||
        (!b.cut && a.head.len + a.tail.len > right.len))
        return false;
    bool shown = min_size(a.head.len, b.head.len) > 0;
    return shown && same_start(a.head, b.head) && same_end(a.tail, b.tail);
}

static bool has_unit_suffix(struct part part)
{
    static const char *const suffixes[] = {".service", ".target",    ".mount", ".socket",
                                           ".device",  ".timer",     ".swap",  ".path",
                                           ".slice",   ".automount", ".scope"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (ends_in(part.text, part.len, suffixes[i]))
            return true;
    return false;
}

struct label {
    struct part whole, name, description;
};

static struct label take_apart(const char *text)
{
    struct label label = {.whole = {text, strlen(text)}};
    const char *dash = strstr(text, " - ");
    struct part before = {text, dash != NULL ? (size_t)(dash - text) : label.whole.len};
    bool one_word = memchr(text, ' ', before.len) == NULL;
    bool is_name = one_word && (has_unit_suffix(before) || ends_of(before).cut);
    if (!is_name) {
        label.description = label.whole;
        return label;
    }
    label.name = before;
    if (dash != NULL)
        label.description = (struct part){dash + 3, strlen(dash + 3)};
    return label;
}

bool unit_same(const char *left, const char *right)
{
    struct label a = take_apart(left), b = take_apart(right);
    if (can_be_same(a.whole, b.whole))
        return true;
    bool names = a.name.len > 0 && b.name.len > 0;
    bool descriptions = a.description.len > 0 && b.description.len > 0;
    if (names && !can_be_same(a.name, b.name))
        return false;
    if (descriptions && !can_be_same(a.description, b.description))
        return false;
    return names || descriptions;
}

int unit_name_len(const char *label)
{
    struct label parts = take_apart(label);
    return (int)(parts.name.len > 0 ? parts.name.len : parts.whole.len);
}

static struct part part_of(const char *text)
{
    return (struct part){text, text != NULL ? strlen(text) : 0};
}

/* "vm-b...vice - VM Browser OAuth Agent": what follows the ellipsis must end the unit's name, and
 * the description, of which the service knows the start, must be its own. */
static bool tail_fits(struct part tail, const struct service *service)
{
    const char *dash = memmem(tail.text, tail.len, " - ", 3);
    struct part unit = part_of(service->unit), description = part_of(service->description);
    struct part name = {tail.text, dash != NULL ? (size_t)(dash - tail.text) : tail.len};
    if (name.len == 0 || name.len > unit.len || !same_end(name, unit))
        return false;
    if (dash == NULL || description.len == 0)
        return true;
    struct part shown = {dash + 3, tail.len - name.len - 3};
    return same_start(ends_of(shown).head, description);
}

/* A long head is enough, unless what follows the ellipsis ends another unit's name. */
static bool cut_name_fits(struct ends cut, const struct service *service)
{
    bool shows_name =
        memmem(cut.tail.text, cut.tail.len, " - ", 3) != NULL || has_unit_suffix(cut.tail);
    if (cut.head.len == 0 || cut.head.len > strlen(service->unit) ||
        !same_start(cut.head, part_of(service->unit)))
        return false;
    return cut.head.len >= HEAD_MIN && !shows_name ? true : tail_fits(cut.tail, service);
}

bool unit_is_service(const char *label, const struct service *service)
{
    struct part whole = part_of(label), unit = part_of(service->unit);
    struct part description = part_of(service->description);
    struct ends ends = ends_of(whole);
    size_t shown = min_size(ends.head.len, description.len);
    bool described = description.len > 0 && memcmp(label, description.text, shown) == 0;
    if (!ends.cut) {
        if (whole.len >= unit.len && memcmp(label, unit.text, unit.len) == 0)
            return whole.len == unit.len || strncmp(label + unit.len, " - ", 3) == 0;
        return described && whole.len >= description.len;
    }
    if (described && ends.head.len >= HEAD_MIN)
        return true;
    /* The name is whole and the description shortened, or even the dash before it. */
    if (ends.head.len >= unit.len && memcmp(label, unit.text, unit.len) == 0)
        return memcmp(label + unit.len, " - ", min_size(3, ends.head.len - unit.len)) == 0;
    return cut_name_fits(ends, service);
}

bool unit_is_network(const char *label)
{
    static const char *const words[] = {"wait-online",
                                        "wait for network",
                                        "network-online",
                                        "it for network",
                                        "networking",
                                        "network interfaces",
                                        "networkd.",
                                        "networkmanager",
                                        "network is online",
                                        "ifup@",
                                        "dhcp"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasestr(label, words[i]) != NULL)
            return true;
    return false;
}
