#!/usr/bin/env python3
"""A network between namespaces, in user space: for kernels without netem.

usage: tun.py NAMESPACE...   one JSON object per line on standard input sets the network:
  rate   bits per second that each host can send (0: any), with a queue of 300 ms before it
  delay  seconds from host to host
  loss   share of packets that are lost, 0 to 1
  cut    indices of hosts whose packets are all lost, both ways
Host i has the address 10.97.0.(i + 1). Prints "ready" when it is.
"""
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x0001 | 0x1000
QUEUE_SECONDS = 0.3
libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


def open_host(index, name, home):
    """A TUN device in the namespace `name`; what is routed to the others there can be read from it."""
    with open(f'/var/run/netns/{name}') as namespace:
        enter(namespace.fileno())
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH', b'lockstep0', IFF_TUN_NO_PI))
    enter(home.fileno())
    ip = ['ip', '-n', name]
    subprocess.run([*ip, 'link', 'set', 'lockstep0', 'up', 'txqueuelen', '2000'], check=True)
    subprocess.run([*ip, 'addr', 'add', f'10.97.0.{index + 1}/24', 'dev', 'lockstep0'], check=True)
    return device


def main():
    with open('/proc/self/ns/net') as home:
        hosts = [open_host(i, name, home) for i, name in enumerate(sys.argv[1:])]
    print('ready', flush=True)
    net = {'rate': 0, 'delay': 0, 'loss': 0, 'cut': []}
    free = [0.0] * len(hosts)
    under_way = []
    count = 0
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, to, packet = heapq.heappop(under_way)
            try:
                os.write(hosts[to], packet)
            except OSError:
                pass
        wait = max(0.0, under_way[0][0] - now) if under_way else None
        readable, _, _ = select.select([sys.stdin, *hosts], [], [], wait)
        for source in readable:
            if source is sys.stdin:
                line = sys.stdin.readline()
                if not line:
                    return
                net = {'rate': 0, 'delay': 0, 'loss': 0, 'cut': [], **json.loads(line)}
                continue
            sender = hosts.index(source)
            for _ in range(64):
                try:
                    packet = os.read(source, 65536)
                except OSError:
                    break
                if packet[0] >> 4 != 4:
                    continue
                to = packet[19] - 1
                if not 0 <= to < len(hosts) or sender in net['cut'] or to in net['cut']:
                    continue
                if random.random() < net['loss']:
                    continue
                at = time.monotonic()
                if net['rate']:
                    begin = max(at, free[sender])
                    if begin - at > QUEUE_SECONDS:
                        continue
                    at = free[sender] = begin + len(packet) * 8 / net['rate']
                count += 1
                heapq.heappush(under_way, (at + net['delay'], count, to, packet))


main()
