/* SPDX-License-Identifier: Apache-2.0 */
/* The first member names the kind; a table says what else a change of that kind has. */
#include "harness/fault_change.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST_PATH = 1000,
    GARBAGE = 0x5a,
    DEFAULT_MODE = 0644,
    DEFAULT_FOLDER_MODE = 0755,
    MAX_MODE = 07777,
    MAX_NUMBER = 1 << 30,
};

enum member_type {
    MEMBER_TEXT,
    MEMBER_LINK,
    MEMBER_FILE,
    MEMBER_MODE,
    MEMBER_PART,
    MEMBER_BYTE,
    MEMBER_NUMBER,
};

struct member {
    const char *name; /* NULL ends the list */
    enum member_type type;
    size_t offset;
    bool optional;
};

#define AT(field) offsetof(struct fault_change, field)

static const struct {
    const char *name;
    struct member others[5];
} KINDS[] = {
    [CHANGE_REMOVE] = {"remove", {{0}}},
    [CHANGE_WRITE] = {"write",
                      {{"file", MEMBER_FILE, AT(file), false},
                       {"mode", MEMBER_MODE, AT(mode), true}}},
    [CHANGE_EDIT] = {"edit",
                     {{"replace", MEMBER_TEXT, AT(replace), false},
                      {"by", MEMBER_TEXT, AT(by), false}}},
    [CHANGE_APPEND] = {"append", {{"text", MEMBER_TEXT, AT(text), false}}},
    [CHANGE_SYMLINK] = {"symlink", {{"to", MEMBER_LINK, AT(to), false}}},
    [CHANGE_CHMOD] = {"chmod", {{"mode", MEMBER_MODE, AT(mode), false}}},
    [CHANGE_CHOWN] = {"chown",
                      {{"uid", MEMBER_NUMBER, AT(uid), false},
                       {"gid", MEMBER_NUMBER, AT(gid), false}}},
    [CHANGE_MKDIR] = {"mkdir", {{"mode", MEMBER_MODE, AT(mode), true}}},
    [CHANGE_FILL] = {"fill", {{"leave_kib", MEMBER_NUMBER, AT(leave_kib), false}}},
    [CHANGE_DAMAGE] = {"damage",
                       {{"part", MEMBER_PART, AT(part), false},
                        {"block", MEMBER_NUMBER, AT(block), true},
                        {"with", MEMBER_BYTE, AT(with), true}}},
};
enum { N_KINDS = sizeof(KINDS) / sizeof(KINDS[0]) };

static const char *const PARTS[] = {
    [PART_CONTENT] = "content",
    [PART_INODE] = "inode",
    [PART_SUPERBLOCK] = "superblock",
    [PART_DESCRIPTORS] = "descriptors",
};
enum { N_PARTS = sizeof(PARTS) / sizeof(PARTS[0]) };

/* What debugfs's command lines can carry between double quotes. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f || strchr("\"'\\", *text) != NULL)
            return false;
    return true;
}

/* Absolute, with no empty, "." or ".." component and no '/' at its end. */
static bool is_guest_path(const char *path)
{
    if (path[0] != '/' || strlen(path) > LONGEST_PATH || !is_plain(path))
        return false;
    while (*path == '/') {
        size_t len = strcspn(++path, "/");
        if (len == 0 || (len <= 2 && strspn(path, ".") >= len))
            return false;
        path += len;
    }
    return true;
}

static bool is_file_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL && is_plain(name);
}

/* The octal digits of a mode, as in "0755"; -1 if it is none. */
static int parse_mode(const char *text)
{
    char *end;
    size_t digits = strspn(text, "01234567");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return -1;
    long mode = strtol(text, &end, 8);
    return mode <= MAX_MODE ? (int)mode : -1;
}

static int parse_part(const char *text)
{
    for (int part = 0; part < N_PARTS; part++)
        if (strcmp(PARTS[part], text) == 0)
            return part;
    return -1;
}

static int parse_byte(const char *text)
{
    if (strcmp(text, "garbage") == 0)
        return GARBAGE;
    return strcmp(text, "zeros") == 0 ? 0 : -1;
}

/* What is wrong with the text, or NULL. */
static const char *complaint(enum member_type type, const char *text)
{
    switch (type) {
    case MEMBER_LINK:
        return text[0] != '\0' && strlen(text) <= LONGEST_PATH && is_plain(text)
                   ? NULL
                   : "expected a plain path";
    case MEMBER_FILE:
        return is_file_name(text) ? NULL : "expected the plain name of a file beside fault.json";
    case MEMBER_MODE:
        return parse_mode(text) >= 0 ? NULL : "expected octal permission bits, as in \"0755\"";
    case MEMBER_PART:
        return parse_part(text) >= 0 ? NULL : "expected content, inode, superblock or descriptors";
    case MEMBER_BYTE:
        return parse_byte(text) >= 0 ? NULL : "expected garbage or zeros";
    case MEMBER_TEXT:
    case MEMBER_NUMBER:
        return NULL;
    }
    return NULL;
}

