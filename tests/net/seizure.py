"""When the majority is lost for good: seizing, and starting again from a backup."""
import base64
import json
import os
import random
import socket
import struct
import time

import daemon
from case import case
from cluster import Failure, expect, new, wait_for
from daemon import Refused
from membership import node_events


def seize(c, node, *dead):
    """A machine is quicker than a person: who was heard a moment ago is not dead yet."""
    names = ",".join(c[i].name for i in dead)

    def seized():
        done = c.essaim(node, "--timeout", "60s", "master", "seize", "--dead", names, "--confirm", names,
                        check=False, timeout=90)
        said = json.loads(done.stdout)
        if done.returncode != 0 and "heard" not in said["error"]["why"]:
            raise Failure(f"n{node} could not seize: {said}")
        return done.returncode == 0 and said
    return wait_for(seized, f"n{node} seizes", 60, 0.3)


def without_master(c, node):
    wait_for(lambda: c[node].status() and not c[node].status()["master"], f"n{node} sees no master")


def unreachable(c, viewer, *nodes):
    wait_for(lambda: all(c.state_of(viewer, i) == "unreachable" for i in nodes), f"n{viewer} misses {nodes}")


def left_behind(c, i):
    """It is told and stops, as one that was removed does; started again it says how to come back."""
    wait_for(lambda: not c[i].running(), f"n{i} stops: it is told that it is left behind", 90)
    expect(c[i].process.returncode == 0, f"n{i} ended with {c[i].process.returncode}")
    c[i].start()
    talk = " ".join(c.essaim(i, "status", as_json=False).split())
    expect("node reset" in talk and "join" in talk, f"n{i} says how to come back: {talk}")
    try:
        c[i].ask("kv put", {"key": "stale", "value": "x"}, 2)
        raise AssertionError(f"n{i}, which is left behind, took a write")
    except Refused:
        pass
    return c[i].status()["standing"], talk


def reset_and_join(c, i, through, role="node"):
    """As the refusal says: reset, start, join."""
    c[i].ask("node reset")
    c[i].process.wait(30)
    c[i].start()
    c.join(i, through, c.token(through, role=role), role=role)


@case("a seizure is refused as long as it is not the last resort")
def _(clusters):
    c = new(clusters, 5).start().form(witnesses=(5,))
    c.essaim(1, "cluster", "set", "voters", "3")
    wait_for(lambda: len(c[1].ask("cluster show")["voters"]) == 3, "three voters")
    names = {v["name"]: v for v in c[1].ask("cluster show")["voters"]}
    voting = [n.index for n in c if n.name in names]
    plain = [n.index for n in c if n.name not in names]
    c.refused(voting[0], "master", "seize", "--dead", "n2", "--confirm", "n2", says=("reachable",))
    seizer = next(i for i in voting if not names[c[i].name]["witness"])
    dead = [i for i in voting if i != seizer]
    c[dead[0]].kill()
    c[dead[1]].kill()
    unreachable(c, seizer, *dead)
    without_master(c, seizer)
    time.sleep(4)  # nobody heard them a moment ago
    one, both = c[dead[0]].name, ",".join(c[i].name for i in dead)
    alive = c[plain[0]].name
    c.refused(seizer, "master", "seize", "--dead", one, "--confirm", one, says=(c[dead[1]].name,))
    c.refused(seizer, "master", "seize", "--dead", f"{both},{alive}", "--confirm", f"{both},{alive}",
              says=(alive, "not dead"))
    c.refused(seizer, "master", "seize", "--dead", both, says=("not confirmed", "--confirm"))
    c.refused(seizer, "master", "seize", "--dead", both, "--confirm", one, says=("not those",))
    c.refused(seizer, "master", "seize", "--dead", "n17", "--confirm", "n17", says=("no such node", "n17"))
    c.refused(seizer, "master", "seize", "--yes", code=2)
    if 5 not in dead:
        c.refused(5, "master", "seize", "--dead", both, "--confirm", both, says=("witness",))
    expect(c[seizer].status()["generation"] == 1, "nothing was seized")


