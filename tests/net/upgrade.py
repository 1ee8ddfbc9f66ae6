"""The release before this one beside it: mixed clusters, upgrades one by one, and back again.

The old daemons are built from the repository's history (release.py); what they must be able to do
beside the new ones is what they could do before: join, elect, write, be upgraded at any time.
"""
import random
import subprocess
import threading
import time

import daemon
import release
from case import case
from cluster import Cluster, expect, wait_for
from daemon import Refused

OLD_RANGE, NEW_RANGE = [1, 1], [1, 3]


class MixedCluster(Cluster):
    """As long as an old master may lead it, three voters are as many as it gets."""

    def voters_expected(self):
        return min(super().voters_expected(), 3)


def mixed(clusters, count, old, wire=1):
    """A cluster that node 1, of the old release, founds; those in `old` run the old one."""
    essaimd, _ = release.previous(wire)
    c = MixedCluster(count)
    clusters.append(c)
    for i in old:
        c[i].essaimd = essaimd
    return c


def is_old(c, i):
    return c[i].essaimd != daemon.ESSAIMD


def change(c, i, essaimd):
    """A clean stop, another release's daemon on the same folder."""
    c[i].terminate()
    c[i].essaimd = essaimd
    c[i].start()


def level(c, i):
    return c[i].status().get("level")


def levels(c):
    """Of those that can say so: the old ones do not know the word."""
    return {level(c, i) for i in c.nodes if not is_old(c, i)}


def ranges(c, viewer):
    """name -> wire range, as that node last heard it."""
    return {r["name"]: r["wire"] for r in c[viewer].ask("node list") if r["state"] == "reachable"}


def write_everywhere(c, tag):
    for i in c.nodes:
        c.put(i, f"{tag}/n{i}", f"{tag} by {i}")
    for reader in c.nodes:
        for i in c.nodes:
            expect(c.get(reader, f"{tag}/n{i}")["value"] == f"{tag} by {i}", f"n{reader} reads n{i}'s row")


@case("old and new nodes join through each other, write through each other, and show their versions")
def _(clusters):
    c = mixed(clusters, 5, old=(1, 3, 5)).start()
    c.form(joined_through={2: 1, 3: 2, 4: 3, 5: 4})  # new through old, old through new
    write_everywhere(c, "mixed")
    shown = {c[i].name: OLD_RANGE if is_old(c, i) else NEW_RANGE for i in c.nodes}
    for viewer in (2, 4):
        wait_for(lambda: ranges(c, viewer) == shown, f"n{viewer} shows {shown}, not {ranges(c, viewer)}")
        wait_for(lambda: sum(c[viewer].status()["versions"].values()) == 5, f"n{viewer} counts the versions of all")
    expect(levels(c) == {1}, "one old member holds the level")
    for words in (("cluster", "set", "voters", "3"), ("master", "transfer"), ("node", "rekey", "--yes")):
        c.refused(2, *words, says=("upgrade 'n",))


def next_master(c, old):
    """Kills the master; who comes after it, once all that live agree."""
    left = [i for i in c.nodes if i != old]
    twins = [i for i in left if is_old(c, i) == is_old(c, old)]
    c[old].kill()
    for twin in twins:  # restarted it is mute for a while: the other release comes first
        time.sleep(0.4)
        c[twin].kill()
        c[twin].start()
    name, _ = wait_for(lambda: c.agree(left), "the survivors agree on a master")
    return next(i for i in left if c[i].name == name)


@case("mastership fails over from old to new and from new to old, and no write is lost")
def _(clusters):
    c = mixed(clusters, 3, old=(1, 3)).start().form()
    seen, writes, master = set(), 0, c.master()
    while not {("old", "new"), ("new", "old")} <= seen:
        expect(writes < 12, f"both ways within 12 fail-overs: {seen}")
        c.put(c.other(master), f"turn/{writes}", str(writes))
        after = next_master(c, master)
        seen.add(("old" if is_old(c, master) else "new", "old" if is_old(c, after) else "new"))
        c[master].start()
        c.wait_whole()
        master, writes = c.master(), writes + 1
    for reader in c.nodes:
        for turn in range(writes):
            expect(c.get(reader, f"turn/{turn}")["value"] == str(turn), f"n{reader} has write {turn}")


