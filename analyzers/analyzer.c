/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzers/analyzer.h"

/* One line each. */
/* clang-format off */
extern const struct analyzer analyzer_host;
extern const struct analyzer analyzer_vmm_start;
extern const struct analyzer analyzer_kernel;
extern const struct analyzer analyzer_kernel_memory;
extern const struct analyzer analyzer_kernel_root;
extern const struct analyzer analyzer_kernel_crash;
extern const struct analyzer analyzer_kernel_init;
extern const struct analyzer analyzer_kernel_silence;
extern const struct analyzer analyzer_filesystem;
extern const struct analyzer analyzer_rootfs;
extern const struct analyzer analyzer_init;
extern const struct analyzer analyzer_unit_fate;
extern const struct analyzer analyzer_network;
extern const struct analyzer analyzer_dhcp;
extern const struct analyzer analyzer_address;
extern const struct analyzer analyzer_supervisor;
extern const struct analyzer analyzer_agent_needs;
extern const struct analyzer analyzer_runtime;
extern const struct analyzer analyzer_agent_listen;
extern const struct analyzer analyzer_agent;
extern const struct analyzer analyzer_death;
extern const struct analyzer analyzer_companion;
extern const struct analyzer analyzer_probe;
extern const struct analyzer analyzer_vmm;
extern const struct analyzer analyzer_controller;

/* From the host to the port, as the layers of the catalogue; but kernel_init weighs what the
 * kernel's other analyzers found, and how a VM ended, or what became of it, what all found. */
static const struct analyzer *const table[] = {
    &analyzer_host,
    &analyzer_vmm_start,
    &analyzer_kernel,
    &analyzer_kernel_memory,
    &analyzer_kernel_root,
    &analyzer_kernel_crash,
    &analyzer_kernel_init,
    &analyzer_kernel_silence,
    &analyzer_filesystem,
    &analyzer_rootfs,
    &analyzer_init,
    &analyzer_unit_fate,
    &analyzer_network,
    &analyzer_dhcp,
    &analyzer_address,
    &analyzer_supervisor,
    &analyzer_agent_needs,
    &analyzer_runtime,
    &analyzer_agent_listen,
    &analyzer_agent,
    &analyzer_death,
    &analyzer_companion,
    &analyzer_probe,
    &analyzer_vmm,
    &analyzer_controller,
};
/* clang-format on */

const struct analyzer *const *analyzers_all(size_t *ret_n)
{
    *ret_n = sizeof(table) / sizeof(table[0]);
    return table;
}
