/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass from left to right: at each place the detectors are asked in turn how many bytes to keep
 * and how many behind them to mask. Most places are rejected by their first byte.
 */
#include "harness/base/secrets.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
    MIN_TOKEN = 12, /* shortest secret behind a well-known prefix */
    MIN_RUN = 32,   /* shortest run that may be a bare secret */
    MIN_RUN_CHANGES =
        5, /* such a run changes its class of character at least every so many bytes */
    UUID_LEN = 36,
};

static const char mask[] = "***";

static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '+' || c == '/' ||
           c == '=' || c == '~';
}

static bool is_run_char(char c)
{
    return isalnum((unsigned char)c) || c == '+' || c == '=' || c == '_' || c == '-';
}

static size_t token_len(const char *text)
{
    size_t n = 0;
    while (is_token_char(text[n]))
        n++;
    return n;
}

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return !isalnum((unsigned char)text[UUID_LEN]);
}

/* A secret found: `keep` bytes stay, `hide` bytes behind them go. hide 0: nothing found. */
struct secret {
    size_t keep, hide;
};

static struct secret find_prefixed(const char *text)
{
    static const char *const prefixes[] = {
        "sk-",   "sk_live_",    "pk_live_", "rk_live_", "ghp_",    "gho_", "ghu_",
        "ghs_",  "github_pat_", "xox",      "glpat-",   "AKIA",    "ASIA", "AIza",
        "ya29.", "hf_",         "npm_",     "eyJ",      "dop_v1_",
    };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (text[0] != prefixes[i][0])
            continue;
        size_t n = strlen(prefixes[i]);
        if (strncmp(text, prefixes[i], n) != 0)
            continue;
        size_t rest = token_len(text + n);
        if (rest >= MIN_TOKEN)
            return (struct secret){n, rest};
    }
    return (struct secret){0, 0};
}

static struct secret find_bearer(const char *text)
{
    if ((text[0] != 'b' && text[0] != 'B') || strncasecmp(text, "bearer ", 7) != 0)
        return (struct secret){0, 0};
    size_t n = token_len(text + 7);
    return n >= 8 ? (struct secret){7, n} : (struct secret){0, 0};
}

/* scheme://user:password@host; the last @ counts, for a password may hold one. */
static struct secret find_url_password(const char *text)
{
    if (strncmp(text, "://", 3) != 0)
        return (struct secret){0, 0};
    size_t colon = 0, end = 0;
    for (size_t at = 3; text[at] != '\0' && strchr("/ \t\"'?", text[at]) == NULL; at++) {
        if (text[at] == ':' && colon == 0)
            colon = at + 1;
        if (text[at] == '@')
            end = at;
    }
    return colon > 0 && end > colon ? (struct secret){colon, end - colon} : (struct secret){0, 0};
}

/* curl -u user:password; not a user and group in numbers. */
static struct secret find_user_option(const char *text)
{
    size_t at = strncmp(text, "-u ", 3) == 0 ? 3 : strncmp(text, "--user ", 7) == 0 ? 7 : 0;
    if (at == 0)
        return (struct secret){0, 0};
    at += strspn(text + at, " '\"");
    at += strcspn(text + at, ": \t'\"");
    if (text[at] != ':')
        return (struct secret){0, 0};
    at++;
    size_t n = strcspn(text + at, " \t'\"");
    return strspn(text + at, "0123456789") == n ? (struct secret){0, 0} : (struct secret){at, n};
}

/* The end of a name decides: OPENAI_API_KEY, client-secret, accessToken. The first that fits is
 * taken, so longer ones come first. A header's value goes on to the end of the line. */
struct secret_name {
    const char *name;
    bool header;
};

