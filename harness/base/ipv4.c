/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/base/ipv4.h"

#include <arpa/inet.h>
#include <stdio.h>

bool ipv4_parse(const char *text, uint32_t *ret_address)
{
    struct in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    *ret_address = ntohl(address.s_addr);
    return true;
}

void ipv4_text(uint32_t address, char ret_text[static IPV4_TEXT_SIZE])
{
    (void)snprintf(ret_text, IPV4_TEXT_SIZE, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
                   address >> 8 & 0xff, address & 0xff);
}

bool ipv4_is_host(uint32_t address)
{
    uint32_t first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

bool ipv4_same_subnet(uint32_t a, uint32_t b, int prefix_len)
{
    return prefix_len <= 0 || (a ^ b) >> (32 - prefix_len) == 0;
}

void mac_text(const uint8_t mac[static 6], char ret_text[static MAC_TEXT_SIZE])
{
    (void)snprintf(ret_text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                   mac[3], mac[4], mac[5]);
}
