/* SPDX-License-Identifier: Apache-2.0 */
/* words: what people read where documents hold ids. */
#ifndef BOOTDIAG_WORDS_H
#define BOOTDIAG_WORDS_H

/* "systemd started" for "init-started"; the id itself if it is none. */
const char *words_milestone(const char *id);

/* "kernel boots" for "kernel-booted"; the id itself if it is none. */
const char *words_question(const char *id);

/* What boots run on, without the reasons: "TCG (no usable KVM)" for "tcg: /dev/kvm is ...". */
const char *words_accelerator(const char *accelerator);

#endif
