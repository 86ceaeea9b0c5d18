/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/host_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/base/auto.h"
#include "harness/base/hash.h"

int host_net_hold_port(int *ret_port, struct err *err)
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

void host_net_mac(const struct vm *vm, uint8_t ret_mac[static MAC_SIZE])
{
    const char *dir = vm->record->dir != NULL ? vm->record->dir : "";
    uint64_t hash = hash_add(HASH_START, dir, strlen(dir));
    hash = hash_add(hash, (const char *)&vm->index, sizeof(vm->index));
    guest_net_mac((uint32_t)hash, ret_mac);
}

int host_net_url(struct vm *vm, const char *address, int port, struct err *err)
{
    int len = snprintf(vm->url, sizeof(vm->url), "http://%s:%d%s", address, port,
                       vm->target->service.health_path);
    if (len < 0 || (size_t)len >= sizeof(vm->url))
        return err_set(err, "\"service.health_path\" is too long: at most %zu bytes of URL",
                       sizeof(vm->url) - 1);
    return 0;
}
