/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/mem.h"
#include "harness/base/text.h"

enum { LEAST_WIDTH = 20, TEXT_LIMIT = 1 << 16 };

static const char ellipsis[] = "…";

const char *view_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

int64_t view_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

double view_real(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

void view_seconds(struct buf *text, int64_t ms, int digits)
{
    if (ms < 0)
        buf_add_text(text, "?");
    else
        buf_addf(text, "%.*f s", digits, (double)ms / 1000);
}

void view_percent(struct buf *text, double fraction)
{
    double percent = 100 * fraction;
    if (percent > 0 && percent < 1)
        buf_addf(text, "%.1f", percent < 0.1 ? 0.1 : percent);
    else if (percent > 99 && percent < 100)
        buf_addf(text, "%.1f", percent > 99.9 ? 99.9 : percent);
    else
        buf_addf(text, "%.0f", percent);
}

/* Harmless and on one line. Owned by the caller. */
static char *clean(const char *text)
{
    size_t len = strlen(text);
    if (len > TEXT_LIMIT)
        len = TEXT_LIMIT;
    size_t size = 4 * len + 1;
    char *printable = mem_calloc(size, 1);
    text_printable(printable, size, text, len);
    for (char *c = printable; *c != '\0'; c++)
        if (*c == '\t')
            *c = ' ';
    return printable;
}

/* Bytes of the first `columns` characters of valid UTF-8, at most all. */
static size_t prefix_bytes(const char *text, size_t columns)
{
    size_t at = 0;
    for (; columns > 0 && text[at] != '\0'; columns--) {
        size_t n = text_utf8_char(text + at, strnlen(text + at, 4));
        at += n > 0 ? n : 1;
    }
    return at;
}

static size_t count_columns(const char *text, size_t n)
{
    size_t columns = 0;
    for (size_t i = 0; i < n; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

size_t view_columns(const char *text)
{
    return count_columns(text, strlen(text));
}

void view_cell(struct buf *line, const char *text, size_t columns, bool pad)
{
    auto_free char *harmless = clean(text);
    size_t wide = view_columns(harmless);
    if (wide > columns && columns > 0) {
        buf_add(line, harmless, prefix_bytes(harmless, columns - 1));
        buf_add_text(line, ellipsis);
        wide = columns;
    } else {
        buf_add_text(line, harmless);
    }
    for (; pad && wide < columns; wide++)
        buf_add_char(line, ' ');
}

void view_put(const struct view *view, enum view_colour colour, const char *text)
{
    static const char *const codes[] = {
        [VIEW_BOLD] = "1",    [VIEW_RED] = "1;31", [VIEW_GREEN] = "32",
        [VIEW_YELLOW] = "33", [VIEW_DIM] = "2",
    };
    if (view->style->colour && colour != VIEW_PLAIN && text[0] != '\0')
        fprintf(view->out, "\033[%sm%s\033[0m", codes[colour], text);
    else
        fputs(text, view->out);
}

static size_t width_of(const struct view *view)
{
    int width = view->style->width;
    if (width <= 0)
        return SIZE_MAX;
    return width < LEAST_WIDTH ? LEAST_WIDTH : (size_t)width;
}

void view_excerpt(const struct view *view, struct buf *text, const char *line, size_t columns)
{
    view_cell(text, line, view->style->width > 0 ? columns : SIZE_MAX, false);
}

/* Bytes of the first word; a command in backquotes is one, and so is "97 %". */
static size_t word_bytes(const char *text)
{
    size_t n = strcspn(text, " ");
    if (strncmp(text + n, " %", 2) == 0)
        n += 1 + strcspn(text + n + 1, " ");
    const char *open = memchr(text, '`', n);
    const char *close = open != NULL ? strchr(open + 1, '`') : NULL;
    if (close == NULL || close < text + n)
        return n;
    n = (size_t)(close - text) + 1;
    return n + strcspn(text + n, " ");
}

/* Bytes of the words that fit into `room` columns; of the first word if not even that fits, or of
 * nothing if there is `more_room` below. */
static size_t break_line(const char *text, size_t room, bool more_room)
{
    size_t end = word_bytes(text), columns = count_columns(text, end);
    if (columns > room && more_room)
        return 0;
    while (text[end] != '\0') {
        size_t gap = strspn(text + end, " ");
        size_t word = word_bytes(text + end + gap);
        columns += count_columns(text + end, gap + word);
        if (columns > room)
            break;
        end += gap + word;
    }
    return end;
}

static void put_spaces(const struct view *view, size_t n)
{
    while (n-- > 0)
        fputc(' ', view->out);
}

/* `used`: columns of the first line that are taken. */
static void put_wrapped(const struct view *view, const struct view_shape *shape, const char *text,
                        size_t used)
{
    size_t width = width_of(view), hang = (size_t)shape->hang;
    if (hang + LEAST_WIDTH / 2 > width)
        hang = (size_t)shape->indent + 2;
    bool narrow = used > hang && used + LEAST_WIDTH / 2 > width;
    size_t room = narrow ? 0 : width - used;
    bool more_room = used > hang;
    while (*text != '\0') {
        size_t n = break_line(text, room, more_room);
        auto_free char *piece = mem_strndup(text, n);
        view_put(view, shape->text_colour, piece);
        text += n;
        text += strspn(text, " ");
        room = width - hang;
        more_room = false;
        if (*text != '\0') {
            fputc('\n', view->out);
            put_spaces(view, hang);
        }
    }
    fputc('\n', view->out);
}

void view_paragraph(const struct view *view, const struct view_shape *shape, const char *label,
                    const char *text)
{
    auto_buf struct buf head;
    buf_init(&head, SIZE_MAX);
    view_cell(&head, label, SIZE_MAX, false);
    auto_free char *harmless = clean(text);
    size_t used = (size_t)shape->indent + view_columns(buf_text(&head));
    put_spaces(view, (size_t)shape->indent);
    view_put(view, shape->label_colour, buf_text(&head));
    put_wrapped(view, shape, harmless, used);
}

void view_line(const struct view *view, enum view_colour colour, const char *text)
{
    view_paragraph(view, &(struct view_shape){.hang = 2, .text_colour = colour}, "", text);
}

void view_verbatim(const struct view *view, const char *label, const char *text)
{
    auto_free char *harmless = clean(text);
    view_put(view, VIEW_BOLD, label);
    fprintf(view->out, "%s\n", harmless);
}

void view_shell_word(struct buf *command, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=+@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        buf_add_text(command, word);
        return;
    }
    buf_add_char(command, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_add_text(command, "'\\''");
        else
            buf_add_char(command, *word);
    }
    buf_add_char(command, '\'');
}

int view_written(FILE *out, struct err *err)
{
    errno = 0;
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    return err_sys(err, errno != 0 ? errno : EIO, "cannot write the report");
}
