/* SPDX-License-Identifier: Apache-2.0 */
/* record_net: the member "net" of boot.json. */
#ifndef BOOTDIAG_RECORD_NET_H
#define BOOTDIAG_RECORD_NET_H

#include <jansson.h>

#include "harness/base/err.h"
#include "harness/record.h"

void record_net_init(struct record_net *net);
void record_net_release(struct record_net *net);

/* Takes what `object` has (NULL: nothing); `name` is its file, for messages. */
int record_net_load(struct record_net *net, const json_t *object, const char *name,
                    struct err *err);

/* A new object; NULL if nothing at all is known. */
json_t *record_net_json(const struct record_net *net);

#endif
