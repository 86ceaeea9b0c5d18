/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/host.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"

enum { LARGEST_PROC_FILE = 1 << 20 };

struct host_cpu host_cpu_now(void)
{
    struct host_cpu cpu = {0};
    auto_buf struct buf stat;
    buf_init(&stat, 0);
    if (file_read("/proc/stat", LARGEST_PROC_FILE, &stat, NULL) != 0)
        return cpu;
    uint64_t field[8] = {0}; /* user nice system idle iowait irq softirq steal */
    (void)sscanf(buf_text(&stat),
                 "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                 " %" SCNu64 " %" SCNu64,
                 &field[0], &field[1], &field[2], &field[3], &field[4], &field[5], &field[6],
                 &field[7]);
    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        cpu.total += field[i];
    cpu.steal = field[7];
    return cpu;
}

double host_steal_pct(struct host_cpu since)
{
    struct host_cpu now = host_cpu_now();
    if (now.total <= since.total || now.steal < since.steal) /* the kernel's steal may step back */
        return -1;
    return 100.0 * (double)(now.steal - since.steal) / (double)(now.total - since.total);
}

double host_load(void)
{
    double load;
    return getloadavg(&load, 1) == 1 ? load : -1;
}

int64_t host_available_mib(void)
{
    auto_buf struct buf meminfo;
    buf_init(&meminfo, 0);
    if (file_read("/proc/meminfo", LARGEST_PROC_FILE, &meminfo, NULL) != 0)
        return -1;
    const char *line = strstr(buf_text(&meminfo), "MemAvailable:");
    int64_t kib;
    if (line == NULL || sscanf(line, "MemAvailable: %" SCNd64, &kib) != 1)
        return -1;
    return kib / 1024;
}

int host_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 1;
    return CPU_COUNT(&set);
}

char *host_kernel(void)
{
    struct utsname name;
    if (uname(&name) != 0)
        return mem_strdup("unknown");
    return mem_printf("%s %s", name.sysname, name.release);
}

char *host_name(void)
{
    struct utsname name;
    return mem_strdup(uname(&name) == 0 ? name.nodename : "unknown");
}
