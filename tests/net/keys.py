"""Who a node is: a change of key at any moment, and every way in which a node is removed."""
import os
import shutil
import subprocess
import tempfile
import threading

import daemon
import lab
from case import case
from cluster import expect, new, wait_for
from daemon import Refused

HERE = os.path.dirname(os.path.abspath(__file__))


def row_of(c, viewer, name, state="reachable"):
    rows = [r for r in c[viewer].ask("node list") if r["name"] == name and r["state"] == state]
    return rows[0] if rows else None


def id_of(c, i, viewer=None):
    row = row_of(c, viewer or c.other(i), c[i].name)
    return row and row["id"]


def rekey(c, i, limit=40):
    """Through the command line, which also has to be answered before the process goes on."""
    return c.essaim(i, "--timeout", f"{limit}s", "node", "rekey", "--yes", timeout=limit + 20)


def expect_changed(c, i, before, after=None):
    """Everybody has the node under another id; the old id is a tombstone everywhere."""
    c.wait_whole()
    for viewer in c.nodes:
        now = wait_for(lambda: row_of(c, viewer, c[i].name), f"n{viewer} reaches it")
        expect(now["id"] != before and after in (None, now["id"]), f"n{viewer}: {now['id']} after {before}")
        old = wait_for(lambda: [r for r in c[viewer].ask("node list", {"all": True}) if r["id"] == before],
                       f"n{viewer} keeps the old id")
        expect(old[0]["state"] == "removed", f"the old id is {old[0]['state']}")


@case("a voter, a master and a learner change their keys and stay who they are")
def _(clusters):
    c = new(clusters, 4).start().form()
    for i in c.nodes:  # three voters, one of them master, one learner: each in its turn
        c.put(i, f"by/{i}", "before")
        before = id_of(c, i)
        answer = rekey(c, i)
        expect(answer["old_id"] == before, f"{answer} after {before}")
        expect_changed(c, i, before, answer["new_id"])
        c.put(i, f"by/{i}", "after")
        expect(not os.path.exists(os.path.join(c[i].data, "key.new")), "the new key took the old one's place")
        expect(c[i].running(), "the process went on")
    for reader in c.nodes:
        expect(all(c.get(reader, f"by/{i}")["value"] == "after" for i in c.nodes), "all rows are there")


@case("each of two nodes changes its key, the master too, and both vote again")
def _(clusters):
    c = new(clusters, 2).start().form()
    for i in (c.master(), c.other(c.master())):
        before = id_of(c, i)
        answer = rekey(c, i)
        expect_changed(c, i, before, answer["new_id"])
    wait_for(lambda: c[1].status()["voters"] == {"total": 2, "reachable": 2, "needed": 2}, "two voters")
    c.put(1, "k", "v")


@case("the new key stays over restarts, and a second change works as well")
def _(clusters):
    c = new(clusters, 3).start().form()
    first = rekey(c, 2)["new_id"]
    c.wait_whole()
    c[2].kill()
    c[2].start()
    c.wait_whole()
    expect(id_of(c, 2) == first, "the same id after a restart")
    second = rekey(c, 2)
    expect(second["old_id"] == first, "the second change is of the first one's key")
    expect_changed(c, 2, first, second["new_id"])


@case("the only node cannot change its key and is told what to do")
def _(clusters):
    c = new(clusters, 1).start().form()
    c.refused(1, "node", "rekey", "--yes", says=("only node", "join"))
    expect(c.master() == 1 and c.put(1, "k", "v")["version"] > 0, "it goes on")


def dying_at(c, when):
    shim = os.path.join(c.folder, "die_at.so")
    if not os.path.exists(shim):
        lab.run("cc", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "die_at.c"))
    return {"LD_PRELOAD": shim, "ESSAIM_DIE_AT": when,
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}


def ask_to_die(c, i, when):
    """A change of key during which the daemon is killed at that very step."""
    c[i].terminate()
    c[i].start(dying_at(c, when))
    c.wait_whole()
    try:
        c[i].ask("node rekey", {}, 40)
    except (OSError, ConnectionError, Refused):
        pass  # it died before it could answer
    c[i].process.wait(60)


for WHEN, CHANGED in (("before key.new", False), ("after key.new", False),
                      ("before node.key", True), ("after node.key", True)):
    @case(f"killed {WHEN} is in place, a node that changes its key is one valid member again")
    def _(clusters, when=WHEN, changed=CHANGED):
        c = new(clusters, 3).start().form()
        before = id_of(c, 3)
        ask_to_die(c, 3, when)
        c[3].start()
        c.wait_whole()
        expect((id_of(c, 3) != before) == changed, f"changed: {changed}")
        answer = rekey(c, 3)  # whatever the first attempt left, the next one ends it
        expect_changed(c, 3, answer["old_id"], answer["new_id"])
        c.put(3, "k", "v")


@case("killed while its request is on its way, a node that changes its key is one valid member again", lasts=65)
def _(clusters):
    c = new(clusters, 3).start().form()
    for delay in (0.0, 0.005, 0.02, 0.1, 0.4):
        before = id_of(c, 3)
        asked = threading.Thread(target=lambda: try_rekey(c, 3), daemon=True)
        asked.start()
        asked.join(delay)
        c[3].kill()
        asked.join(20)
        c[3].start()
        c.wait_whole()
        rows = {row_of(c, i, "n3")["id"] for i in (1, 2)}
        expect(len(rows) == 1, f"one n3: {rows}")
    answer = rekey(c, 3)
    expect_changed(c, 3, answer["old_id"], answer["new_id"])
    expect(before, "it was a member before each attempt")