class Writer(threading.Thread):
    """Puts numbered rows through whichever node answers, and remembers which were acknowledged."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.cluster, self.done, self.ended = cluster, [], threading.Event()
        self.start()

    def run(self):
        number, dice = 0, random.Random(1)
        while not self.ended.is_set():
            node = self.cluster[dice.choice(list(self.cluster.nodes))]
            try:
                node.ask("kv put", {"key": f"stream/{number}", "value": str(number)}, 3)
                self.done.append(number)
            except (OSError, ConnectionError, Refused):
                time.sleep(0.01)  # unknown, or not done: another number, so that it is no matter
            number += 1

    def end(self):
        self.ended.set()
        self.join()
        return self.done


def missing(c, reader, numbers):
    rows = {r["key"] for r in c[reader].ask("kv list", {"prefix": "stream/"})}
    return [n for n in numbers if f"stream/{n}" not in rows]


def expect_all(c, numbers):
    for reader in c.nodes:
        wait_for(lambda: not missing(c, reader, numbers),
                 f"n{reader} has all {len(numbers)} rows: {missing(c, reader, numbers)[:5]} are missing")
        for n in numbers[:: len(numbers) // 20 + 1]:
            row = c[reader].ask("kv get", {"key": f"stream/{n}", "local": True})
            expect(row["value"] == str(n), f"n{reader} has row {n} as it was written: {row}")


def refused_at_start(c, i, essaimd, says):
    """That release's daemon does not open that node's folder, and says why."""
    kept, c[i].essaimd = c[i].essaimd, essaimd
    process = c[i].spawn()
    expect(process.wait(20) == 1, f"exit {process.returncode}")
    expect(says in c[i].tail(3), f"it says '{says}': {c[i].tail(3)}")
    c[i].essaimd = kept


@case("five nodes are upgraded one by one under writes, and the level rises with the last")
def _(clusters):
    old_essaimd, _ = release.previous()
    c = mixed(clusters, 6, old=range(1, 7))
    stranger = c.nodes.pop(6)  # of the old release, not started yet
    c.start().form()
    writer = Writer(c)
    for i in (3, 1, 5, 2, 4):
        wait_for(lambda before=len(writer.done): len(writer.done) > before + 20, "writes go on")
        expect(level(c, i) is None and levels(c) <= {1}, f"before n{i} the level is 1: {levels(c)}")
        change(c, i, daemon.ESSAIMD)
        c.wait_whole()
    wait_for(lambda: levels(c) == {3}, "the level is 3 everywhere")
    wait_for(lambda before=len(writer.done): len(writer.done) > before + 20, "writes go on")
    expect_all(c, writer.end())
    old_joiner_is_refused(c, stranger)
    c[5].terminate()
    refused_at_start(c, 5, old_essaimd, "was written by a newer essaim")
    c[5].start()
    c.wait_whole()
    expect_all(c, writer.done)


def old_joiner_is_refused(c, stranger):
    c.nodes[6] = stranger
    _, old_essaim = release.previous()
    stranger.start()
    token = c.essaim(1, "token", "create")["token"]
    done = subprocess.run([old_essaim, "--socket", stranger.socket, "join", c[2].address, "--token", token],
                          capture_output=True, text=True, timeout=60)
    expect(done.returncode == 1 and "too old for this cluster" in done.stderr,
           f"exit {done.returncode}: {done.stdout}{done.stderr}")
    expect(c[1].status()["members"]["total"] == 5, "it stayed outside")
    stranger.terminate()
    del c.nodes[6]


@case("before the level rises an upgraded node may go back, and nothing is lost")
def _(clusters):
    old_essaimd, _ = release.previous()
    c = mixed(clusters, 3, old=(1, 2, 3)).start().form()
    writer = Writer(c)
    for i in (2, 3):
        change(c, i, daemon.ESSAIMD)
        c.wait_whole()
    for i in (3, 2):
        wait_for(lambda before=len(writer.done): len(writer.done) > before + 20, "writes go on")
        change(c, i, old_essaimd)
        c.wait_whole()
    expect_all(c, writer.end())
    write_everywhere(c, "back")


@case("an old daemon's folder is refused to nobody, a marked one is left as it is by the old one")
def _(clusters):
    old_essaimd, _ = release.previous()
    c = mixed(clusters, 1, old=(1,)).start().form()
    c.put(1, "before", "kept")
    change(c, 1, daemon.ESSAIMD)  # alone, so the level rises at once
    wait_for(lambda: level(c, 1) == 3, "the level is 3")
    c.put(1, "after", "kept too")
    c[1].kill()
    refused_at_start(c, 1, old_essaimd, "was written by a newer essaim")
    c[1].start()
    wait_for(c.master, "a master again")
    expect(c.get(1, "before")["value"] == "kept" and c.get(1, "after")["value"] == "kept too", "both rows")


@case("a member that comes back with the old release after the level rose is refused and named")
def _(clusters):
    old_essaimd, _ = release.previous()
    c = mixed(clusters, 5, old=range(1, 6)).start().form()
    for i in (2, 3, 4, 5):
        change(c, i, daemon.ESSAIMD)
        c.wait_whole()
    others = (1, 2, 3, 4)
    voters = [r["name"] for r in c[2].ask("node list") if r["voter"]]
    expect("n5" not in voters and "n1" in voters, f"the first three vote: {voters}")
    wait_for(lambda: all(ranges(c, i).get("n5") == NEW_RANGE for i in (2, 3)), "both heard that n5 is new")
    c[5].terminate()  # its store is still one that the old daemon opens
    change(c, 1, daemon.ESSAIMD)
    wait_for(lambda: {level(c, i) for i in others} == {3}, "the level rises without n5, last heard new")
    c[5].essaimd = old_essaimd
    c[5].start()
    sentence = "n5 speaks wire version 1, the cluster 3: refused"
    wait_for(lambda: any(sentence in c[i].tail(400) for i in others), "it is named")
    c.put(1, "without", "it")
    expect(c.get(2, "without")["value"] == "it", "the others go on")
    expect(c.state_of(1, 5) != "reachable" and not c[5].status().get("master"), "it is no peer")
    change(c, 5, daemon.ESSAIMD)
    c.wait_whole()
    expect(c.get(5, "without")["value"] == "it", "upgraded it is back")


@case("three nodes of wire version 2 are upgraded one by one under writes and a fail-over, and come to 3", lasts=60)
def _(clusters):
    c = mixed(clusters, 3, old=(1, 2, 3), wire=2).start().form()
    write_everywhere(c, "two")
    writer = Writer(c)
    for i in (2, 1, 3):
        wait_for(lambda before=len(writer.done): len(writer.done) > before + 20, "writes go on")
        expect(levels(c) <= {2}, f"before n{i} the level is 2: {levels(c)}")
        change(c, i, daemon.ESSAIMD)
        c.wait_whole()
        if i == 2:  # from the old release to whoever comes
            old = c.master()
            c[old].kill()
            wait_for(lambda: c.agree([n for n in c.nodes if n != old]), "the survivors agree on a master")
            c[old].start()
            c.wait_whole()
    wait_for(lambda: levels(c) == {3}, "the level is 3 everywhere")
    expect_all(c, writer.end())
    write_everywhere(c, "three")


@case("an old member that is dead holds the level until it is removed", lasts=30)
def _(clusters):
    c = mixed(clusters, 4, old=(1, 2, 3, 4)).start().form()
    for i in (1, 2, 3):
        change(c, i, daemon.ESSAIMD)
        c.wait_whole()
    c[4].kill()
    wait_for(lambda: c.state_of(1, 4) == "unreachable", "it is found unreachable")
    expect({level(c, i) for i in (1, 2, 3)} == {1}, "the level waits for it")
    c.put(1, "meanwhile", "writes work")
    c.refused(1, "cluster", "set", "voters", "3", says=("upgrade 'n4'",))
    c.essaim(1, "node", "remove", "n4")
    wait_for(lambda: {level(c, i) for i in (1, 2, 3)} == {3}, "without it the level rises")
    c.essaim(1, "cluster", "set", "voters", "3")
