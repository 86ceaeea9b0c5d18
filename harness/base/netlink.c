/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request is built in a fixed buffer and answered by one datagram, or by several for a dump. The
 * kernel is trusted to answer, not to be of this version: every length is checked.
 */
#include "harness/base/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/auto.h"

enum { ANSWER_SIZE = 32768, REQUEST_SIZE = 256, SECONDS_TO_ANSWER = 2 };

/* ---- reading ---- */

/* Where the attributes of a message begin, behind a body of `body` bytes; NULL: there is no room.
 */
static const char *body_of(const void *message, size_t len, uint16_t type, size_t body,
                           size_t *ret_attributes_len)
{
    const struct nlmsghdr *header = message;
    size_t start = NLMSG_HDRLEN + NLMSG_ALIGN(body);
    if (len < sizeof(*header) || header->nlmsg_type != type || header->nlmsg_len > len ||
        header->nlmsg_len < start)
        return NULL;
    *ret_attributes_len = header->nlmsg_len - start;
    return (const char *)message + NLMSG_HDRLEN;
}

/* The next attribute of a list, or NULL; `at` and `len` move behind it. */
static const struct rtattr *next_attribute(const char **at, size_t *len)
{
    const struct rtattr *attribute = (const void *)*at;
    if (*len < sizeof(*attribute) || attribute->rta_len < sizeof(*attribute) ||
        attribute->rta_len > *len)
        return NULL;
    size_t step = RTA_ALIGN(attribute->rta_len);
    *at += step < *len ? step : *len;
    *len -= step < *len ? step : *len;
    return attribute;
}

static size_t payload_len(const struct rtattr *attribute)
{
    return attribute->rta_len - RTA_LENGTH(0);
}

static bool take(const struct rtattr *attribute, void *to, size_t size)
{
    if (payload_len(attribute) != size)
        return false;
    memcpy(to, RTA_DATA(attribute), size);
    return true;
}

static uint32_t take_ipv4(const struct rtattr *attribute)
{
    uint32_t address = 0;
    (void)take(attribute, &address, sizeof(address));
    return ntohl(address);
}

static bool says(const struct rtattr *attribute, const char *word)
{
    size_t len = strlen(word);
    const char *text = RTA_DATA(attribute);
    return payload_len(attribute) >= len && memcmp(text, word, len) == 0 &&
           (payload_len(attribute) == len || text[len] == '\0');
}

/* IFLA_LINKINFO holds attributes of its own: the kind of the link is one of them. */
static void take_kind(const struct rtattr *info, struct netlink_link *link)
{
    const char *at = RTA_DATA(info);
    size_t len = payload_len(info);
    const struct rtattr *attribute;
    while ((attribute = next_attribute(&at, &len)) != NULL)
        if (attribute->rta_type == IFLA_INFO_KIND) {
            link->is_bridge = says(attribute, "bridge");
            link->is_tun = says(attribute, "tun");
        }
}

bool netlink_parse_link(const void *message, size_t len, struct netlink_link *ret_link)
{
    size_t left;
    const char *body = body_of(message, len, RTM_NEWLINK, sizeof(struct ifinfomsg), &left);
    if (body == NULL)
        return false;
    const struct ifinfomsg *info = (const void *)body;
    struct netlink_link link = {.index = info->ifi_index, .up = (info->ifi_flags & IFF_UP) != 0};
    const char *at = body + NLMSG_ALIGN(sizeof(*info));
    const struct rtattr *attribute;
    while ((attribute = next_attribute(&at, &left)) != NULL) {
        size_t n = payload_len(attribute);
        if (attribute->rta_type == IFLA_IFNAME && n > 0 && n <= sizeof(link.name))
            memcpy(link.name, RTA_DATA(attribute), n - 1);
        else if (attribute->rta_type == IFLA_MASTER)
            (void)take(attribute, &link.master, sizeof(link.master));
        else if (attribute->rta_type == IFLA_ADDRESS)
            (void)take(attribute, link.mac, sizeof(link.mac));
        else if ((attribute->rta_type & NLA_TYPE_MASK) == IFLA_LINKINFO)
            take_kind(attribute, &link);
    }
    *ret_link = link;
    return true;
}

