"""One master at a time, and a write on any node, whatever happens to the master."""
import threading
import time

from case import case
from cluster import expect, new, wait_for
from daemon import Refused

LEASE_S = 1.5  # D_P of the default profile


class Watch(threading.Thread):
    """Asks every node all the time whether it may act, and keeps each yes.

    A yes was true at some moment between the question (before) and the answer (after); the lease
    it states runs at least until `before` + what was said to remain.
    """

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.claims, self.ended = cluster, [], threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            for node in self.cluster:
                self.look(node)
            time.sleep(0.01)

    def look(self, node):
        before = time.monotonic()
        status = node.status()
        after = time.monotonic()
        if status.get("self_master") and status["lease_remaining_ms"] > 0:
            until = before + status["lease_remaining_ms"] / 1000
            self.claims.append((after, until, node.name, status["master"]["epoch"]))

    def check(self, released=False):
        """Epochs only grow, one owner each; and unless a master gave its lease up, nobody acts
        before what the one before it was told to have."""
        self.ended.set()
        self.join()
        expect(self.claims, "the watch saw a master")
        for (_, until, name, epoch), (after, _, later, later_epoch) in zip(self.claims, self.claims[1:]):
            expect(later_epoch >= epoch, f"{later} acts in epoch {later_epoch} after {name} in {epoch}")
            expect(name == later or later_epoch > epoch, f"{name} and {later} share epoch {epoch}")
            expect(released or name == later or after >= until,
                   f"{later} acts {until - after:.3f} s before the lease of {name} ends")


@case("five daemons join, each through a different peer, and agree on one master")
def _(clusters):
    c = new(clusters, 5).start().form(joined_through={2: 1, 3: 2, 4: 3, 5: 4})
    rows = [{(r["name"], r["id"], r["address"]) for r in n.ask("node list")} for n in c]
    expect(all(r == rows[0] for r in rows), "node list is the same everywhere")
    wait_for(lambda: c[1].status()["voters"]["total"] >= 3, "three voters at least")


@case("after SIGKILL of the master another one serves a write through a third node")
def _(clusters):
    c = new(clusters, 5).start().form()
    old, epoch = c.master(), c.agree()[1]
    c.put(c.other(old), "before", "1")
    c[old].kill()
    writer = c.other(old)
    c.put(writer, "after", "2")
    left = [i for i in c.nodes if i != old]
    name, later = wait_for(lambda: c.agree(left), "the survivors agree on a master")
    expect(name != c[old].name and later > epoch, f"a new master in a later epoch, not {name} {later}")
    expect(c.get(writer, "before")["value"] == "1", "the acknowledged write survived")
    c[old].start()
    c.wait_whole()


@case("a master whose link is cut steps down by itself and agrees after healing")
def _(clusters):
    c = new(clusters, 5).start().form()
    old, epoch = c.master(), c.agree()[1]
    c.network.isolate(old)
    wait_for(lambda: not c[old].status().get("self_master"), "the cut master steps down")
    left = [i for i in c.nodes if i != old]
    wait_for(lambda: c.agree(left), "the majority has a master")
    c.put(left[0], "during", "1")
    try:
        c[old].ask("kv put", {"key": "minority", "value": "no"}, 2)
        raise AssertionError("the minority took a write")
    except Refused as refusal:
        expect(refusal.code in (3, 4), f"a write in the minority ends with 3 or 4, not {refusal.code}")
    c.network.heal()
    c.wait_whole()
    expect(c.agree()[1] > epoch, "the epoch grew")
    expect(c[old].ask("kv get", {"key": "during"})["value"] == "1", "the old master caught up")


@case("a one-way cut of the master costs no second master")
def _(clusters):
    c = new(clusters, 3).start().form()
    old = c.master()
    watch = Watch(c)
    for i in c.nodes:
        if i != old:
            c.network.cut(old, i, one_way=True)
    left = [i for i in c.nodes if i != old]
    wait_for(lambda: c.agree(left), "those who hear nothing of it elect another")
    c.network.heal()
    c.wait_whole()
    watch.check()


