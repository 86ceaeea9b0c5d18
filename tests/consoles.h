/* SPDX-License-Identifier: Apache-2.0 */
/* consoles: pieces of synthetic consoles (no real boot), made of real lines. */
#ifndef BOOTDIAG_TEST_CONSOLES_H
#define BOOTDIAG_TEST_CONSOLES_H

#define CUT "\xe2\x80\xa6"

/* Debian 12, systemd 252, the journal on the console. */
#define JOURNAL                                                                                    \
    "[    0.000000] Linux version 6.1.0 (debian)\r\n"                                              \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM)\r\n"        \
    "[    7.490885] systemd[1]: Started systemd-journald.service - Journal Service.\r\n"           \
    "[   10.642035] virtio_net virtio1 eth0: renamed from enp0s2\r\n"                              \
    "[   11.461070] systemd-networkd[123]: eth0: Gained carrier\r\n"                               \
    "[   11.622891] systemd-networkd[123]: eth0: DHCPv4 address 10.0.2.15/24 acquired\r\n"         \
    "[   11.700000] systemd[1]: Reached target network.target - Network.\r\n"
#define J_STARTED                                                                                  \
    "[   12.087667] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.\r\n"    \
    "[  OK  ] Started vm-browser-agent.s" CUT "vice - VM Browser OAuth Agent.\r\n"
#define J_EXIT(at, status)                                                                         \
    "[   " at "] systemd[1]: vm-browser-agent.service: Main process exited, code=exited, "         \
    "status=" status "\r\n"                                                                        \
    "[   " at "] systemd[1]: vm-browser-agent.service: Failed with result 'exit-code'.\r\n"
#define J_AGAIN(at)                                                                                \
    "[   " at "] systemd[1]: vm-browser-agent.service: Scheduled restart job, restart counter is " \
    "at 1.\r\n"                                                                                    \
    "[   " at "] systemd[1]: Stopped vm-browser-agent.service - VM Browser OAuth Agent.\r\n"       \
    "[   " at "] systemd[1]: Started vm-browser-agent.service - VM Browser OAuth Agent.\r\n"
#define S(at, text) "[   " at "] start-all.sh[139]: " text "\r\n"
#define A(at, text) "[   " at "] start-all.sh[142]: " text "\r\n"
#define J_SCRIPT    J_STARTED S("12.451392", "[SUPERVISOR] Waiting for systemd services to start...")
#define J_AGENT                                                                                    \
    J_SCRIPT S("12.544614", "[SUPERVISOR] OAuth agent PID: 142")                                   \
        S("12.562924", "[SUPERVISOR] WebRTC server PID: 143")
#define J_DIED(at) S(at, "[SUPERVISOR] OAuth agent died (PID 142), restarting...")
#define J_READY                                                                                    \
    A("15.749006", "{\"level\":\"info\",\"msg\":\"VM Browser Agent started\",\"port\":8080,"       \
                   "\"vmIP\":\"10.0.2.15\"}")

/* Debian 13, systemd 257, plain coloured status lines; the script writes to the console itself. */
#define OK_     "[\x1b[0;32m  OK  \x1b[0m] "
#define FAILED_ "[\x1b[0;1;31mFAILED\x1b[0m] "
#define DEPEND_ "[\x1b[0;1;38:5:185mDEPEND\x1b[0m] "
#define PLAIN                                                                                      \
    "[    0.000000] Linux version 6.12.48 (debian)\r\n"                                            \
    "[    2.261833] virtio_blk virtio0: [vda] 718848 512-byte logical blocks\r\n"                  \
    "[    2.342415] EXT4-fs (vda): mounted filesystem with ordered data mode.\r\n"                 \
    "[    2.957194] systemd[1]: systemd 257.8-1~deb13u2 running in system mode (+PAM)\r\n"         \
    "\r\nWelcome to \x1b[1mDebian GNU/Linux 13 (trixie)\x1b[0m!\r\n\r\n" OK_                       \
    "Started systemd-journald.service - Journal Service.\r\n" OK_                                  \
    "Reached target network.target - Network.\r\n"
#define P_STARTED OK_ "Started vm-b" CUT "vice - VM Browser Services (OAuth + WebRTC).\r\n"
#define P_AGENT   P_STARTED "[SUPERVISOR] starting up\r\n[SUPERVISOR] OAuth agent PID: 142\r\n"
#define LOGIN     "\r\nvm login: "

#endif