def try_rekey(c, i):
    try:
        c[i].ask("node rekey", {}, 10)
    except (OSError, ConnectionError, Refused):
        pass


@case("cut off while it changes its key, a node finds out by itself and goes on with the new one")
def _(clusters):
    c = new(clusters, 3).start().form()
    if c.master() == 3:
        c[3].terminate()
        c[3].start()
        c.wait_whole()
    before = id_of(c, 3)
    c[3].terminate()
    c[3].start(dying_at(c, "before node.key"))  # it dies as soon as it knows
    c.wait_whole()
    try_rekey(c, 3)
    c[3].process.wait(60)
    c.network.isolate(3)
    c[3].start()  # cut off it cannot know more than its store does
    c.network.heal()
    expect_changed(c, 3, before)


@case("whoever starts a copy with the old key is refused for ever and told why")
def _(clusters):
    c = new(clusters, 4)
    c.start(1, 2, 3)
    spare = c.nodes.pop(4)
    c.form()
    copy = tempfile.mkdtemp(dir=c.folder)
    c[3].kill()
    shutil.copytree(c[3].data, os.path.join(copy, "n3"))
    c[3].start()
    c.wait_whole()
    before = id_of(c, 3)
    rekey(c, 3)
    expect_changed(c, 3, before)
    shutil.rmtree(spare.data, ignore_errors=True)
    shutil.copytree(os.path.join(copy, "n3"), spare.data)
    spare.name = "n3"  # under its name, at another address
    spare.process = spare.spawn()
    c.nodes[4] = spare
    wait_for(lambda: "its key was changed" in tail_of(spare) or "this is an old copy" in tail_of(spare),
             "the copy is told")
    wait_for(lambda: not spare.running(), "and stops")
    expect(row_of(c, 1, "n3"), "the real one goes on")
    del c.nodes[4]


def tail_of(node):
    return node.tail(100) if os.path.exists(node.log) else ""


# ---- node remove ----


@case("a master that is removed hands over first, and no write fails for want of a master")
def _(clusters):
    c = new(clusters, 4).start().form()
    gone = c.master()
    other = c.other(gone)
    c.put(other, "k", "before")
    c.essaim(other, "--timeout", "30s", "node", "remove", c[gone].name)
    wait_for(lambda: not c[gone].running(), "it is told and stops")
    left = [i for i in c.nodes if i != gone]
    name, _ = wait_for(lambda: c.agree(left), "the others agree on a master")
    expect(name != c[gone].name, "another one")
    c.put(other, "k", "after")
    wait_for(lambda: c[other].status()["voters"]["total"] == 3, "three voters again")
    expect(c.state_of(other, gone) in ("removed", None), "it is removed")


@case("a voter that is removed is swapped first, with every voter reachable all the time")
def _(clusters):
    c = new(clusters, 4).start().form()
    master = c.master()
    voters = [r["name"] for r in c[master].ask("node list") if r["voter"]]
    gone = next(i for i in c.nodes if c[i].name in voters and i != master)
    c.essaim(master, "--timeout", "30s", "node", "remove", c[gone].name)
    wait_for(lambda: not c[gone].running(), "it is told and stops")
    wait_for(lambda: c[master].status()["voters"] | {"total": 3, "reachable": 3} == c[master].status()["voters"],
             "three voters, all reachable")
    c.put(master, "k", "v")


@case("an unreachable node is removed, and learns of it when it comes back")
def _(clusters):
    c = new(clusters, 4).start().form()
    gone = next(i for i in c.nodes if i != c.master())
    other = c.other(gone)
    c[gone].kill()
    wait_for(lambda: c.state_of(other, gone) == "unreachable", "it is unreachable")
    c.essaim(other, "--timeout", "60s", "node", "remove", c[gone].name, timeout=90)
    c[gone].process = c[gone].spawn()
    wait_for(lambda: "was removed from" in c[gone].tail(), "it is told")
    expect(c.state_of(other, gone) in ("removed", None), "it stays removed")
    c[gone].kill()


@case("removing oneself is refused and leave is named")
def _(clusters):
    c = new(clusters, 3).start().form()
    c.refused(2, "node", "remove", "n2", says=("essaim leave",))
    expect(c[1].status()["members"]["total"] == 3, "nobody went")


@case("removing an unknown name is refused with the names that are near")
def _(clusters):
    c = new(clusters, 3).start().form()
    talk = c.refused(1, "node", "remove", "n22", says=("n22", "n2"))
    expect("n2" in talk.replace("n22", ""), f"near names are said: {talk}")


@case("the last node is not removed")
def _(clusters):
    c = new(clusters, 2).start().form()
    c.essaim(2, "leave", check=False)
    wait_for(lambda: c[1].status().get("members", {}).get("total") == 1, "one is left")
    wait_for(c.master, "it is master")
    c.refused(1, "node", "remove", "n1")
    c.refused(1, "leave", says=("last",))
    expect(c.put(1, "k", "v")["version"] > 0, "it goes on")