static int set_number(int *ret, const struct member *member, const json_t *value, const char *where,
                      struct err *err)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number < 0 || number > MAX_NUMBER)
        return err_set(err, "%s: \"%s\": expected a number from 0 to %d", where, member->name,
                       MAX_NUMBER);
    *ret = (int)number;
    return 0;
}

static int set_text(void *ret, const struct member *member, const json_t *value, const char *where,
                    struct err *err)
{
    const char *text = json_string_value(value);
    if (text == NULL)
        return err_set(err, "%s: \"%s\": expected a string", where, member->name);
    if (strlen(text) != json_string_length(value))
        return err_set(err, "%s: \"%s\": a NUL character is not allowed", where, member->name);
    const char *wrong = complaint(member->type, text);
    if (wrong != NULL)
        return err_set(err, "%s: \"%s\": %s, got \"%.60s\"", where, member->name, wrong, text);
    if (member->type == MEMBER_MODE)
        *(int *)ret = parse_mode(text);
    else if (member->type == MEMBER_PART)
        *(int *)ret = parse_part(text);
    else if (member->type == MEMBER_BYTE)
        *(int *)ret = parse_byte(text);
    else
        *(const char **)ret = text;
    return 0;
}

static int set_member(struct fault_change *change, const struct member *member, const json_t *value,
                      const char *where, struct err *err)
{
    void *place = (char *)change + member->offset;
    if (member->type == MEMBER_NUMBER)
        return set_number(place, member, value, where, err);
    return set_text(place, member, value, where, err);
}

static int find_kind(const json_t *value, enum fault_change_kind *ret_kind)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (json_object_get(value, KINDS[i].name) != NULL) {
            *ret_kind = (enum fault_change_kind)i;
            return 0;
        }
    return -1;
}

static int refuse_unknown(const json_t *value, enum fault_change_kind kind, const char *where,
                          struct err *err)
{
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)value, key, member) {
        bool known = strcmp(key, KINDS[kind].name) == 0;
        for (const struct member *other = KINDS[kind].others; other->name != NULL; other++)
            known |= strcmp(key, other->name) == 0;
        if (!known)
            return err_set(err, "%s: \"%.60s\" is not a member of a \"%s\" change", where, key,
                           KINDS[kind].name);
    }
    return 0;
}

static int refuse_kind(const char *where, struct err *err)
{
    char known[200] = "";
    for (size_t i = 0, len = 0; i < N_KINDS; i++)
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s\"%s\"",
                                i == 0            ? ""
                                : i + 1 < N_KINDS ? ", "
                                                  : " or ",
                                KINDS[i].name);
    return err_set(err, "%s: expected an object with %s", where, known);
}

static int set_others(struct fault_change *change, const json_t *value, const char *where,
                      struct err *err)
{
    for (const struct member *member = KINDS[change->kind].others; member->name != NULL; member++) {
        const json_t *other = json_object_get(value, member->name);
        if (other == NULL && member->optional)
            continue;
        if (other == NULL)
            return err_set(err, "%s: \"%s\" is missing", where, member->name);
        if (set_member(change, member, other, where, err) != 0)
            return -1;
    }
    return 0;
}

/* A superblock belongs to no file, so "/" stands for the image there. */
static int check_path(const struct fault_change *change, const char *where, struct err *err)
{
    assert(change->path != NULL); /* every kind has one, and it was read */
    bool is_root = strcmp(change->path, "/") == 0;
    if (change->kind == CHANGE_DAMAGE && is_root)
        return 0;
    if (change->kind == CHANGE_DAMAGE && change->part >= PART_SUPERBLOCK)
        return err_set(err, "%s: \"damage\": expected \"/\" with \"part\": \"%s\", got \"%.60s\"",
                       where, PARTS[change->part], change->path);
    if (is_guest_path(change->path))
        return 0;
    return err_set(err, "%s: \"%s\": expected an absolute, plain path, got \"%.60s\"", where,
                   KINDS[change->kind].name, change->path);
}

int fault_change_parse(struct fault_change *ret_change, const json_t *value, size_t index,
                       const char *name, struct err *err)
{
    struct fault_change change = {0};
    char where[300];
    (void)snprintf(where, sizeof(where), "%.250s: \"changes\", number %zu", name, index + 1);
    if (!json_is_object(value) || find_kind(value, &change.kind) != 0)
        return refuse_kind(where, err);
    change.with = GARBAGE;
    change.mode = change.kind == CHANGE_MKDIR ? DEFAULT_FOLDER_MODE : DEFAULT_MODE;
    const struct member path = {KINDS[change.kind].name, MEMBER_TEXT, AT(path), false};
    if (set_member(&change, &path, json_object_get(value, path.name), where, err) != 0 ||
        refuse_unknown(value, change.kind, where, err) != 0 ||
        set_others(&change, value, where, err) != 0 || check_path(&change, where, err) != 0)
        return -1;
    if (change.kind == CHANGE_EDIT && change.replace != NULL && change.replace[0] == '\0')
        return err_set(err, "%s: \"replace\": expected a text that is not empty", where);
    *ret_change = change;
    return 0;
}

bool fault_change_is_last(const struct fault_change *change)
{
    return change->kind == CHANGE_FILL || change->kind == CHANGE_DAMAGE;
}
