/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t text_utf8_char(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (len == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    size_t want = b[0] >= 0xc2 && b[0] <= 0xdf   ? 2
                  : (b[0] & 0xf0) == 0xe0        ? 3
                  : b[0] >= 0xf0 && b[0] <= 0xf4 ? 4
                                                 : 0;
    if (want == 0 || want > len)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool surrogate = b[0] == 0xed && b[1] > 0x9f;
    bool beyond = b[0] == 0xf4 && b[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : want;
}

size_t text_utf8_valid(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t n = text_utf8_char(bytes + at, len - at);
        if (n == 0)
            break;
        at += n;
    }
    return at;
}

/* C1 controls are two bytes in UTF-8 and move a terminal's cursor as well as ESC does. */
/* Format characters of Unicode that turn or hide the text around them: zero width and direction
 * marks (U+200B-200F, 202A-202E, 2060-206F), U+FEFF, and tags (U+E0000-E007F). */
static bool is_invisible(const char *bytes, size_t n)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (n == 4)
        return b[0] == 0xf3 && b[1] == 0xa0 && b[2] <= 0x81;
    if (b[0] == 0xef)
        return b[1] == 0xbb && b[2] == 0xbf;
    if (b[0] != 0xe2)
        return false;
    if (b[1] == 0x80)
        return (b[2] >= 0x8b && b[2] <= 0x8f) || (b[2] >= 0xaa && b[2] <= 0xae);
    return b[1] == 0x81 && b[2] >= 0xa0 && b[2] <= 0xaf;
}

static bool shows(const char *bytes, size_t n)
{
    unsigned char first = (unsigned char)bytes[0];
    if (n == 1)
        return first == '\t' || (first >= 0x20 && first != 0x7f);
    if (n == 2)
        return first != 0xc2 || (unsigned char)bytes[1] >= 0xa0; /* C1 */
    return !is_invisible(bytes, n);
}

size_t text_printable(char *ret_text, size_t size, const char *bytes, size_t len)
{
    size_t used = 0;
    for (size_t at = 0; at < len && size > 0;) {
        size_t n = text_utf8_char(bytes + at, len - at);
        if (n > 0 && shows(bytes + at, n)) {
            if (used + n >= size)
                break;
            memcpy(ret_text + used, bytes + at, n);
            used += n;
        } else {
            n = n > 0 ? n : 1;
            if (used + 4 * n >= size)
                break;
            for (size_t i = 0; i < n; i++)
                used += (size_t)sprintf(ret_text + used, "\\x%02x", (unsigned char)bytes[at + i]);
        }
        at += n;
    }
    if (size > 0)
        ret_text[used] = '\0';
    return used;
}