@case("two of three voters are lost: the third seizes, others follow, the old ones are refused and come back")
def _(clusters):
    c = new(clusters, 4).start().form()
    for k in range(20):
        c.put(1, f"k{k}", str(k))
    names = [v["name"] for v in c[1].ask("cluster show")["voters"]]
    voting = [n.index for n in c if n.name in names]
    seizer, lost = voting[0], voting[1:]
    follower = next(i for i in c.nodes if i not in voting)
    wait_for(lambda: c[follower].status()["commit"] >= c[seizer].status()["commit"], "the follower has all")
    for i in lost:
        c[i].kill()
    unreachable(c, seizer, *lost)
    without_master(c, seizer)
    plan = c[seizer].ask("master seize", {"plan": True})
    expect(sorted(d["name"] for d in plan["dead"]) == sorted(c[i].name for i in lost),
           f"without names it means everybody who is unreachable: {plan}")
    done = seize(c, seizer, *lost)
    expect(done["generation"] == 2, f"the next generation: {done}")
    expect(sorted(done["removed"]) == sorted(c[i].name for i in lost), f"without the dead: {done}")
    c.put(seizer, "after", "1")
    c.put(follower, "after", "2")
    for k in range(20):
        expect(c.get(follower, f"k{k}")["value"] == str(k), f"k{k} survived")
    shown = c.essaim(follower, "cluster", "show")
    expect(shown["generation"] == 2 and shown["hash"] == done["hash"], f"it followed: {shown}")
    audit = shown["generations"][0]
    expect(audit["how"] == "seized" and audit["by"] == c[seizer].name and
           sorted(audit["dead"]) == sorted(c[i].name for i in lost), f"who, and without whom: {audit}")
    for i in lost:
        c[i].process, c[i].stopped = c[i].spawn(None), False  # it may be told, and end, before it answers
        standing, _ = left_behind(c, i)
        expect(standing in ("old generation", "removed"), f"n{i} is {standing}")
    for i in lost:
        reset_and_join(c, i, seizer)
    c.wait_whole()
    expect(c.get(lost[0], "after")["value"] == "2", "the new generation's writes are there")


@case("two rival seizures in two halves of a cut: after healing one goes on, and the other is told that it lost", lasts=20)
def _(clusters):
    c = new(clusters, 5).start().form()
    wait_for(lambda: all(len(n.ask("cluster show")["voters"]) == 5 for n in c), "five voters")
    c.put(1, "before", "1")
    wait_for(lambda: len({n.status()["commit"] for n in c}) == 1, "all have the same")
    c[5].kill()
    for a in (1, 2):
        for b in (3, 4):
            c.network.cut(a, b)
    unreachable(c, 1, 3, 4, 5)
    unreachable(c, 3, 1, 2, 5)
    left = seize(c, 1, 3, 4, 5)
    right = seize(c, 3, 1, 2, 5)
    expect(left["generation"] == right["generation"] == 2 and left["hash"] != right["hash"],
           f"two generations of one number: {left} {right}")
    c.put(2, "side", "left")
    c.put(4, "side", "right")
    wins, loses = ((1, 2), (3, 4)) if left["hash"] > right["hash"] else ((3, 4), (1, 2))
    side = "left" if wins == (1, 2) else "right"
    c.network.heal()
    for i in loses:
        standing, talk = left_behind(c, i)
        expect(standing == "old generation", f"n{i} is {standing}")
        if i == loses[0]:
            expect("same time" in talk and "lost" in talk, f"the loser is told so: {talk}")
    for i in wins:
        expect(c[i].status()["standing"] == "member", f"n{i} goes on")
    wait_for(lambda: any("RIVAL" in e["rule"] for i in wins for e in node_events(c[i])),
             "the winner's side raises an alarm, too")
    c.put(wins[0], "after", "1")
    expect(c.get(wins[1], "side")["value"] == side, "the winner's writes stand")
    for i in loses:
        reset_and_join(c, i, wins[0])
    expect(c.get(loses[0], "after")["value"] == "1", "who lost came back")


# ---- backup and restore ----

VALUES = {"empty": b"", "text": "première ligne\nsecond \"line\" \\ /".encode(), "bytes": bytes(range(256)),
          "control": b"\x01" * 1000, "big": random.Random(7).randbytes(65536), "quotes": b'"' * 65536}


def put_bytes(c, node, key, value):
    c[node].ask("kv put", {"key": key, "value_base64": base64.b64encode(value).decode()})


