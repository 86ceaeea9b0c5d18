/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/record_net.h"

#include <stdlib.h>

#include "harness/base/json.h"
#include "harness/base/mem.h"

enum member_type { MEMBER_TEXT, MEMBER_FLAG, MEMBER_COUNT };

static const struct {
    const char *key;
    enum member_type type;
    size_t offset;
} MEMBERS[] = {
    {"bridge", MEMBER_TEXT, offsetof(struct record_net, bridge)},
    {"bridge_up", MEMBER_FLAG, offsetof(struct record_net, bridge_up)},
    {"tap", MEMBER_TEXT, offsetof(struct record_net, tap)},
    {"vnet_hdr", MEMBER_FLAG, offsetof(struct record_net, vnet_hdr)},
    {"neighbour_mac", MEMBER_TEXT, offsetof(struct record_net, neighbour_mac)},
    {"foreign_mac", MEMBER_TEXT, offsetof(struct record_net, foreign_mac)},
    {"own_answered", MEMBER_FLAG, offsetof(struct record_net, own_answered)},
    {"answered_before_start", MEMBER_FLAG, offsetof(struct record_net, answered_before_start)},
    {"frames_kept", MEMBER_COUNT, offsetof(struct record_net, frames_kept)},
    {"frames_dropped", MEMBER_COUNT, offsetof(struct record_net, frames_dropped)},
};
enum { N_MEMBERS = sizeof(MEMBERS) / sizeof(MEMBERS[0]) };

static const char ADDRESSES[] = "bridge_addresses";

static void *place(const struct record_net *net, size_t i)
{
    return (char *)net + MEMBERS[i].offset;
}

void record_net_init(struct record_net *net)
{
    *net = (struct record_net){0};
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (MEMBERS[i].type == MEMBER_FLAG)
            *(int *)place(net, i) = RECORD_UNKNOWN;
        else if (MEMBERS[i].type == MEMBER_COUNT)
            *(int64_t *)place(net, i) = RECORD_UNKNOWN;
}

void record_net_release(struct record_net *net)
{
    for (size_t i = 0; i < N_MEMBERS; i++)
        if (MEMBERS[i].type == MEMBER_TEXT)
            free(*(char **)place(net, i));
    for (size_t i = 0; i < net->n_bridge_addresses; i++)
        free(net->bridge_addresses[i]);
    *net = (struct record_net){0};
}

static int load_flag(int *ret, const json_t *object, const char *key, const char *name,
                     struct err *err)
{
    bool value = false;
    if (json_get_bool(object, key, name, &value, err) != 0)
        return -1;
    const json_t *member = json_object_get(object, key);
    if (member != NULL && !json_is_null(member))
        *ret = value;
    return 0;
}

static int load_addresses(struct record_net *net, const json_t *object, const char *name,
                          struct err *err)
{
    const json_t *list = NULL;
    if (json_get_array(object, ADDRESSES, name, &list, err) != 0)
        return -1;
    net->has_bridge_addresses = list != NULL;
    for (size_t i = 0; i < json_array_size(list) && i < RECORD_MOST_BRIDGE_ADDRESSES; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL)
            return err_set(err, "%s: \"%s\": expected strings", name, ADDRESSES);
        net->bridge_addresses[net->n_bridge_addresses++] = mem_strdup(text);
    }
    return 0;
}

int record_net_load(struct record_net *net, const json_t *object, const char *name, struct err *err)
{
    static const int64_t max_count = 1LL << 53;
    if (object == NULL)
        return 0;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const char *key = MEMBERS[i].key;
        int result = 0;
        if (MEMBERS[i].type == MEMBER_TEXT)
            result = json_get_text(object, key, name, place(net, i), err);
        else if (MEMBERS[i].type == MEMBER_FLAG)
            result = load_flag(place(net, i), object, key, name, err);
        else
            result = json_get_int(object, key, name, 0, max_count, place(net, i), err);
        if (result != 0)
            return -1;
    }
    return load_addresses(net, object, name, err);
}

static json_t *flag_json(int flag)
{
    return flag < 0 ? json_null() : json_boolean(flag);
}

static json_t *addresses_json(const struct record_net *net)
{
    if (!net->has_bridge_addresses)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < net->n_bridge_addresses; i++)
        json_array_append_new(list, json_text(net->bridge_addresses[i]));
    return list;
}

json_t *record_net_json(const struct record_net *net)
{
    json_t *object = json_object();
    bool known = net->has_bridge_addresses;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        json_t *value = MEMBERS[i].type == MEMBER_TEXT ? json_text(*(char **)place(net, i))
                        : MEMBERS[i].type == MEMBER_FLAG
                            ? flag_json(*(int *)place(net, i))
                            : json_number_or_null(*(int64_t *)place(net, i));
        known |= !json_is_null(value);
        json_object_set_new(object, MEMBERS[i].key, value);
    }
    json_object_set_new(object, ADDRESSES, addresses_json(net));
    if (known)
        return object;
    json_decref(object);
    return NULL;
}
