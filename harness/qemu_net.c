/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's port is held by a bound socket that never listens (both sides set SO_REUSEADDR), so
 * nobody else can get it meanwhile. QEMU opens the capture's "file" by the name of a pipe's
 * descriptor that it inherits (proc(5), /proc/self/fd): so the file stays small.
 */
#include "harness/qemu_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/auto.h"
#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/mem.h"
#include "harness/bridge.h"

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_strdup(text);
}

static int make_url(struct vm *vm, const char *address, int port, struct err *err)
{
    int len = snprintf(vm->url, sizeof(vm->url), "http://%s:%d%s", address, port,
                       vm->target->service.health_path);
    if (len < 0 || (size_t)len >= sizeof(vm->url))
        return err_set(err, "\"service.health_path\" is too long: at most %zu bytes of URL",
                       sizeof(vm->url) - 1);
    return 0;
}

/* ---- user mode ---- */

/* Binds a free port of 127.0.0.1 without listening on it. Returns the descriptor that holds it. */
static int hold_port(int *ret_port, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return err_sys(err, errno, "cannot get a free port of 127.0.0.1");
    *ret_port = ntohs(address.sin_port);
    return steal_fd(&fd);
}

/* 02:fc: and four bytes of a hash of the record's directory: another one for every boot. */
static void hashed_mac(const struct vm *vm, uint8_t ret_mac[static MAC_SIZE])
{
    const char *dir = vm->record->dir != NULL ? vm->record->dir : "";
    uint64_t hash = hash_add(HASH_START, dir, strlen(dir));
    hash = hash_add(hash, (const char *)&vm->index, sizeof(vm->index));
    guest_net_mac((uint32_t)hash, ret_mac);
}

static int open_user(struct qemu_net *net, struct vm *vm, struct qemu_command *command,
                     struct err *err)
{
    struct record *record = vm->record;
    hashed_mac(vm, net->mac);
    mac_text(net->mac, net->mac_text);
    set_text(&record->guest.mac, net->mac_text);
    set_text(&record->guest.expected_address, QEMU_GUEST_ADDRESS);
    set_text(&record->probe.network, "user");
    net->port_fd = hold_port(&command->host_port, err);
    return net->port_fd < 0 ? -1 : make_url(vm, "127.0.0.1", command->host_port, err);
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
    return make_url(vm, guest_net_address(net->guest), vm->target->service.port, err);
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
