/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/vmm_voice.h"

#include <stddef.h>
#include <string.h>

#include "analyzers/chars.h"

static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; text++, shape++)
        if (*shape == '0' ? !is_digit(*text) : *text != *shape)
            return false;
    return true;
}

bool vmm_voice(const struct line *line)
{
    static const char *const starts[] = {"qemu-system-",
                                         "Firecracker panicked at ",
                                         "Error: RunWithApi(",
                                         "Error: RunWithoutApiError(",
                                         "Error: LoggerInitialization(",
                                         "Error: ParseArguments("};
    if (line->source == LINE_KERNEL || line->source == LINE_STATUS || line->ident[0] != '\0')
        return false;
    if (has_shape(line->text, "0000-00-00T00:00:00.000000000 ["))
        return true;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (strncmp(line->text, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}
