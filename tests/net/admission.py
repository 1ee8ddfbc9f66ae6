"""Who gets in, and who never again."""
import time
from concurrent.futures import ThreadPoolExecutor

from case import case
from cluster import expect, new, wait_for


def token(c, node=1, *words):
    return c.essaim(node, "token", "create", *words)["token"]


def try_join(c, i, text, says, code=1):
    c.refused(i, "join", c[1].address, "--token", text, says=says, code=code)
    expect(c[i].status().get("cluster") is None, f"n{i} stayed outside")


@case("a wrong token is refused, and the one asked says nothing of the cluster")
def _(clusters):
    c = new(clusters, 3).start()
    c.essaim(1, "init", "n1")
    c.essaim(3, "init", "n3")  # a cluster of its own, whose tokens are good tokens, but not here
    wait_for(lambda: c[1].status().get("self_master") and c[3].status().get("self_master"), "two masters")
    good, foreign = token(c, 1), token(c, 3)
    try_join(c, 2, "nonsense", ("token",), code=2)
    body, checksum = good.rsplit("-", 1)
    try_join(c, 2, body + "-" + checksum[::-1], ("token",), code=2)
    try_join(c, 2, foreign, ("token",))
    c.join(2, 1, good)
    wait_for(lambda: c[2].status().get("members") == {"total": 2, "reachable": 2}, "the good one works")


@case("a token is good for as many joins as it says and no more")
def _(clusters):
    c = new(clusters, 3).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    text = token(c)
    c.essaim(2, "join", c[1].address, "--token", text)
    try_join(c, 3, text, ("token",))
    c.essaim(3, "join", c[2].address, "--token", token(c, 2, "--uses", 2))
    c.wait_whole()


@case("an expired and a revoked token are refused")
def _(clusters):
    c = new(clusters, 2).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    text = token(c, 1, "--expires", "1s")
    time.sleep(1.5)
    try_join(c, 2, text, ("token",))
    text = token(c)
    rows = c.essaim(1, "token", "list")
    live = [r for r in rows if not r["revoked"] and r["uses_left"] > 0]
    for row in live:
        c.essaim(1, "token", "revoke", row["id"])
    try_join(c, 2, text, ("token",))
    c.join(2, 1, token(c))
    c.wait_whole()


@case("a removed node is told, stops, and cannot come back with its key")
def _(clusters):
    c = new(clusters, 4).start().form()
    gone = next(i for i in c.nodes if i != c.master())
    other = c.other(gone)
    spare = token(c, other)
    c.essaim(other, "node", "remove", c[gone].name)
    wait_for(lambda: not c[gone].running() or c[gone].status().get("standing") == "removed",
             "the removed daemon is told and stops")
    expect(all(r["revoked"] or r["uses_left"] == 0 for r in c.essaim(other, "token", "list")),
           "removing revoked the open tokens")
    if not c[gone].running():
        c[gone].start()
    done = c.essaim(gone, "join", c[other].address, "--token", token(c, other), check=False)
    expect(done.returncode == 1, f"the removed key may not join: exit {done.returncode}: {done.stderr}")
    left = [i for i in c.nodes if i != gone]
    expect(all(c.state_of(i, gone) in ("removed", None) for i in left), "it stays removed")
    expect(spare, "the spare token was one of the revoked ones")


@case("after node reset on the removed machine a join works, under a new key")
def _(clusters):
    c = new(clusters, 4).start().form()
    gone = next(i for i in c.nodes if i != c.master())
    other = c.other(gone)
    c.refused(gone, "node", "reset", says=("member",))
    before = next(r["id"] for r in c[other].ask("node list") if r["name"] == c[gone].name)
    c.essaim(other, "node", "remove", c[gone].name)
    wait_for(lambda: not c[gone].running() or c[gone].status().get("standing") == "removed", "it is told")
    if not c[gone].running():
        c[gone].start()
    c.essaim(gone, "node", "reset")
    try:
        c[gone].process.wait(3)
    except Exception:
        pass  # it may go on, blank
    if not c[gone].running():
        c[gone].start()
    wait_for(lambda: c[gone].status() and c[gone].status()["cluster"] is None, "it is blank")
    c.join(gone, other, token(c, other))
    rows = wait_for(lambda: [r for r in c[other].ask("node list")
                             if r["name"] == c[gone].name and r["state"] == "reachable"], "it is back")
    expect(rows[0]["id"] != before, "under a new key")


@case("a node that leaves is gone for the others and its daemon stops")
def _(clusters):
    c = new(clusters, 4).start().form()
    leaver = next(i for i in c.nodes if i != c.master())
    c.essaim(leaver, "leave", check=False)
    left = [i for i in c.nodes if i != leaver]
    wait_for(lambda: all(c.state_of(i, leaver) in ("left", None) for i in left), "all see that it left")
    wait_for(lambda: not c[leaver].running(), "its daemon stops")


@case("daemons of two clusters do not mix: a stranger's packets are dropped and counted")
def _(clusters):
    c = new(clusters, 3).start()
    c.essaim(1, "init", "n1")
    c.essaim(3, "init", "n3")
    wait_for(lambda: c[1].status().get("self_master") and c[3].status().get("self_master"), "two masters")
    c.join(2, 1, token(c))
    wait_for(lambda: c[1].status()["members"]["total"] == 2, "two members")
    c.refused(2, "join", c[3].address, "--token", token(c, 3), says=("member",))
    expect(c[3].status()["members"]["total"] == 1, "the other cluster stayed alone")


@case("a joiner whose answer was lost with the member that it asked asks again, and is admitted once")
def _(clusters):
    c = new(clusters, 4).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    for i in (2, 3):
        c.join(i, 1, token(c))
    wait_for(lambda: c.agree((1, 2, 3)), "all agree on one master")
    asked = next(i for i in (2, 3) if i != c.master())
    words = ["join", c[asked].address, "--token", token(c, asked)]
    c[c.master()].stop()  # what is asked now waits at the member
    with ThreadPoolExecutor(1) as user:
        joined = user.submit(c.essaim, 4, *words, check=False)
        wait_for(lambda: c[4].status().get("standing") == "joining", "it waits for its answer")
        time.sleep(0.3)
        c[asked].kill()
        for node in [n for n in c if n.stopped]:
            node.cont()
        c[asked].start()
        done = joined.result(timeout=60)
    expect(done.returncode == 0, f"the join succeeds: {done.stderr}")
    wait_for(lambda: c[1].status().get("members") == {"total": 4, "reachable": 4}, "four members")
    with open(c[4].log, errors="replace") as log:
        expect("rule=JOIN_LOST" in log.read(), "its answer was lost")