static const struct secret_name secret_names[] = {
    {"authorization", true},   {"cookie", true},       {"password", false},
    {"passwd", false},         {"passphrase", false},  {"secret_key", false},
    {"secret-key", false},     {"secretkey", false},   {"secret", false},
    {"token", false},          {"api_key", false},     {"apikey", false},
    {"api-key", false},        {"access_key", false},  {"access-key", false},
    {"private_key", false},    {"private-key", false}, {"credential", false},
    {"credentials", false},    {"pass", false},        {"pwd", false},
    {"encryption_key", false}, {"signing_key", false},
};

static const struct secret_name *secret_name_at(const char *text)
{
    char first = (char)tolower((unsigned char)text[0]);
    for (size_t i = 0; i < sizeof(secret_names) / sizeof(secret_names[0]); i++) {
        if (first != secret_names[i].name[0])
            continue;
        size_t n = strlen(secret_names[i].name);
        if (strncasecmp(text, secret_names[i].name, n) == 0 && !isalnum((unsigned char)text[n]))
            return &secret_names[i];
    }
    return NULL;
}

/* What stands there when there is nothing to hide, and what says why it fails: an engineer needs
 * it. */
static bool is_no_secret(const char *value, size_t len)
{
    static const char *const words[] = {"<unset>", "undefined", "null",    "none",     "true",
                                        "false",   "missing",   "expired", "required", "invalid"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && strncasecmp(value, words[i], len) == 0)
            return true;
    return len == 0 || strncmp(value, mask, strlen(mask)) == 0;
}

/* Where a value ends depends on how it begins: quoted, quoted inside JSON in JSON, or bare. */
static size_t value_len(const char *value, bool header, size_t *ret_opening)
{
    size_t opening = strspn(value, "\\");
    char quote = value[opening];
    *ret_opening = quote == '"' || quote == '\'' ? opening + 1 : 0;
    const char *ends = header ? "\"" : " \t,;&\"'}])\\";
    if (*ret_opening > 0)
        ends = quote == '"' ? "\"\\" : "'\\";
    const char *from = value + *ret_opening;
    size_t n = strcspn(from, ends);
    /* An escaped character does not end what a plain quote began. */
    while (*ret_opening == 1 && from[n] == '\\' && from[n + 1] != '\0')
        n += 2 + strcspn(from + n + 2, ends);
    return n;
}

/* "is" between a name and a value, which only counts as one if it has a digit: "is required". */
static size_t is_len(const char *text)
{
    const char *value = text + 3;
    if (strncmp(text, "is ", 3) != 0)
        return 0;
    size_t n = strcspn(value, " \t,;");
    return strcspn(value, "0123456789") < n ? 3 : 0;
}

/* What stands between a name and its value; 0: this is no value. `option`: the name is --name. */
static size_t separator_len(const char *text, bool option)
{
    size_t at = strspn(text, "\\\"'");
    size_t blanks = strspn(text + at, " ");
    if (text[at + blanks] == ':' || text[at + blanks] == '=') {
        at += blanks + (strncmp(text + at + blanks, "=>", 2) == 0 ? 2 : 1); /* Ruby, PHP */
        return at + strspn(text + at, " ");
    }
    if (at > 0 || blanks == 0)
        return 0;
    size_t is = is_len(text + blanks);
    if (is > 0)
        return blanks + is;
    return option && text[blanks] != '-' ? blanks : 0;
}

/* name=value, "name": "value", name: value, name is v4lue, --name value. */
static struct secret find_named(const char *text, bool option)
{
    const struct secret_name *name = secret_name_at(text);
    if (name == NULL)
        return (struct secret){0, 0};
    size_t at = strlen(name->name);
    size_t separator = separator_len(text + at, option);
    if (separator == 0)
        return (struct secret){0, 0};
    at += separator;
    size_t opening = 0;
    size_t n = value_len(text + at, name->header, &opening);
    at += opening;
    return is_no_secret(text + at, n) ? (struct secret){0, 0} : (struct secret){at, n};
}

static int char_class(char c)
{
    return isdigit((unsigned char)c)   ? 1
           : isupper((unsigned char)c) ? 2
           : islower((unsigned char)c) ? 3
                                       : 0;
}

