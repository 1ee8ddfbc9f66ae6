"""Other people's accidents, with real daemons: addresses swapped, disks rolled back, power cut,
joiners killed at each step."""
import os
import random
import shutil
import struct
import threading
import time

import lab
from case import case
from cluster import expect, new, wait_for
from daemon import Refused
from seizure import reset_and_join
from settings import voters

HERE = os.path.dirname(os.path.abspath(__file__))
LOST = (OSError, ConnectionError, Refused)
JOINERS = 30  # about so many are killed, each at a step of its own: all, as long as a join takes fewer than twice that


class Writer(threading.Thread):
    """Puts one new key after the other through any daemon that runs; keeps those acknowledged.

    An answer "no master" or "unknown", or none at all, acknowledges nothing.
    """

    def __init__(self, cluster, nodes=None, seed=0):
        super().__init__(daemon=True)
        self.cluster, self.nodes = cluster, nodes or list(cluster.nodes)
        self.dice, self.prefix = random.Random(seed), f"w{seed}-"
        self.acknowledged, self.tried, self.ended = [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            node = self.cluster[self.dice.choice(self.nodes)]
            self.tried += 1
            try:
                node.ask("kv put", {"key": f"{self.prefix}{self.tried}", "value": str(self.tried)}, 3)
                self.acknowledged.append(self.tried)
            except LOST:
                time.sleep(0.02)

    def stop(self):
        self.ended.set()
        self.join(30)

    def check(self, node, most=None):
        """Everything acknowledged (or so many of it) is there, read through that node."""
        self.stop()
        expect(self.acknowledged, "some writes were acknowledged")
        many = most is not None and most < len(self.acknowledged)
        for number in self.dice.sample(self.acknowledged, most) if many else self.acknowledged:
            key = f"{self.prefix}{number}"
            try:
                value = self.cluster.get(node, key)["value"]
            except Refused as refusal:
                value = str(refusal)
            expect(value == str(number), f"{key} was acknowledged, and is {value} now")


def settled(c, group):
    """These three are a cluster of their own: all reach each other, vote and name one master."""
    whole = {"total": len(group), "reachable": len(group)}
    return all(c[i].status().get("members") == whole and len(voters(c, i)) == 3 for i in group) and c.agree(group)


def wait_settled(c, group, limit=60):
    wait_for(lambda: settled(c, group), f"nodes {group} agree on a master and reach each other", limit)


# ---- addresses ----

FIRST, SECOND = (1, 2, 3), (4, 5, 6)


def two_clusters(clusters):
    c = new(clusters, 6, profile="lan").start()
    for group in (FIRST, SECOND):
        founder = group[0]
        c[founder].ask("init", {"name": c[founder].name, "profile": "lan"}, 30)
        wait_for(lambda: c[founder].status().get("self_master"), "the founder is master")
        token = c.token(founder, 2)
        for i in group[1:]:
            c.join(i, founder, token)
        wait_settled(c, group)
        c.put(founder, "whose", f"of n{founder}")
    return c


def swap(c, *pairs):
    """Each pair comes up on the other's machine and address, with its own data."""
    for node in {i for pair in pairs for i in pair}:
        c[node].kill()
    for a, b in pairs:
        c[a].index, c[b].index = c[b].index, c[a].index
    for node in {i for pair in pairs for i in pair}:
        c[node].start()


def unmixed(c):
    for group in (FIRST, SECOND):
        names = {c[i].name for i in group}
        for i in group:
            listed = {row["name"] for row in c[i].ask("node list")}
            expect(listed == names, f"n{i} knows {listed}, its cluster is {names}")


def own_writes(c):
    for group in (FIRST, SECOND):
        for i in group:
            value = c.get(i, "whose")["value"]
            expect(value == f"of n{group[0]}", f"n{i} says '{value}'")


@case("two clusters that swap a machine's address each find their own node again")
def _(clusters):
    c = two_clusters(clusters)
    swap(c, (3, 6))
    for group in (FIRST, SECOND):
        wait_settled(c, group)
    unmixed(c)
    own_writes(c)


@case("two clusters that swap all their addresses do not mix, and are well again when they swap back")
def _(clusters):
    c = two_clusters(clusters)
    swap(c, *zip(FIRST, SECOND))
    dropped = {i: sum(c[i].status().get("dropped", {}).values()) for i in FIRST}
    wait_for(lambda: any(sum(c[i].status().get("dropped", {}).values()) > dropped[i] for i in FIRST),
             "packets of the other cluster arrive and are dropped")
    time.sleep(3)  # several leases and probes
    unmixed(c)
    swap(c, *zip(FIRST, SECOND))
    for group in (FIRST, SECOND):
        wait_settled(c, group)
    unmixed(c)
    own_writes(c)


# ---- disks and power ----

def snapshot_of(c, i):
    c[i].kill()
    snapshot = c[i].data + ".snapshot"
    shutil.copytree(c[i].data, snapshot)
    c[i].start()
    c.wait_whole()
    return snapshot


def roll_back(c, i, snapshot):
    """Its next start has the number of its last one: nothing but who it was tells them apart."""
    shutil.rmtree(c[i].data)
    os.rename(snapshot, c[i].data)


def nobody_acts(c, why, seconds=3.0):
    until = time.monotonic() + seconds  # several leases of the lan profile
    while time.monotonic() < until:
        expect(not c.master(), why)
        time.sleep(0.05)


@case("a voter whose data folder was rolled back to a snapshot never votes again, and no write is lost")
def _(clusters):
    c = new(clusters, 3, profile="lan").start().form()
    back = next(i for i in c.nodes if i != c.master())
    others = [i for i in c.nodes if i != back]
    snapshot = snapshot_of(c, back)
    writer = Writer(c)
    wait_for(lambda: len(writer.acknowledged) > 20, "writes after the snapshot")
    c[back].kill()
    roll_back(c, back, snapshot)
    c[back].process = c[back].spawn()
    wait_for(lambda: "rule=OLD_SELF" in open(c[back].log).read(), "it is told that it went back")
    c[back].process.wait(30)
    c[back].start()
    wait_for(lambda: c[back].status().get("votes") is False, "it runs without a vote")
    writer.stop()
    c[others[0]].kill()
    wait_for(lambda: not c[others[1]].status().get("self_master"), "a voter that lost its other is not master")
    nobody_acts(c, "nobody becomes master by the vote of the one that went back")
    c[others[0]].start()
    wait_for(lambda: c.agree(others), "the two others have a master")
    writer.check(others[0])
    c.essaim(others[0], "node", "remove", c[back].name)
    wait_for(lambda: not c[back].running() or c[back].status().get("standing") == "removed", "it is told")
    if not c[back].running():
        c[back].start()
    reset_and_join(c, back, others[0])
    c.wait_whole()
    writer.check(back)


@case("a power cut after which one disk is old and one machine missing costs the master, not a write")
def _(clusters):
    c = new(clusters, 3, profile="lan").start().form()
    master = c.master()
    back, behind = [i for i in c.nodes if i != master]
    snapshot = snapshot_of(c, back)
    wait_for(lambda: c.agree(), "one master")
    if c.master() != master:
        c.essaim(master, "master", "transfer", c[master].name)
    c.network.isolate(behind)
    writer = Writer(c, [master, back])
    wait_for(lambda: len(writer.acknowledged) > 20, "writes that only these two voters hold")
    for node in c:
        node.process.kill()
    for node in c:
        node.process.wait()
    writer.stop()
    roll_back(c, back, snapshot)
    c.network.heal()
    c[behind].start()
    c[back].process = c[back].spawn()
    nobody_acts(c, "nobody becomes master while the only one who has it all is missing")
    c[master].start()
    wait_for(lambda: c.agree([master, behind]), "the two with their own disks have a master")
    writer.check(behind)


def power_cut(c, missing):
    """All at once; one machine does not come back."""
    writer = Writer(c, seed=missing)
    wait_for(lambda: len(writer.acknowledged) > 20, "some writes")
    for node in c:
        node.process.kill()
    for node in c:
        node.process.wait()
    writer.stop()
    left = [i for i in c.nodes if i != missing]
    for i in left:
        c[i].start()
    wait_for(lambda: c.agree(left), "those who came back have a master")
    c.put(left[0], f"without n{missing}", "1")
    writer.check(left[-1])
    c[missing].start()
    c.wait_whole()
    expect(c.get(missing, f"without n{missing}")["value"] == "1", "the missing one caught up")
    writer.check(missing)


@case("after a power cut of all, with one machine missing, the others go on with everything acknowledged")
def _(clusters):
    c = new(clusters, 5, profile="lan").start().form()
    wait_for(lambda: len(voters(c)) == 5, "five voters")
    power_cut(c, c.master())
    power_cut(c, c.other(c.master()))


# ---- joining ----

class Steps:
    """Counts a daemon's steps, and ends it before one of them."""

    def __init__(self, c):
        self.path, shim = os.path.join(c.folder, "steps"), os.path.join(c.folder, "die_step.so")
        if not os.path.exists(shim):
            lab.run("cc", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "die_step.c"))
        self.environment = {"LD_PRELOAD": shim, "ESSAIM_STEPS": self.path,
                            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}
        self.set(0, 0)

    def set(self, counting, die_before):
        """In place: the daemon has it mapped."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as out:
            out.write(struct.pack("=QQQ", counting, 0, die_before))

    def taken(self):
        with open(self.path, "rb") as data:
            return struct.unpack("=QQQ", data.read(24))[1]


def blank(c, i, life):
    c[i].data = os.path.join(c.folder, f"n{i}-{life}")


def rows_of(c, i):
    """Its member, as the founder lists it; those that were removed bore the name before."""
    return [row for row in c[1].ask("node list") if row["name"] == c[i].name and row["state"] != "removed"]


def is_reachable(c, i):
    return [row["state"] for row in rows_of(c, i)] == ["reachable"]


def member_at_last(c, i, token):
    """Restarted, it is a member already, or blank and joins by the same token."""
    def joined():
        if c[i].status().get("cluster") is None:
            try:
                c.join(i, 1, token, 5)
            except LOST:
                return False
        return is_reachable(c, i) and c[i].status().get("members", {}).get("reachable") == len(c.nodes)
    wait_for(joined, f"n{i} is a member after its restart", 30)
    expect(len(rows_of(c, i)) == 1, f"one member of that name: {rows_of(c, i)}")


def forget_member(c, i):
    c.essaim(1, "node", "remove", c[i].name)
    c[i].kill()
    wait_for(lambda: not rows_of(c, i), "it is removed")
    shutil.rmtree(c[i].data)


def join_and_die(c, i, steps, before):
    """True if that step was reached."""
    blank(c, i, before)
    steps.set(0, 0)
    c[i].start(steps.environment)
    token = c.token(1)
    steps.set(1, before)
    try:
        c.join(i, 1, token, 20)
        until = time.monotonic() + 3  # what follows the answer are steps, too
        while c[i].running() and before and time.monotonic() < until:
            time.sleep(0.01)
    except LOST:
        time.sleep(0.1)  # the connection ends a moment before the process does
    died = not c[i].running()
    if not died:
        c[i].kill()
    c[i].start()
    member_at_last(c, i, token)
    forget_member(c, i)
    return died


def steps_of_a_join(c, i, steps):
    blank(c, i, "whole")
    c[i].start(steps.environment)
    token = c.token(1)
    steps.set(1, 0)
    c.join(i, 1, token)
    wait_for(lambda: is_reachable(c, i), "it has joined")
    time.sleep(0.3)  # the ledger, the first probes: then nothing new comes
    total = steps.taken()
    forget_member(c, i)
    return total


@case("a node killed at any step of joining is one member in the end, by the same token")
def _(clusters):
    c = new(clusters, 4, profile="lan")
    c.start(1, 2, 3)
    c[1].ask("init", {"name": "n1", "profile": "lan"}, 30)
    wait_for(c.master, "the founder is master")
    for i in (2, 3):
        c.join(i, 1, c.token(1))
    wait_settled(c, [1, 2, 3])
    steps = Steps(c)
    total = steps_of_a_join(c, 4, steps)
    stride = max(1, total // JOINERS)
    order = sorted({1, total, *range(1 + random.randrange(stride), total, stride)})
    died = sum(join_and_die(c, 4, steps, step) for step in order)
    print(f"     a join takes {total} steps; killed before {died} of these: {order}")
    expect(died >= len(order) * 3 // 4, f"it was killed at most of those steps, not at {died} of {len(order)}")
    c.put(1, "and the cluster", "works")
