/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/netlink.h"

static const char NODE[] = "/dev/net/tun";

static int unavailable(struct err *err)
{
    return err_cause(err, "host.tap-unavailable");
}

static int open_node(struct tap *tap, struct err *err)
{
    tap->fd = open(NODE, O_RDWR | O_CLOEXEC);
    if (tap->fd >= 0)
        return 0;
    err_set(err, "cannot open %s: %s; load its module (modprobe tun), or get the right to open it",
            NODE, strerror(errno));
    return unavailable(err);
}

/* An existing one must be there: the kernel would make it. */
static int check_existing(const char *name, struct err *err)
{
    struct netlink_link link;
    int found = netlink_find_link(name, &link, err);
    if (found < 0)
        return unavailable(err);
    if (found == 1 && link.is_tun)
        return 0;
    err_set(err,
            "%s %s; make one: ip tuntap add dev %s mode tap vnet_hdr, or leave out \"tap\" in the "
            "target",
            found ? "this interface is no TAP device:" : "there is no TAP device", name, name);
    return unavailable(err);
}

static int configure(struct tap *tap, const char *name, struct err *err)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name != NULL ? name : "bd%d");
    if (ioctl(tap->fd, TUNSETIFF, &request) != 0) {
        const char *why = strerror(errno);
        const char *remedy =
            errno == EBUSY ? "another process uses it: end that, or name another device"
                           : "run as root or with CAP_NET_ADMIN, or set \"tap\" in the target "
                             "to a device that is yours";
        err_set(err, "cannot %s%s: %s; %s",
                name != NULL ? "open the TAP device " : "make a TAP device",
                name != NULL ? name : "", why, remedy);
        return unavailable(err);
    }
    (void)snprintf(tap->name, sizeof(tap->name), "%s", request.ifr_name);
    struct ifreq is = {0};
    tap->vnet_hdr = ioctl(tap->fd, TUNGETIFF, &is) == 0 && (is.ifr_flags & IFF_VNET_HDR) != 0;
    return 0;
}

static int find_index(struct tap *tap, struct err *err)
{
    struct netlink_link link;
    if (netlink_find_link(tap->name, &link, err) != 1)
        return unavailable(err);
    tap->index = link.index;
    return 0;
}

static int join(struct tap *tap, int bridge, struct err *err)
{
    if (netlink_join_bridge(tap->index, bridge, err) == 0)
        return 0;
    err_prefix(err, "cannot make the TAP device %s a port of the bridge", tap->name);
    return unavailable(err);
}

int tap_open(struct tap *tap, const char *name, int bridge, struct err *err)
{
    *tap = (struct tap)TAP_INIT;
    if ((name == NULL || check_existing(name, err) == 0) && open_node(tap, err) == 0 &&
        configure(tap, name, err) == 0 && find_index(tap, err) == 0 &&
        (name != NULL || join(tap, bridge, err) == 0))
        return 0;
    tap_release(tap);
    return -1;
}

void tap_release(struct tap *tap)
{
    if (tap->fd >= 0)
        (void)close(tap->fd);
    tap->fd = -1;
}
