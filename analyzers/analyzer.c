/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/analyzer.h"

extern const struct analyzer analyzer_kernel, analyzer_rootfs, analyzer_init, analyzer_network,
    analyzer_supervisor, analyzer_agent, analyzer_death, analyzer_vmm, analyzer_host,
    analyzer_probe;

/* From the host to the port, as the layers of the catalogue. */
static const struct analyzer *const table[] = {
    &analyzer_host,    &analyzer_vmm,        &analyzer_kernel, &analyzer_rootfs, &analyzer_init,
    &analyzer_network, &analyzer_supervisor, &analyzer_agent,  &analyzer_death,  &analyzer_probe,
};

const struct analyzer *const *analyzers_all(size_t *ret_n)
{
    *ret_n = sizeof(table) / sizeof(table[0]);
    return table;
}