bool netlink_parse_address(const void *message, size_t len, int index,
                           struct netlink_address *ret_address)
{
    size_t left;
    const char *body = body_of(message, len, RTM_NEWADDR, sizeof(struct ifaddrmsg), &left);
    if (body == NULL)
        return false;
    const struct ifaddrmsg *info = (const void *)body;
    if (info->ifa_family != AF_INET || (int)info->ifa_index != index || info->ifa_prefixlen > 32)
        return false;
    /* IFA_ADDRESS is the other end of a point-to-point link: only IFA_LOCAL is our own. */
    struct netlink_address address = {.prefix_len = info->ifa_prefixlen};
    const char *at = body + NLMSG_ALIGN(sizeof(*info));
    const struct rtattr *attribute;
    while ((attribute = next_attribute(&at, &left)) != NULL)
        if (attribute->rta_type == IFA_LOCAL)
            address.address = take_ipv4(attribute);
    if (address.address == 0)
        return false;
    *ret_address = address;
    return true;
}

static const char *state_name(unsigned state)
{
    static const struct {
        unsigned state;
        const char *name;
    } names[] = {
        {NUD_INCOMPLETE, "incomplete"}, {NUD_REACHABLE, "reachable"}, {NUD_STALE, "stale"},
        {NUD_DELAY, "delay"},           {NUD_PROBE, "probe"},         {NUD_FAILED, "failed"},
        {NUD_NOARP, "permanent"},       {NUD_PERMANENT, "permanent"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if ((state & names[i].state) != 0)
            return names[i].name;
    return "none";
}

bool netlink_parse_neighbour(const void *message, size_t len,
                             struct netlink_neighbour *ret_neighbour)
{
    size_t left;
    const char *body = body_of(message, len, RTM_NEWNEIGH, sizeof(struct ndmsg), &left);
    if (body == NULL)
        return false;
    const struct ndmsg *info = (const void *)body;
    struct netlink_neighbour neighbour = {.state = state_name(info->ndm_state)};
    const char *at = body + NLMSG_ALIGN(sizeof(*info));
    const struct rtattr *attribute;
    while ((attribute = next_attribute(&at, &left)) != NULL)
        if (attribute->rta_type == NDA_LLADDR)
            neighbour.has_mac = take(attribute, neighbour.mac, sizeof(neighbour.mac));
    *ret_neighbour = neighbour;
    return true;
}

/* ---- asking ---- */

struct request {
    _Alignas(struct nlmsghdr) char bytes[REQUEST_SIZE];
};

static struct nlmsghdr *header_of(struct request *request)
{
    return (void *)request->bytes;
}

/* Begins a request and returns its body, all zero. */
static void *begin(struct request *request, uint16_t type, uint16_t flags, size_t body)
{
    *request = (struct request){{0}};
    struct nlmsghdr *header = header_of(request);
    header->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + NLMSG_ALIGN(body));
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | flags;
    header->nlmsg_seq = 1;
    return request->bytes + NLMSG_HDRLEN;
}

/* Requests are short and of our own making: they always fit. */
static void add(struct request *request, uint16_t type, const void *data, size_t size)
{
    struct nlmsghdr *header = header_of(request);
    struct rtattr *attribute = (void *)(request->bytes + NLMSG_ALIGN(header->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    memcpy(RTA_DATA(attribute), data, size);
    header->nlmsg_len = NLMSG_ALIGN(header->nlmsg_len) + (uint32_t)RTA_SPACE(size);
}

/* Sends the request; returns the socket on which the answer comes. */
static int ask(struct request *request, struct err *err)
{
    const struct timeval patience = {.tv_sec = SECONDS_TO_ANSWER};
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        sendto(fd, request->bytes, header_of(request)->nlmsg_len, 0,
               (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return err_sys(err, errno, "cannot ask the kernel about its network");
    return steal_fd(&fd);
}

struct answers {
    int fd;
    _Alignas(struct nlmsghdr) char bytes[ANSWER_SIZE];
    size_t len, at;
};

/* The next message of an answer, NULL at its end; then *ret_errno is 0, or the kernel's refusal. */
static const struct nlmsghdr *next_answer(struct answers *answers, size_t *ret_len, int *ret_errno)
{
    *ret_errno = 0;
    if (answers->at >= answers->len) {
        ssize_t got = recv(answers->fd, answers->bytes, sizeof(answers->bytes), 0);
        if (got < (ssize_t)sizeof(struct nlmsghdr)) {
            *ret_errno = got < 0 ? errno : EIO;
            return NULL;
        }
        answers->len = (size_t)got;
        answers->at = 0;
    }
    const struct nlmsghdr *message = (const void *)(answers->bytes + answers->at);
    *ret_len = answers->len - answers->at;
    bool broken = *ret_len < sizeof(*message) || message->nlmsg_len < sizeof(*message) ||
                  message->nlmsg_len > *ret_len;
    if (broken || message->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *failure = (const void *)(message + 1);
        bool whole = !broken && message->nlmsg_len >= sizeof(*message) + sizeof(*failure);
        *ret_errno = whole ? -failure->error : EIO;
        return NULL;
    }
    if (message->nlmsg_type == NLMSG_DONE)
        return NULL;
    answers->at += NLMSG_ALIGN(message->nlmsg_len);
    return message;
}

/* A request whose answer is an errno. */
static int command(struct request *request, struct err *err)
{
    struct answers answers = {.len = 0};
    size_t len;
    int refusal;
    auto_fd int fd = ask(request, err);
    if (fd < 0)
        return -1;
    answers.fd = fd;
    (void)next_answer(&answers, &len, &refusal);
    return refusal == 0 ? 0 : err_sys(err, refusal, "the kernel refused a change of its network");
}

int netlink_find_link(const char *name, struct netlink_link *ret_link, struct err *err)
{
    struct request request;
    struct answers answers = {.len = 0};
    size_t len;
    int refusal;
    (void)begin(&request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    if (strlen(name) >= IFNAMSIZ)
        return 0;
    add(&request, IFLA_IFNAME, name, strlen(name) + 1);
    auto_fd int fd = ask(&request, err);
    if (fd < 0)
        return -1;
    answers.fd = fd;
    const struct nlmsghdr *message = next_answer(&answers, &len, &refusal);
    if (message != NULL && netlink_parse_link(message, len, ret_link))
        return 1;
    if (refusal == ENODEV)
        return 0;
    return err_sys(err, refusal != 0 ? refusal : EIO, "cannot look at the interface %s", name);
}

int netlink_addresses(int index, struct netlink_address *ret_addresses, size_t most,
                      struct err *err)
{
    struct request request;
    struct answers answers = {.len = 0};
    size_t len, n = 0;
    int refusal;
    struct ifaddrmsg *wanted = begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(*wanted));
    wanted->ifa_family = AF_INET;
    auto_fd int fd = ask(&request, err);
    if (fd < 0)
        return -1;
    answers.fd = fd;
    const struct nlmsghdr *message;
    while ((message = next_answer(&answers, &len, &refusal)) != NULL)
        if (n < most && netlink_parse_address(message, len, index, &ret_addresses[n]))
            n++;
    return refusal == 0 ? (int)n : err_sys(err, refusal, "cannot list the host's addresses");
}

int netlink_join_bridge(int index, int master, struct err *err)
{
    struct request request;
    struct ifinfomsg *link = begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(*link));
    link->ifi_index = index;
    link->ifi_flags = link->ifi_change = IFF_UP;
    add(&request, IFLA_MASTER, &master, sizeof(master));
    return command(&request, err);
}

int netlink_delete_link(int index, struct err *err)
{
    struct request request;
    struct ifinfomsg *link = begin(&request, RTM_DELLINK, NLM_F_ACK, sizeof(*link));
    link->ifi_index = index;
    return command(&request, err);
}

static void begin_neighbour(struct request *request, uint16_t type, uint16_t flags, int index,
                            uint32_t address)
{
    uint32_t wire = htonl(address);
    struct ndmsg *entry = begin(request, type, flags, sizeof(*entry));
    entry->ndm_family = AF_INET;
    entry->ndm_ifindex = index;
    add(request, NDA_DST, &wire, sizeof(wire));
}

int netlink_neighbour(int index, uint32_t address, struct netlink_neighbour *ret_neighbour,
                      struct err *err)
{
    struct request request;
    struct answers answers = {.len = 0};
    size_t len;
    int refusal;
    begin_neighbour(&request, RTM_GETNEIGH, 0, index, address);
    auto_fd int fd = ask(&request, err);
    if (fd < 0)
        return -1;
    answers.fd = fd;
    const struct nlmsghdr *message = next_answer(&answers, &len, &refusal);
    if (message != NULL && netlink_parse_neighbour(message, len, ret_neighbour))
        return 0;
    if (refusal != ENOENT)
        return err_sys(err, refusal != 0 ? refusal : EIO, "cannot look at the neighbour table");
    *ret_neighbour = (struct netlink_neighbour){.state = "none"};
    return 0;
}

int netlink_forget_neighbour(int index, uint32_t address, struct err *err)
{
    struct request request;
    struct answers answers = {.len = 0};
    size_t len;
    int refusal;
    begin_neighbour(&request, RTM_DELNEIGH, NLM_F_ACK, index, address);
    auto_fd int fd = ask(&request, err);
    if (fd < 0)
        return -1;
    answers.fd = fd;
    (void)next_answer(&answers, &len, &refusal);
    if (refusal == 0 || refusal == ENOENT)
        return 0;
    return err_sys(err, refusal, "cannot drop an entry of the neighbour table");
}
