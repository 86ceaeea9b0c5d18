/* SPDX-License-Identifier: Apache-2.0 */
/* A shortened label is a head, an ellipsis and a tail; comparing is by those two. */
#include "analyzers/unit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzers/chars.h"

enum { HEAD_MIN = 8 }; /* so many bytes of a head tell units apart without their tail */

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* "vm-b...vice - VM Browser OAuth Agent": the tail's first word must end the unit's name. */
static bool tail_fits(const char *tail, const struct service *service)
{
    const char *dash = strstr(tail, " - ");
    size_t name = dash != NULL ? (size_t)(dash - tail) : strlen(tail);
    size_t unit = strlen(service->unit);
    if (name == 0 || name > unit || strncmp(service->unit + unit - name, tail, name) != 0)
        return false;
    const char *description = service->description != NULL ? service->description : "";
    return dash == NULL || strncmp(dash + 3, description, strlen(description)) == 0;
}

static bool head_fits(const char *head, size_t len, const char *full)
{
    return strncmp(head, full, min_size(len, strlen(full))) == 0;
}

bool unit_is_service(const char *label, const struct service *service)
{
    size_t unit_len = strlen(service->unit);
    const char *description = service->description != NULL ? service->description : "";
    size_t description_len = strlen(description);
    const char *cut = strstr(label, ELLIPSIS);
    if (cut == NULL) {
        if (strncmp(label, service->unit, unit_len) == 0)
            return label[unit_len] == '\0' || strncmp(label + unit_len, " - ", 3) == 0;
        return description_len > 0 && strncmp(label, description, description_len) == 0;
    }
    size_t head = (size_t)(cut - label);
    if (head == 0)
        return false;
    if (head >= HEAD_MIN && description_len > 0 && head_fits(label, head, description))
        return true;
    if (!head_fits(label, head, service->unit))
        return false;
    return head >= HEAD_MIN || tail_fits(cut + strlen(ELLIPSIS), service);
}

/* Length of what both surely show: up to the first ellipsis of either. */
static size_t common_head(const char *left, const char *right)
{
    const char *left_cut = strstr(left, ELLIPSIS), *right_cut = strstr(right, ELLIPSIS);
    size_t n = min_size(left_cut != NULL ? (size_t)(left_cut - left) : strlen(left),
                        right_cut != NULL ? (size_t)(right_cut - right) : strlen(right));
    return strncmp(left, right, n) == 0 ? n : 0;
}

bool unit_same(const char *left, const char *right)
{
    const char *left_cut = strstr(left, ELLIPSIS), *right_cut = strstr(right, ELLIPSIS);
    if (left_cut == NULL && right_cut == NULL)
        return strcmp(left, right) == 0;
    const char *left_tail = left_cut != NULL ? left_cut + strlen(ELLIPSIS) : left;
    const char *right_tail = right_cut != NULL ? right_cut + strlen(ELLIPSIS) : right;
    size_t left_len = strlen(left_tail), right_len = strlen(right_tail);
    size_t n = min_size(left_len, right_len);
    bool same_tail = memcmp(left_tail + left_len - n, right_tail + right_len - n, n) == 0;
    return common_head(left, right) > 0 && same_tail;
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

enum { EXIT_SETUP_FIRST = 200, EXIT_EXEC = 203, EXIT_SETUP_LAST = 243 };

static const struct {
    const char *status, *meaning;
} exits[] = {
    {"200", "its working directory does not exist or may not be entered"},
    {"203", "its program could not be executed"},
    {"208", "its standard input could not be set up"},
    {"209", "its standard output could not be set up"},
    {"216", "its group does not exist"},
    {"217", "its user does not exist"},
    {"226", "its mount namespace could not be set up (a path of its sandbox is missing)"},
    {"233", "its runtime directory could not be made"},
    {"238", "its state directory could not be made"},
    {"126", "a program may not be executed"},
    {"127", "a program was not found"},
    {"4/ILL", "illegal instruction"},
    {"6/ABRT", "it aborted itself"},
    {"9/KILL", "something killed it"},
    {"11/SEGV", "segmentation fault"},
    {"7/BUS", "bus error"},
};

bool unit_exit_is_setup(const char *status)
{
    char *end;
    long number = strtol(status, &end, 10);
    bool is_number = is_digit(status[0]) && (*end == '\0' || *end == '/');
    return is_number && number >= EXIT_SETUP_FIRST && number <= EXIT_SETUP_LAST &&
           number != EXIT_EXEC;
}

const char *unit_exit_meaning(const char *status)
{
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        size_t n = strlen(exits[i].status);
        if (strncmp(status, exits[i].status, n) == 0 && (status[n] == '\0' || status[n] == '/'))
            return exits[i].meaning;
    }
    return NULL;
}
