/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/netlink.h"

static const char NODE[] = "/dev/net/tun";
static const char LENT[] = "bdlend";

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

/* `pattern` is the name of one to be made where `name` is NULL: "bd%d". */
static int configure(struct tap *tap, const char *name, const char *pattern, struct err *err)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name != NULL ? name : pattern);
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

static int open_tap(struct tap *tap, const char *name, const char *pattern, int bridge,
                    struct err *err)
{
    *tap = (struct tap)TAP_INIT;
    if ((name == NULL || check_existing(name, err) == 0) && open_node(tap, err) == 0 &&
        configure(tap, name, pattern, err) == 0 && find_index(tap, err) == 0 &&
        (name != NULL || join(tap, bridge, err) == 0))
        return 0;
    tap_release(tap);
    return -1;
}

int tap_open(struct tap *tap, const char *name, int bridge, struct err *err)
{
    return open_tap(tap, name, "bd%d", bridge, err);
}

static void close_node(struct tap *tap)
{
    if (tap->fd >= 0)
        (void)close(tap->fd);
    tap->fd = -1;
}

/* ---- lent ---- */

/*
 * An abstract socket belongs to the same network namespace as the device, and ends with its
 * process: so it tells whose the device is. -1: another process has it.
 */
static int claim(const char *device)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "bootdiag-tap-%s", device);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* Removes a device of a process that was killed, unless its VMM still has it. */
static void remove_stale(const char *device)
{
    struct tap tap = TAP_INIT;
    tap.lock = claim(device);
    if (tap.lock >= 0 && open_node(&tap, NULL) == 0 && configure(&tap, device, "", NULL) == 0)
        (void)ioctl(tap.fd, TUNSETPERSIST, 0);
    close_node(&tap);
    if (tap.lock >= 0)
        (void)close(tap.lock);
}

static void remove_all_stale(void)
{
    struct if_nameindex *links = if_nameindex();
    for (const struct if_nameindex *link = links; link != NULL && link->if_index != 0; link++)
        if (strncmp(link->if_name, LENT, sizeof(LENT) - 1) == 0)
            remove_stale(link->if_name);
    if (links != NULL)
        if_freenameindex(links);
}

/* Claimed while it is open, so that nobody can take it for a stale one. */
static int persist(struct tap *tap, struct err *err)
{
    tap->lock = claim(tap->name);
    if (tap->lock >= 0 && ioctl(tap->fd, TUNSETPERSIST, 1) == 0)
        return 0;
    err_sys(err, errno, "cannot keep the TAP device %s for the VMM", tap->name);
    return unavailable(err);
}

int tap_lend(struct tap *tap, const char *name, int bridge, struct err *err)
{
    if (name == NULL)
        remove_all_stale();
    if (open_tap(tap, name, "bdlend%d", bridge, err) != 0)
        return -1;
    if (name == NULL && persist(tap, err) != 0) {
        tap_release(tap);
        return -1;
    }
    close_node(tap);
    return 0;
}

void tap_release(struct tap *tap)
{
    close_node(tap);
    if (tap->lock < 0)
        return;
    (void)netlink_delete_link(tap->index, NULL);
    (void)close(tap->lock);
    tap->lock = -1;
}
