/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/stow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

#include "harness/base/auto.h"
#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/json.h"
#include "harness/base/mem.h"

enum { CHUNK = 1 << 17, LEVEL = 3 };

static const char TEMPORARY[] = ".preserve-";

void stow_stamp(const char *at, char ret_stamp[static CLOCK_TEXT_SIZE])
{
    (void)snprintf(ret_stamp, CLOCK_TEXT_SIZE, "%s", at);
    for (char *c = ret_stamp; *c != '\0'; c++)
        if (*c == ':' || *c == '.')
            *c = '-';
}

char *stow_name(const char *vm_id, const char *kind, const char *at, const char *suffix)
{
    char stamp[CLOCK_TEXT_SIZE];
    stow_stamp(at, stamp);
    return mem_printf("%s-%s-%s%s", vm_id, kind, stamp, suffix);
}

static void encoder_release(ZSTD_CCtx **encoder)
{
    ZSTD_freeCCtx(*encoder);
}

/* One piece through the encoder; `end`: the last one. */
static int encode(ZSTD_CCtx *encoder, ZSTD_inBuffer in, bool end, int to, const char *name,
                  struct err *err)
{
    auto_free char *encoded = mem_calloc(CHUNK, 1);
    size_t left;
    do {
        ZSTD_outBuffer out = {.dst = encoded, .size = CHUNK};
        left = ZSTD_compressStream2(encoder, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, "cannot compress %s: %s", name, ZSTD_getErrorName(left));
        if (fd_write_all(to, encoded, out.pos, name, err) != 0)
            return -1;
    } while (end ? left > 0 : in.pos < in.size);
    return 0;
}

/* `from` -1: nothing, an empty file. */
static int pour(int from, int to, bool compress, const char *name, struct err *err)
{
    ZSTD_CCtx *encoder __attribute__((cleanup(encoder_release))) = NULL;
    if (compress) {
        encoder = ZSTD_createCCtx();
        (void)ZSTD_CCtx_setParameter(encoder, ZSTD_c_compressionLevel, LEVEL);
        (void)ZSTD_CCtx_setParameter(encoder, ZSTD_c_checksumFlag, 1);
    }
    auto_free char *chunk = mem_calloc(CHUNK, 1);
    ssize_t got = 0;
    while (from >= 0 && (got = read(from, chunk, CHUNK)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, errno, "cannot read the copy for %s", name);
        ZSTD_inBuffer in = {.src = chunk, .size = (size_t)got};
        if (compress ? encode(encoder, in, false, to, name, err) != 0
                     : fd_write_all(to, chunk, (size_t)got, name, err) != 0)
            return -1;
    }
    return compress ? encode(encoder, (ZSTD_inBuffer){0}, true, to, name, err) : 0;
}

/* What a file of the archive is made of. */
struct content {
    int from; /* poured; -1: nothing */
    bool compress;
    const struct buf *text; /* or this */
};

static int place(const char *dir, const char *name, const struct content *content, struct err *err)
{
    auto_free char *hidden = mem_printf("%s%s", TEMPORARY, name);
    auto_free char *temporary = path_join(dir, hidden);
    auto_free char *path = path_join(dir, name);
    auto_fd int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (to < 0)
        return err_sys(err, errno, "cannot write %s", path);
    int result = content->text != NULL
                     ? fd_write_all(to, content->text->data, content->text->len, path, err)
                     : pour(content->from, to, content->compress, path, err);
    if (result == 0 && (fsync(to) != 0 || rename(temporary, path) != 0))
        result = err_sys(err, errno, "cannot write %s", path);
    if (result != 0)
        (void)unlink(temporary);
    return result;
}

static int place_log(const struct spool *spool, enum spool_log log, const char *kind,
                     const char *dir, bool compress, struct err *err)
{
    auto_free char *copy = spool_path(spool, log);
    auto_fd int from = open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0 && errno != ENOENT)
        return err_sys(err, errno, "cannot read %s", copy);
    auto_free char *name =
        stow_name(spool->vm_id, kind, spool->ended_at, compress ? ".log.zst" : ".log");
    return place(dir, name, &(struct content){.from = from, .compress = compress}, err);
}

static json_t *copy_facts(const struct spool_copy *copy)
{
    return json_pack("{s:I, s:I, s:i, s:i}", "bytes", (json_int_t)copy->size, "dropped_bytes",
                     (json_int_t)copy->dropped, "truncations", copy->truncations, "replacements",
                     copy->replacements);
}

static int place_facts(const struct spool *spool, const char *dir, struct err *err)
{
    json_auto_t *boot = record_json(&spool->record);
    const struct spool_copy *console = &spool->copies[SPOOL_CONSOLE];
    json_object_set_new(boot, "console",
                        json_pack("{s:I, s:I}", "bytes", (json_int_t)console->size, "dropped_bytes",
                                  (json_int_t)console->dropped));
    json_object_set_new(boot, "preserved",
                        json_pack("{s:s, s:o, s:o}", "ended_at", spool->ended_at, "console",
                                  copy_facts(console), "error",
                                  copy_facts(&spool->copies[SPOOL_ERROR])));
    auto_buf struct buf text;
    buf_init(&text, SIZE_MAX);
    char *dumped = json_dumps(boot, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    buf_add_text(&text, dumped != NULL ? dumped : "{}");
    buf_add_char(&text, '\n');
    free(dumped);
    auto_free char *name = stow_name(spool->vm_id, "boot", spool->ended_at, ".json");
    return place(dir, name, &(struct content){.from = -1, .text = &text}, err);
}

int stow(const struct spool *spool, const char *dir, bool compress, struct err *err)
{
    if (place_facts(spool, dir, err) != 0 ||
        place_log(spool, SPOOL_ERROR, "error", dir, compress, err) != 0 ||
        place_log(spool, SPOOL_CONSOLE, "console", dir, compress, err) != 0)
        return -1;
    auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return err_sys(err, errno, "cannot sync %s", dir);
    return 0;
}

void stow_clean(const char *dir)
{
    auto_dir DIR *entries = opendir(dir);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, TEMPORARY, sizeof(TEMPORARY) - 1) == 0)
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
}
