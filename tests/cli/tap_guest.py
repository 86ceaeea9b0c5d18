#!/usr/bin/env python3
"""A stand-in for a VMM and its guest: tap_guest.py TAP MAC ADDRESS PORT.

Opens the TAP device by its name, as VMMs do, and passes its frames to a machine of its own: a network
namespace with that MAC and address, in which Python's web server answers. No guest is booted.
"""
import ctypes
import fcntl
import http.server
import os
import select
import struct
import subprocess
import sys
import threading

TUNSETIFF, IFF_TAP, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 2, 0x1000, 0x40000000


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def relay(a, b):
    while True:
        for fd in select.select([a, b], [], [])[0]:
            os.write(b if fd == a else a, os.read(fd, 65536))


def main():
    tap, mac, address, port = sys.argv[1:]
    outside = open_tap(tap)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit(f"cannot make a network namespace: {os.strerror(ctypes.get_errno())}")
    inside = open_tap("eth0")
    for words in (f"link set eth0 address {mac} up", f"address add {address}/24 dev eth0"):
        subprocess.run(["ip", *words.split()], check=True)
    print("synthetic console of a stand-in, no guest", flush=True)
    threading.Thread(target=relay, args=(outside, inside), daemon=True).start()
    http.server.HTTPServer((address, int(port)), http.server.SimpleHTTPRequestHandler).serve_forever()


main()
