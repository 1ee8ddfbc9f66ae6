"""abuse.py: how long the loop is held while what a node leans on is broken: measured by the daemons.

Each abuse has daemons of its own, since the metric is the longest since the start. The longest turn by the
wall is judged; how much processor time the worst turn used tells the daemon's work from the machine's.
"""
import os
import time

from report import figure
from swarm import lab
import daemon  # of tests/net
import facts  # Hosts, of the same folder
import observing  # of tests/net

LVM = "/usr/sbin/lvm"
NODES, ABUSED = 3, 2
FALSE = {"UNREACHABLE", "VOTER_LOST", "NAME_UNKNOWN", "NAME_MISMATCH", "NAME_TWICE"}
LOOKS_S = 32  # the storage is looked at each half minute
TOOLS = {"garbage": "head -c 300000 /dev/urandom", "flood": "head -c 52428800 /dev/zero | tr '\\0' x",
         "broken JSON": "printf '{\"report\":[{\"vg\":['; head -c 3000000 /dev/zero | tr '\\0' '['",
         "hang": "exec sleep 600"}


class Host(observing.Host):
    """Its lvm is a script."""

    def __init__(self, *args):
        super().__init__(*args)
        self.tool = os.path.join(os.path.dirname(self.data), f"{self.name}.lvm")
        self.calls = self.tool + ".calls"
        self.say("exit 0")

    def say(self, script):
        with open(self.tool, "w") as out:
            out.write(f"#!/bin/sh\necho >> {self.calls}\n{script}\n")
        os.chmod(self.tool, 0o755)

    def command(self):
        words = super().command()
        at = words.index("-c") + 1
        words[at] = f"mount --bind {self.tool} {LVM}; " + words[at]
        return words


class Hosts(facts.Hosts):
    def __init__(self, count):
        super().__init__(count)
        self.nodes = {i: Host(self.network, self.folder, i) for i in self.nodes}
        self.dns = observing.Dns(self)

    def close(self):
        self.dns.stop()
        return super().close()


def nothing(s):
    time.sleep(15)


def resolver(how):
    def work(s):
        with open(s[ABUSED].resolver, "w") as out:
            out.write(how)
        time.sleep(15)
    return work


def dead_servers(s):
    for _ in range(2):
        s[ABUSED].set_resolv(observing.AWAY, "10.87.0.98", "10.87.0.97")
        time.sleep(12)
        s[ABUSED].set_resolv(observing.DNS)
        time.sleep(6)


def server_dies(s):
    s.dns.stop()
    time.sleep(15)


def hours(s):
    for offset in (3600, -3600, 3600, 0):
        s[ABUSED].set_clock(offset)
        time.sleep(4)


def called(node):
    return os.path.getsize(node.calls) if os.path.exists(node.calls) else 0


def tool(how):
    def work(s):
        s[ABUSED].say(TOOLS[how])
        before = called(s[ABUSED])
        time.sleep(LOOKS_S)
        if called(s[ABUSED]) == before:
            raise RuntimeError("the daemon did not call the bad tool: nothing was measured")
    return work


def tool_missing(s):
    os.chmod(s[ABUSED].tool, 0)
    time.sleep(LOOKS_S)


ABUSES = {"nothing is wrong": nothing, "wall clock steps by hours": hours, "three dead name servers": dead_servers,
          "the name server dies": server_dies, "no lvm": tool_missing} | \
         {f"resolver: {how}": resolver(how) for how in ("garbage", "die", "flood", "hang")} | \
         {f"lvm: {how}": tool(how) for how in TOOLS}


def told(s, name):
    """One line for each node, and one for what was said falsely of members meanwhile."""
    for node in s:
        lab.enter_namespace(s.network.namespace(node.index))
        try:
            values = facts.metrics()
        finally:
            lab._libc.setns(facts.HOME, lab.CLONE_NEWNET)
        held, worked = (1000 * values[f"essaim_loop_{what}_max_seconds"] for what in ("held", "worked"))
        figure("abuse", NODES, name, "longest turn of the loop, ms", [held], 10, node=node.name,
               abused=node.index == ABUSED, worked_ms=round(worked, 4))
    codes = {f["code"] for f in s[1].ask("doctor examine")["findings"]}
    figure("abuse", NODES, name, "false verdicts", [len(codes & FALSE)], 0)


def abuse(seconds):
    """As many of the abuses as begin within that time, the tools' last."""
    until = time.monotonic() + seconds
    for name, work in ABUSES.items():
        if time.monotonic() > until:
            break
        if "lvm" in name and not os.path.exists(LVM):
            continue
        with Hosts(NODES) as s:
            for node in s:
                node.observes = "lvm" in name
            if "lvm" in name:
                s[ABUSED].terminate()
                s[ABUSED].before = [daemon.HAND, "--"]
                s[ABUSED].start()
            s.settle(2)
            work(s)
            told(s, name)
