/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ladder: from the network card to the guest's address: card on the bus, driver, interface of the
 * configured name, configuration, link, address. Each rung is seen, contradicted or silent.
 *
 * To blame is the first rung that is contradicted, or that is absent although it was due: somebody
 * who would have named it was heard, and long enough ago.
 */
#ifndef BOOTDIAG_LADDER_H
#define BOOTDIAG_LADDER_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about where the ladder ends; reads hits of network.c, dhcp.c and address.c, the
 * capture, and what the host met. */
void ladder_judge(const struct evidence *evidence, struct findings *findings);

#endif
