/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/speaker.h"

#include <string.h>

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

enum speaker speaker_of_layer(const char *rule_id)
{
    if (begins(rule_id, "kernel."))
        return SPEAKER_EARLY;
    return begins(rule_id, "init.") ? SPEAKER_SYSTEMD : SPEAKER_ANYONE;
}

static bool is_kernel(const struct line *line)
{
    return line->source == LINE_KERNEL ||
           (line->source == LINE_JOURNAL && strcmp(line->ident, "kernel") == 0);
}

/* A child of systemd speaks as "(name)" until it executes its program. */
static bool is_systemd(const struct line *line)
{
    static const char *const names[] = {"systemd", "(", "init", "kernel", "sulogin", "dracut"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (begins(line->ident, names[i]))
            return true;
    return false;
}

bool speaker_may_say(enum speaker speaker, const struct line *line)
{
    switch (speaker) {
    case SPEAKER_KERNEL:
        return is_kernel(line) || (line->source == LINE_BARE && !line->kernel_stamped);
    case SPEAKER_EARLY:
        return is_kernel(line) || line->source == LINE_BARE;
    case SPEAKER_SYSTEMD:
        return line->source != LINE_JOURNAL || is_systemd(line);
    case SPEAKER_OF_LAYER:
    case SPEAKER_ANYONE:
        break;
    }
    return true;
}
