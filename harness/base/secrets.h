/* SPDX-License-Identifier: Apache-2.0 */
/* secrets: what must not be shown of what a guest or a user wrote. Takes linear time. */
#ifndef BOOTDIAG_BASE_SECRETS_H
#define BOOTDIAG_BASE_SECRETS_H

/*
 * Overwrites secrets with "***", in place (the text can only become shorter): values of what is
 * called password, token, secret, key ..., Authorization headers, bearer tokens, JWTs, well-known
 * key prefixes, passwords in URLs, and long runs of hex or base64. UUIDs stay: session ids are not
 * secrets.
 */
void secrets_mask(char *text);

#endif