def get_bytes(c, node, key):
    row = c.get(node, key)
    return base64.b64decode(row["value_base64"]) if "value_base64" in row else row["value"].encode()


def upload(node, name, lines, limit=20):
    """The restore protocol by hand: what a broken or hostile client may send."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(limit)
        connection.connect(node.socket)
        request = json.dumps({"verb": "cluster restore", "args": {"name": name}, "timeout_ms": 10000}).encode()
        try:
            for frame in [request] + lines:
                connection.sendall(struct.pack(">I", len(frame)) + frame)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has seen enough; its answer is there
        size, = struct.unpack(">I", daemon._read(connection, 4))
        return json.loads(daemon._read(connection, size))


def backup(c, node, name="backup"):
    path = os.path.join(c.folder, name)
    return path, c.essaim(node, "cluster", "backup", path)


@case("a backup restores on a blank node: the next generation of the same cluster, with every value")
def _(clusters):
    c = new(clusters, 4).start(1, 2, 3)
    c[1].ask("init", {"name": "n1", "profile": "lan"}, 30)
    wait_for(c.master, "the founder is master")
    token = c.token(1, 2)
    for i in (2, 3):
        c.join(i, 1, token)
    for key, value in VALUES.items():
        put_bytes(c, 1, key, value)
    for k in range(300):
        c.put(2, f"many/{k:03}", "x" * k)
    c.essaim(1, "cluster", "set", "voter-patience", "90s")
    wait_for(lambda: c[3].ask("kv list", {})[-1:] and len(c[3].ask("kv list", {})) == len(VALUES) + 300,
             "the third has it all")
    wait_for(lambda: c[3].ask("cluster show")["settings"]["voter-patience"]["set"], "also the setting")
    path, done = backup(c, 3)
    expect(done["rows"] == len(VALUES) + 300 + 1 + 3, f"values, a setting, three members: {done}")
    expect(os.stat(path).st_mode & 0o077 == 0, "only for the one who asked")
    cluster = c[1].status()["cluster"]
    for i in (1, 2, 3):
        c[i].kill()
    c[4].start()
    restored = c.essaim(4, "cluster", "restore", path, "--name", "n4")
    expect(restored == {"cluster": cluster, "generation": 2}, f"the same cluster, one later: {restored}")
    wait_for(lambda: c[4].status().get("self_master"), "it is its master")
    for key, value in VALUES.items():
        expect(get_bytes(c, 4, key) == value, f"{key} came back")
    expect(len(c[4].ask("kv list", {"prefix": "many/"})) == 300, "so did the many")
    shown = c.essaim(4, "cluster", "show")
    expect(shown["settings"]["voter-patience"]["value"] == "90s", f"so did the setting: {shown}")
    expect(shown["generations"][0]["how"] == "restored", f"and it is audited: {shown}")
    expect([r["name"] for r in c[4].ask("node list") if r["state"] not in ("left", "removed")] == ["n4"],
           "it is the only member")
    c.put(4, "text", "new")
    c[4].kill()
    c[4].start()
    expect(c.get(4, "text")["value"] == "new", "a restored node restarts like any other")
    c.refused(4, "cluster", "restore", path, says=("already has a cluster",))
    old_and_restored_stay_apart(c)


def old_and_restored_stay_apart(c):
    """The machines that the backup was to replace come back, with a quorum: two clusters, and nothing crosses."""
    for i in (1, 2, 3):
        c[i].start()
    wait_for(lambda: c.agree((1, 2, 3)), "the old ones have a master of their own")
    c.put(1, "side", "old")
    c.put(4, "side", "restored")
    time.sleep(3)
    for i in (1, 2, 3):
        expect(c.get(i, "side")["value"] == "old", f"n{i} has what the old ones wrote")
        expect("n4" not in [r["name"] for r in c[i].ask("node list")], f"n{i} does not list the restored one")
    expect(c.get(4, "side")["value"] == "restored", "the restored one has its own")
    expect([r["name"] for r in c[4].ask("node list") if r["state"] not in ("left", "removed")] == ["n4"],
           "and no member but itself")
    expect((c[1].status()["generation"], c[4].status()["generation"]) == (1, 2), "one generation apart")


@case("a damaged, interrupted or unfit backup changes nothing, and the node stays blank")
def _(clusters):
    c = new(clusters, 2).start()
    c[1].ask("init", {"name": "n1", "profile": "default"}, 30)
    wait_for(c.master, "the founder is master")
    for k in range(50):
        c.put(1, f"k{k:02}", str(k))
    path, _ = backup(c, 1)
    whole = open(path, "rb").read()
    bad = os.path.join(c.folder, "bad")
    for damage in (whole[:-40], whole.replace(b'"17"', b'"18"'), whole[:1000] + whole[1001:], b"", b"\x00" * 4096,
                   whole.replace(b"\n", b"\n\n", 1), whole + whole):
        with open(bad, "wb") as out:
            out.write(damage)
        c.refused(2, "cluster", "restore", bad, says=("no whole backup", "nothing was changed"))
    lines = whole.splitlines()
    for sent, word in ((lines[:20] + lines[21:], "checksum"),  # a row is missing
                       (lines[1:], "no backup"),
                       (lines[:5] + [lines[4]] + lines[5:], "line 6: the row is out of order"),
                       ([b"{}"], "no backup"), ([b"nonsense"], "no JSON"), (lines[:3] + [b"["], "line 4: it is no JSON")):
        answer = upload(c[2], "n2", sent)
        expect(answer["code"] == 1 and word in answer["error"]["why"], f"the daemon checks by itself: {answer}")
        expect(c[2].status()["standing"] == "uninitialised", f"still blank: {c[2].status()}")
    with socket.socket(socket.AF_UNIX) as connection:  # breaks off
        connection.connect(c[2].socket)
        request = json.dumps({"verb": "cluster restore", "args": {"name": "n2"}}).encode()
        for frame in [request] + lines[:30]:
            connection.sendall(struct.pack(">I", len(frame)) + frame)
        wait_for(lambda: busy_restoring(c[2]), "it began")
    wait_for(lambda: c[2].status()["standing"] == "uninitialised", "an interrupted one leaves it blank")
    c[2].kill()
    c[2].start()
    expect(c[2].status()["standing"] == "uninitialised", "also after a restart")
    c.essaim(2, "cluster", "restore", path)  # its own --name
    wait_for(lambda: c[2].status().get("self_master"), "the whole one is taken after all that")
    expect(c.get(2, "k17")["value"] == "17", "with its values")


def busy_restoring(node):
    """Is a restore refused because one is under way?"""
    try:
        return "under way" in upload(node, "n2", [], limit=1)["error"]["why"]
    except socket.timeout:
        return False  # it was taken, and waits for lines; closing gives it up


@case("a backup is one moment: what was written before it is in it, and others write on meanwhile")
def _(clusters):
    c = new(clusters, 1).start().form()
    for k in range(40):
        put_bytes(c, 1, f"big/{k:02}", b"%02d" % k * 30000)
    path = os.path.join(c.folder, "backup")
    with socket.socket(socket.AF_UNIX) as slow:  # a client that does not read
        slow.connect(c[1].socket)
        request = json.dumps({"verb": "cluster backup", "args": {}, "timeout_ms": 60000}).encode()
        slow.sendall(struct.pack(">I", len(request)) + request)
        wait_for(lambda: busy(c), "it is under way")
        for k in range(40):
            put_bytes(c, 1, f"big/{k:02}", b"new")
        rows = read_all(slow)
    values = [row for row in rows if row.get("table") == "kv"]
    expect([row["value"] for row in values] == [f"{k:02}" * 30000 for k in range(40)],
           f"every value as it was when the backup began, not {[r.get('value', '')[:9] for r in values]}")
    c.essaim(1, "cluster", "backup", path)
    expect(sum(b'"new"' in line for line in open(path, "rb")) == 40, "the next has the new ones")


def busy(c):
    try:
        c[1].ask("cluster backup", timeout=5)
    except Refused as refusal:
        return "under way" in refusal.error["why"]
    return False


def read_all(connection):
    rows = []
    connection.settimeout(30)
    while True:
        size, = struct.unpack(">I", daemon._read(connection, 4))
        frame = json.loads(daemon._read(connection, size))
        if "code" in frame:
            expect(frame["code"] == 0, f"the backup ended with {frame}")
            return rows
        rows.append(frame["event"]["row"])