/* Hashes, keys, base64: long runs without the regularity of words, names and numbers. */
static bool is_random(const char *run, size_t len)
{
    size_t seen[4] = {0}, changes = 0, hex = 0;
    for (size_t i = 0; i < len; i++) {
        seen[char_class(run[i])]++;
        changes += i > 0 && char_class(run[i]) != char_class(run[i - 1]);
        hex += isxdigit((unsigned char)run[i]) != 0;
    }
    bool has_digits_and_letters = seen[1] > 2 && seen[2] + seen[3] > 2;
    if (hex == len)
        return has_digits_and_letters && changes * MIN_RUN_CHANGES >= len;
    return has_digits_and_letters && seen[0] * 8 <= len && changes * MIN_RUN_CHANGES >= len;
}

static size_t run_len(const char *text)
{
    size_t n = 0;
    while (is_run_char(text[n])) {
        bool starts_word = n == 0 || !isalnum((unsigned char)text[n - 1]);
        if (starts_word && isxdigit((unsigned char)text[n]) && is_uuid(text + n))
            break;
        n++;
    }
    return n;
}

/*
 * With which letters that begins which find_secret() knows ("://" and "-u" apart), by its first one
 * and as small ones: nearly all places of a line are rejected by their first two bytes.
 */
static const char second_letters[][8] = {
    ['a' - 'a'] = "cikpsu", ['b' - 'a'] = "e",   ['c' - 'a'] = "or",  ['d' - 'a'] = "o",
    ['e' - 'a'] = "ny",     ['g' - 'a'] = "hil", ['h' - 'a'] = "f",   ['n' - 'a'] = "p",
    ['p' - 'a'] = "akrw",   ['r' - 'a'] = "k",   ['s' - 'a'] = "eik", ['t' - 'a'] = "o",
    ['x' - 'a'] = "o",      ['y' - 'a'] = "a",   ['z' - 'a'] = "",
};

static bool may_begin_secret(const char *text)
{
    unsigned letter = (unsigned char)(text[0] | 0x20) - 'a';
    if (letter > 'z' - 'a')
        return text[0] == ':' || text[0] == '-';
    const char *letters = second_letters[letter];
    while (*letters != '\0' && *letters != (text[1] | 0x20))
        letters++;
    return *letters != '\0';
}

/* `starts_word`: no letter or digit stands before it; `option`: "--" does. */
static struct secret find_secret(const char *text, bool starts_word, bool option)
{
    if (!may_begin_secret(text))
        return (struct secret){0, 0};
    struct secret found = starts_word ? find_prefixed(text) : (struct secret){0, 0};
    if (found.hide == 0)
        found = find_bearer(text);
    if (found.hide == 0)
        found = find_url_password(text);
    if (found.hide == 0)
        found = find_user_option(text);
    if (found.hide == 0)
        found = find_named(text, option);
    return found;
}

void secrets_mask(char *text)
{
    size_t from = 0, to = 0;
    size_t run_end = 0; /* a run is judged once, at its start */
    bool in_word = false;
    while (text[from] != '\0') {
        bool option = to >= 2 && text[to - 1] == '-' && text[to - 2] == '-';
        struct secret found = find_secret(text + from, !in_word, option);
        if (found.hide == 0 && from >= run_end && is_run_char(text[from])) {
            size_t n = run_len(text + from);
            run_end = from + (n > 0 ? n : UUID_LEN);
            if (n >= MIN_RUN && is_random(text + from, n))
                found.hide = n;
        }
        in_word = isalnum((unsigned char)text[from]);
        if (found.hide == 0) {
            text[to++] = text[from++];
            continue;
        }
        memmove(text + to, text + from, found.keep);
        to += found.keep;
        from += found.keep + found.hide;
        size_t n = found.hide < strlen(mask) ? found.hide : strlen(mask);
        memcpy(text + to, mask, n);
        to += n;
        in_word = false;
    }
    text[to] = '\0';
}
