/* SPDX-License-Identifier: Apache-2.0 */
/* clock: what time it is, and how times are written. */
#ifndef BOOTDIAG_BASE_CLOCK_H
#define BOOTDIAG_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

enum { CLOCK_TEXT_SIZE = 32 };

/* Milliseconds of CLOCK_MONOTONIC: for durations and deadlines only. */
int64_t clock_ms(void);

/* Now in UTC as ISO 8601 with milliseconds: 2025-11-06T20:47:04.123Z. */
void clock_now_text(char ret_text[static CLOCK_TEXT_SIZE]);

/* A moment in UTC as ISO 8601 with whole seconds; "" if it lies beyond what a date can say. */
void clock_text(time_t seconds, char ret_text[static CLOCK_TEXT_SIZE]);

#endif
