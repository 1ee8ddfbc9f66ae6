#!/usr/bin/env python3
"""serf, profile lan: a member's death known to all, pauses, what it costs."""
import random
import signal
import time

from peer import LONG, Peers, figure, lab


def command(peers, i):
    ip = peers.network.ip(i)
    join = [] if i == 1 else [f"-join={peers.network.ip(1)}:7946"]
    return ["serf", "agent", f"-bind={ip}:7946", f"-rpc-addr={ip}:7373", f"-node=n{i}", "-profile=lan"] + join


def failed(victim):
    return lambda line: "EventMemberFailed" in line and f": n{victim} " in line + " "


def alive(peers):
    return peers.in_namespace(1, "serf", "members", f"-rpc-addr={peers.network.ip(1)}:7373",
                              "-status=alive").count("alive")


def settle(peers, seconds):
    until = time.monotonic() + 60
    while alive(peers) < peers.count and time.monotonic() < until:
        time.sleep(0.5)
    time.sleep(seconds)


def death(peers, how):
    victim = random.randrange(2, peers.count + 1)
    start = time.monotonic()
    peers.kill(victim) if how == "SIGKILL" else peers.network.isolate(victim)
    took = peers.seen_by(set(peers.processes) - {victim}, start, failed(victim))
    peers.start(victim) if how == "SIGKILL" else peers.network.heal()
    settle(peers, 5)
    return took


def pause(peers, seconds):
    victim = random.randrange(2, peers.count + 1)
    start = time.monotonic()
    peers.processes[victim].send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    peers.processes[victim].send_signal(signal.SIGCONT)
    time.sleep(6)
    return len({line.split("EventMemberFailed:")[1].split()[0] for _, _, line in peers.lines.since(start)
                if "EventMemberFailed:" in line})


def measure(n):
    peers = Peers("serf", n, command)
    for i in range(1, n + 1):
        peers.start(i)
        time.sleep(0.5 if i == 1 else 0.04)
    settle(peers, 20)
    peers.cost(30)
    for how in ("SIGKILL", "link cut"):
        figure("serf", n, "lan", f"{how} of a member until all know, s",
               [death(peers, how) for _ in range(10 if LONG else 4)])
    for seconds in (1, 2, 5):
        figure("serf", n, "lan", f"nodes declared failed by a pause of {seconds} s, all trials",
               [sum(pause(peers, seconds) for _ in range(20 if LONG else 4))])
    peers.close()


lab.enter(3600)
for size in (10, 50):
    measure(size)
