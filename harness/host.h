/* SPDX-License-Identifier: Apache-2.0 */
/* host: how busy this machine is; the first thing that explains a slow boot. Source: proc(5). */
#ifndef BOOTDIAG_HOST_H
#define BOOTDIAG_HOST_H

#include <stdint.h>

/* Cumulative processor time of the host, in clock ticks. */
struct host_cpu {
    uint64_t total, steal;
};

struct host_cpu host_cpu_now(void);

/* Share of `steal` since an earlier sample in percent, or -1 if no time has passed. */
double host_steal_pct(struct host_cpu since);

/* Load average of the last minute, or -1. */
double host_load(void);

/* Memory that new VMs could use, in MiB, or -1. */
int64_t host_available_mib(void);

/* Processors this process may use. */
int host_cpus(void);

/* "Linux 6.1.0-18-amd64"; owned by the caller. */
char *host_kernel(void);

/* Owned by the caller. */
char *host_name(void);

#endif
