#!/usr/bin/env python3
"""keepalived (VRRP by unicast, advert 1 s): the master's death until a backup is master."""
import os
import signal
import time

from peer import LONG, Peers, figure, lab

CONFIG = """vrrp_instance bench {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority {priority}
  advert_int 1
  unicast_src_ip {own}
  unicast_peer {{
{others}
  }}
  virtual_ipaddress {{
    10.88.9.9/32
  }}
}}
"""


def command(peers, i):
    others = "\n".join(f"    {peers.network.ip(k)}" for k in range(1, peers.count + 1) if k != i)
    with open(f"{peers.folder}/{i}.conf", "w") as out:
        out.write(CONFIG.format(priority=210 - 10 * i, own=peers.network.ip(i), others=others))
    return ["keepalived", "-n", "-l", "-D", "-P", "-f", f"{peers.folder}/{i}.conf",
            "-p", f"{peers.folder}/{i}.pid", "-r", f"{peers.folder}/{i}v.pid"]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


def crash(peers, i):
    """The parent first stopped, so that it cannot clean up, then all of it."""
    parent = peers.processes[i].pid
    os.kill(parent, signal.SIGSTOP)
    for pid in children(parent) + [parent]:
        os.kill(pid, signal.SIGKILL)
    peers.processes[i].wait()
    for suffix in ("", "v"):
        if os.path.exists(f"{peers.folder}/{i}{suffix}.pid"):
            os.unlink(f"{peers.folder}/{i}{suffix}.pid")


def entered(line):
    return "Entering MASTER STATE" in line


def death(peers, how):
    start = time.monotonic()
    crash(peers, 1) if how == "SIGKILL" else peers.processes[1].terminate()
    took = peers.seen_by({2}, start, entered, 20)
    if how != "SIGKILL":
        peers.processes[1].wait()
    back = time.monotonic()
    peers.start(1)
    peers.seen_by({1}, back, entered, 30)
    time.sleep(3)
    return took


lab.enter(3600)
network = Peers("keepalived", 3, command)
begun = time.monotonic()
for k in (1, 2, 3):
    network.start(k)
network.seen_by({1}, begun, entered, 30)
time.sleep(3)
for cause, name in (("SIGKILL", "SIGKILL of the master until a backup is master, s"),
                    ("SIGTERM", "clean stop of the master until a backup is master, s")):
    figure("keepalived", 3, "", name, [death(network, cause) for _ in range(12 if LONG else 5)])
for k in (1, 2, 3):
    crash(network, k)
network.close()