@case("a master stopped for longer than its lease does not act when it resumes")
def _(clusters):
    c = new(clusters, 5).start().form()
    old, epoch = c.master(), c.agree()[1]
    left = [i for i in c.nodes if i != old]
    watch = Watch(c)
    c[old].stop()
    wait_for(lambda: c.agree(left), "the others elect another")
    time.sleep(2 * LEASE_S)
    c[old].cont()
    try:
        c[old].ask("kv put", {"key": "late", "value": "x"})
    except Refused as refusal:
        expect(refusal.code in (3, 4), f"refused with 3 or 4, not {refusal.code}")
    status = c[old].status()
    expect(not (status.get("self_master") and status["master"]["epoch"] == epoch),
           "the resumed master acts under its old epoch")
    c.wait_whole()
    watch.check()


@case("a paused master within its lease stays the only one")
def _(clusters):
    c = new(clusters, 3).start().form()
    watch = Watch(c)
    for _ in range(3):
        node = c[c.master()]
        node.stop()
        time.sleep(0.5)
        node.cont()
        time.sleep(0.5)
        wait_for(c.agree, "all agree again")
    watch.check()


def increment(c, writer, key):
    """One compare-and-set, retried only when it certainly was not done; unknown is looked up."""
    row = c.get(writer, key)
    version, value = row["version"], int(row["value"])
    try:
        c.put(writer, key, str(value + 1), if_version=version)
        return True
    except Refused as refusal:
        if refusal.code == 1:  # another version than we read
            return False
        expect(refusal.code == 4, f"an increment ends with 0, 1, 3 or 4, not {refusal.code}: {refusal}")
    return settle(c, writer, key, version, value)


def settle(c, writer, key, version, value):
    """After 'unknown': put a fence. Either it finds the old version, so ours was not done and
    cannot be done later, or ours is there."""
    while True:
        try:
            c.put(writer, key, str(value + 1), if_version=version)
            return True
        except Refused as refusal:
            if refusal.code == 4:
                continue
            row = c.get(writer, key)
            return row["value"] == str(value + 1)


@case("a thousand increments by version are exact while the master is killed ten times", lasts=20)
def _(clusters):
    c = new(clusters, 5).start().form()
    c.put(1, "sum", "0")
    done, kills = 0, 0
    while done < 1000:
        if kills < 10 and done >= 100 * kills + 50:
            kills += 1
            old = c.master()
            if old:
                c[old].kill()
                killed = old
        writer = c.other()
        done += increment(c, writer, "sum")
        if kills and done == 100 * (kills - 1) + 60 and not c[killed].running():
            c[killed].start()
    expect(kills == 10, f"the master was killed {kills} times")
    value = c.get(c.other(), "sum")["value"]
    expect(value == "1000", f"the sum is {value}, not 1000")


@case("a clean stop of the master hands over before it ends")
def _(clusters):
    c = new(clusters, 3).start().form()
    old, epoch = c.master(), c.agree()[1]
    watch = Watch(c)
    left = [i for i in c.nodes if i != old]
    expect(c[old].terminate() == 0, "exit 0")
    c.put(left[0], "after", "1")
    name, later = wait_for(lambda: c.agree(left), "the others agree")
    expect(later > epoch, "a later epoch")
    with open(c[old].log, errors="replace") as log:  # a lease let go, or run out, would bring a later epoch, too
        expect("rule=HANDED_OVER" in log.read(), "it handed the lease to somebody")
    watch.check(released=True)


@case("one node is a cluster, and a restarted one resumes after its quarantine")
def _(clusters):
    c = new(clusters, 1).start().form()
    c.put(1, "k", "v")
    c[1].kill()
    c[1].start()
    expect(c.get(1, "k")["value"] == "v", "the write is still there")


@case("all daemons killed at once come back with everything that was acknowledged")
def _(clusters):
    c = new(clusters, 3).start().form()
    for k in range(20):
        c.put(1 + k % 3, f"k{k}", str(k))
    for node in c:
        node.process.kill()
    for node in c:
        node.process.wait()
    c.start()
    c.wait_whole()
    for k in range(20):
        expect(c.get(1 + k % 3, f"k{k}")["value"] == str(k), f"k{k} survived")
