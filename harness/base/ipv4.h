/* SPDX-License-Identifier: Apache-2.0 */
/* ipv4: addresses as numbers in host byte order, MACs, and their texts. */
#ifndef BOOTDIAG_BASE_IPV4_H
#define BOOTDIAG_BASE_IPV4_H

#include <stdbool.h>
#include <stdint.h>

enum { IPV4_TEXT_SIZE = 16, MAC_TEXT_SIZE = 18 };

/* Four decimal numbers with dots, nothing else. */
bool ipv4_parse(const char *text, uint32_t *ret_address);
void ipv4_text(uint32_t address, char ret_text[static IPV4_TEXT_SIZE]);

/* May a machine have this address in a subnet of its own? Not 0.x, 127.x, multicast or above. */
bool ipv4_is_host(uint32_t address);

/* Are both in the same subnet of `prefix_len` bits? */
bool ipv4_same_subnet(uint32_t a, uint32_t b, int prefix_len);

/* "02:fc:c0:a8:64:05" */
void mac_text(const uint8_t mac[static 6], char ret_text[static MAC_TEXT_SIZE]);

#endif
