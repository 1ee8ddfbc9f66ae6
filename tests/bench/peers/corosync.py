#!/usr/bin/env python3
"""corosync (knet, aes256): a member's death until all others formed the new membership; cost."""
import os
import random
import re
import time

from peer import LONG, Peers, figure, lab

CONFIG = """totem {{
  version: 2
  cluster_name: bench
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
  keyfile: {folder}/authkey
}}
quorum {{
  provider: corosync_votequorum
}}
system {{
  move_to_root_cgroup: no
}}
logging {{
  to_stderr: yes
  to_syslog: no
  to_logfile: no
}}
nodelist {{
{nodes}}}
"""
MEMBERS = re.compile(r"\[QUORUM\] Members\[\d+\]:([ \d]*)")


def configure(peers):
    nodes = "".join(f" node {{\n  name: n{i}\n  nodeid: {i}\n  ring0_addr: {peers.network.ip(i)}\n }}\n"
                    for i in range(1, peers.count + 1))
    with open(f"{peers.folder}/corosync.conf", "w") as out:
        out.write(CONFIG.format(folder=peers.folder, nodes=nodes))
    with open(f"{peers.folder}/authkey", "wb") as out:
        out.write(os.urandom(256))
    os.chmod(f"{peers.folder}/authkey", 0o400)


def command(peers, i):
    """Each with its own /run, /dev/shm and state folder; the config is the shared one."""
    own = " && ".join(f"mount -t tmpfs tmpfs {path}" for path in ("/run", "/var/lib/corosync", "/dev/shm"))
    return ["unshare", "-m", "sh", "-c", f"mkdir -p /var/lib/corosync && {own} && mkdir -p /run/lock && "
            f"exec corosync -f -c {peers.folder}/corosync.conf"]


def formed(members):
    def wanted(line):
        match = MEMBERS.search(line)
        return match and set(map(int, match[1].split())) == members
    return wanted


def death(peers, how):
    everyone = set(peers.processes)
    victim = random.choice(sorted(everyone))
    left = everyone - {victim}
    time.sleep(2 + random.random())
    start = time.monotonic()
    peers.kill(victim) if how == "SIGKILL" else peers.network.isolate(victim)
    took = peers.seen_by(left, start, formed(left))
    healed = time.monotonic()
    peers.start(victim) if how == "SIGKILL" else peers.network.heal()
    peers.seen_by(everyone, healed, formed(everyone))
    return took


def measure(n):
    peers = Peers("corosync", n, command)
    configure(peers)
    start = time.monotonic()
    for i in range(1, n + 1):
        peers.start(i)
    if peers.seen_by(set(peers.processes), start, formed(set(peers.processes))) is None:
        raise SystemExit("corosync formed no membership:\n" + "\n".join(l for _, _, l in peers.lines.since(start)[-20:]))
    time.sleep(5)
    peers.cost(30)
    for how in ("SIGKILL", "link cut"):
        figure("corosync", n, "", f"{how} of a member until all know, s",
               [death(peers, how) for _ in range(10 if LONG else 4)])
    peers.close()


lab.enter(3600)
for size in (3, 5):
    measure(size)
