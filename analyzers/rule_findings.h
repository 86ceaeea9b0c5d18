/* SPDX-License-Identifier: Apache-2.0 */
/* rule_findings: hits of rules -> findings, one for each rule that says what is wrong. */
#ifndef BOOTDIAG_RULE_FINDINGS_H
#define BOOTDIAG_RULE_FINDINGS_H

#include "analyzers/evidence.h"
#include "analyzers/finding.h"

/* Appends a finding for each rule that matched and has a cause or is about an error. */
void rule_findings_add(const struct evidence *evidence, struct findings *findings);

#endif
