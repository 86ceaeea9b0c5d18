/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's port is held by a bound socket that never listens; slirp sets SO_REUSEADDR, too. QEMU
 * opens the capture's "file" by the name of a pipe's descriptor that it inherits (proc(5),
 * /proc/self/fd): so the file stays small.
 */
#include "harness/qemu_net.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/mem.h"
#include "harness/bridge.h"
#include "harness/host_net.h"

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

/* ---- user mode ---- */

static int open_user(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                     struct err *err)
{
    struct record *record = vm->record;
    host_net_mac(vm, net->mac);
    mac_text(net->mac, net->mac_text);
    set_text(&record->guest.mac, net->mac_text);
    set_text(&record->guest.expected_address, QEMU_GUEST_ADDRESS);
    set_text(&record->probe.network, "user");
    net->port_fd = host_net_hold_port(&command->host_port, err);
    return net->port_fd < 0 ? -1 : host_net_url(vm, "127.0.0.1", command->host_port, err);
}

/* ---- on a bridge ---- */

static int open_tap(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                    struct err *err)
{
    net->guest = guest_net_new(vm->target, vm->slot, vm->loop, vm->record, err);
    if (net->guest == NULL)
        return -1;
    guest_net_mac(bridge_guest_address(vm->target, vm->slot), net->mac);
    mac_text(net->mac, net->mac_text);
    command->tap_fd = guest_net_fd(net->guest);
    return host_net_url(vm, guest_net_address(net->guest), vm->target->service.port, err);
}

/* ---- the capture ---- */

static int open_pcap(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                     struct err *err)
{
    int ends[2];
    if (strcmp(vm->target->pcap, "never") == 0 || vm->record->dir == NULL)
        return 0;
    auto_free char *path = path_join(vm->record->dir, "net.pcap");
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(err, errno, "cannot make a pipe");
    net->pcap_child_fd = ends[1];
    command->pcap_fd = ends[1];
    return pcap_start(&net->pcap, vm->loop, ends[0], net->mac, path, err);
}

int qemu_net_open(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                  struct err *err)
{
    bool tap = strcmp(vm->target->network, "tap") == 0;
    command->tap_fd = command->pcap_fd = -1;
    command->mac = net->mac_text;
    if ((tap ? open_tap(net, vm, command, err) : open_user(net, vm, command, err)) != 0)
        return -1;
    return open_pcap(net, vm, command, err);
}

void qemu_net_release(struct qemu_net *net, struct record *record)
{
    bool captured = net->pcap.in_fd >= 0;
    auto_fd_release(&net->pcap_child_fd);
    net->pcap_child_fd = -1;
    pcap_stop(&net->pcap);
    if (captured) {
        record->net.frames_kept = net->pcap.kept;
        record->net.frames_dropped = net->pcap.dropped;
    }
    auto_fd_release(&net->port_fd);
    net->port_fd = -1;
    if (net->guest != NULL)
        guest_net_take_facts(net->guest);
    guest_net_free(net->guest);
    net->guest = NULL;
}
