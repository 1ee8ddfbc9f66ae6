"""Who is reachable: an opinion that must not be wrong about the living."""
import time

import daemon
from case import case
from cluster import expect, new, wait_for


def ever(node, word, name):
    """Lines of `essaim events` that say that of that node."""
    return [e for e in node_events(node) if e["rule"] == word and e.get("subject") == name]


def node_events(node):
    return [f["event"] for f in daemon.frames(node.socket, "events", {"follow": False, "lines": 1000})
            if "event" in f]


@case("a killed node is found unreachable by all, and reachable again after its start")
def _(clusters):
    c = new(clusters, 5).start().form()
    victim = next(i for i in c.nodes if i != c.master())
    c[victim].kill()
    left = [i for i in c.nodes if i != victim]
    wait_for(lambda: all(c.state_of(i, victim) == "unreachable" for i in left), "all see it unreachable")
    row = next(r for r in c[left[0]].ask("node list") if r["name"] == c[victim].name)
    expect(row["accusers"], "the verdict names its accusers")
    c[victim].start()
    c.wait_whole()


@case("a node cut off without ICMP is found unreachable, and finds back by itself")
def _(clusters):
    c = new(clusters, 5).start().form()
    victim = next(i for i in c.nodes if i != c.master())
    c.network.isolate(victim)
    left = [i for i in c.nodes if i != victim]
    wait_for(lambda: all(c.state_of(i, victim) == "unreachable" for i in left), "all see it unreachable")
    c.network.heal()
    c.wait_whole()


@case("a daemon restarted within a second is not declared unreachable")
def _(clusters):
    c = new(clusters, 5).start().form()
    victim = next(i for i in c.nodes if i != c.master())
    for _ in range(3):
        c[victim].kill()
        c[victim].start()
        time.sleep(3)
    c.wait_whole()
    for node in c:
        if node.index != victim:
            said = ever(node, "UNREACHABLE", c[victim].name)
            expect(not said, f"{node.name} declared it unreachable: {said}")


@case("a node that hears nothing from one peer is vouched for by the others")
def _(clusters):
    c = new(clusters, 5).start().form()
    a, b = [i for i in c.nodes if i != c.master()][:2]
    c.network.cut(a, b)
    time.sleep(10)
    for viewer, subject in ((a, b), (b, a)):
        expect(c.state_of(viewer, subject) != "unreachable", f"n{viewer} gave n{subject} up")
        expect(not ever(c[viewer], "UNREACHABLE", c[subject].name), "no verdict on the way either")
    c.network.heal()


@case("a daemon paused for five seconds is never declared unreachable")
def _(clusters):
    c = new(clusters, 5).start().form()
    victim = next(i for i in c.nodes if i != c.master())
    c[victim].stop()
    time.sleep(5)
    c[victim].cont()
    c.wait_whole()
    for node in c:
        if node.index != victim:
            said = ever(node, "UNREACHABLE", c[victim].name)
            expect(not said, f"{node.name} declared it unreachable: {said}")


@case("a cluster of IPv6 addresses forms, fails over and heals")
def _(clusters):
    c = new(clusters, 3, family=6).start().form(joined_through={3: 2})
    old = c.master()
    c.network.isolate(old)
    left = [i for i in c.nodes if i != old]
    wait_for(lambda: c.agree(left), "the majority has a master")
    c.put(left[0], "v6", "yes")
    c.network.heal()
    c.wait_whole()


@case("the lan profile is committed: every node works by it")
def _(clusters):
    c = new(clusters, 3, profile="lan").start().form()
    expect(all(n.status()["profile"] == "lan" for n in c), "profile lan everywhere")
