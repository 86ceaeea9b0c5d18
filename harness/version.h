/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOTDIAG_VERSION_H
#define BOOTDIAG_VERSION_H

#define BOOTDIAG_VERSION "0.1.0"

#endif
