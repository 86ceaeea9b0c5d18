/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: bytes that a guest chose -> text that may be shown: valid UTF-8, no control bytes.
 * What must not be shown at all is masked by secrets.h.
 *
 * All functions take linear time and look at nothing behind the NUL or `len`.
 */
#ifndef BOOTDIAG_BASE_TEXT_H
#define BOOTDIAG_BASE_TEXT_H

#include <stddef.h>

/* Length (1 to 4) of the valid UTF-8 character (RFC 3629) that `bytes` begins with; 0: there is
 * none. */
size_t text_utf8_char(const char *bytes, size_t len);

/* How many of the first bytes are valid UTF-8: `len` if all are. */
size_t text_utf8_valid(const char *bytes, size_t len);

/*
 * Copies to `ret_text` what fits into `size` bytes with the NUL: invalid bytes and control bytes
 * (other than tab) as \xHH; never cuts a character or an escape in the middle. Returns the length
 * written.
 */
size_t text_printable(char *ret_text, size_t size, const char *bytes, size_t len);

#endif
