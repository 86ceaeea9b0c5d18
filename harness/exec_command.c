/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/exec_command.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/mem.h"
#include "harness/base/words.h"

static const char *const NAMES[EXEC_N_PLACES] = {
    [EXEC_DIR] = "dir",
    [EXEC_ID] = "id",
    [EXEC_PORT] = "port",
    [EXEC_TAP] = "tap",
    [EXEC_MAC] = "mac",
    [EXEC_ADDRESS] = "address",
    [EXEC_KERNEL] = "kernel",
    [EXEC_INITRD] = "initrd",
    [EXEC_ROOTFS] = "rootfs",
    [EXEC_CMDLINE] = "cmdline",
    [EXEC_MEMORY_MIB] = "memory_mib",
    [EXEC_VCPUS] = "vcpus",
};

/* A piece of a word: literal text, or the name of a placeholder. */
struct piece {
    const char *text;
    size_t len;
    bool is_name;
};

/* Length of the name that stands in braces at `at`, or 0. */
static size_t name_len(const char *at)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = *at == '{' ? strspn(at + 1, letters) : 0;
    return len > 0 && at[1 + len] == '}' ? len : 0;
}

/* Cuts the next piece off `*at`; false at the end of the word. */
static bool next_piece(const char **at, struct piece *ret_piece)
{
    const char *start = *at;
    size_t name = name_len(start);
    if (*start == '\0')
        return false;
    if (name > 0) {
        *ret_piece = (struct piece){.text = start + 1, .len = name, .is_name = true};
        *at = start + name + 2;
    } else if (start[0] == '{' && start[1] == '{') {
        *ret_piece = (struct piece){.text = start, .len = 1};
        *at = start + 2;
    } else {
        size_t len = 1 + strcspn(start + 1, "{");
        *ret_piece = (struct piece){.text = start, .len = len};
        *at = start + len;
    }
    return true;
}

/* EXEC_N_PLACES if there is no such placeholder. */
static enum exec_place find_place(const struct piece *name)
{
    int i = 0;
    while (i < EXEC_N_PLACES &&
           (strlen(NAMES[i]) != name->len || memcmp(NAMES[i], name->text, name->len) != 0))
        i++;
    return (enum exec_place)i;
}

static int refuse_unknown(const struct target *target, const struct piece *name, struct err *err)
{
    auto_buf struct buf known;
    buf_init(&known, SIZE_MAX);
    for (int i = 0; i < EXEC_N_PLACES; i++)
        buf_addf(&known, "%s{%s}", i > 0 ? " " : "", NAMES[i]);
    return err_set(err,
                   "%s: \"exec\": there is no placeholder {%.*s}; there are %s; write {{ for a "
                   "brace",
                   target->path != NULL ? target->path : "target",
                   name->len < 40 ? (int)name->len : 40, name->text, buf_text(&known));
}

/* The member of the target that must be set for the placeholder, if it is not; else NULL. */
static const char *lacking(const struct target *target, enum exec_place place)
{
    const struct {
        enum exec_place place;
        bool is_there;
        const char *remedy;
    } needs[] = {
        {EXEC_TAP, strcmp(target->network, "tap") == 0, "set \"network\" to \"tap\""},
        {EXEC_KERNEL, target->kernel != NULL, "set \"kernel\""},
        {EXEC_INITRD, target->initrd != NULL, "set \"initrd\""},
        {EXEC_ROOTFS, target->rootfs != NULL, "set \"rootfs\""},
        {EXEC_CMDLINE, target->cmdline != NULL, "set \"cmdline\""},
    };
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (needs[i].place == place && !needs[i].is_there)
            return needs[i].remedy;
    return NULL;
}

static int check_name(const struct target *target, const struct piece *name, struct err *err)
{
    enum exec_place place = find_place(name);
    if (place == EXEC_N_PLACES)
        return refuse_unknown(target, name, err);
    const char *remedy = lacking(target, place);
    if (remedy == NULL)
        return 0;
    return err_set(err, "%s: \"exec\": the target has nothing for {%s}; %s",
                   target->path != NULL ? target->path : "target", NAMES[place], remedy);
}

int exec_command_check(const struct target *target, struct err *err)
{
    struct piece piece;
    for (char *const *word = target->exec + 1; *word != NULL; word++)
        for (const char *at = *word; next_piece(&at, &piece);)
            if (piece.is_name && check_name(target, &piece, err) != 0)
                return -1;
    return 0;
}

bool exec_command_uses(const struct target *target, enum exec_place place)
{
    struct piece piece;
    for (char *const *word = target->exec + 1; *word != NULL; word++)
        for (const char *at = *word; next_piece(&at, &piece);)
            if (piece.is_name && find_place(&piece) == place)
                return true;
    return false;
}

/* Owned by the caller. */
static char *expand(const char *word, const char *const values[EXEC_N_PLACES])
{
    struct piece piece;
    auto_buf struct buf text;
    buf_init(&text, SIZE_MAX);
    while (next_piece(&word, &piece)) {
        enum exec_place place = piece.is_name ? find_place(&piece) : EXEC_N_PLACES;
        if (!piece.is_name)
            buf_add(&text, piece.text, piece.len);
        else if (place != EXEC_N_PLACES && values[place] != NULL)
            buf_add_text(&text, values[place]);
    }
    return buf_steal(&text);
}

char **exec_command_argv(const struct target *target, const char *const values[EXEC_N_PLACES])
{
    size_t n = 0;
    while (target->exec[n] != NULL)
        n++;
    char **argv = mem_calloc(n + 1, sizeof(*argv));
    argv[0] = mem_strdup(target->exec[0]);
    for (size_t i = 1; i < n; i++)
        argv[i] = expand(target->exec[i], values);
    return argv;
}
