/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ladder: from the network card to the address: card on the bus, driver, interface, configuration,
 * link, address; each rung seen, contradicted or silent. The first one that is not there is to
 * blame.
 */
#ifndef BOOTDIAG_LADDER_H
#define BOOTDIAG_LADDER_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Adds findings about where the ladder ends; reads hits of network.c's rules. */
void ladder_judge(const struct evidence *evidence, struct findings *findings);

#endif
