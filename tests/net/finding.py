"""What the doctor finds: the codes that need a broken link, disk, version or observer, made by real daemons.

A code of the table that no case of tests/net waits for by `found` fails the test of purity.
"""
import os
import shutil
import subprocess

import lab
from case import case
from cluster import expect, wait_for
from observing import Swarm, calm, swarm
from storage import slow_disk


class Drop:
    """Drops what matches, at that node's own way into the network; no ICMP says so."""

    def __init__(self, i, match):
        lab.run("nft", "-f", "-", text=f"""table netdev finding {{
            chain lossy {{
                type filter hook ingress device v{i} priority 2; policy accept;
                {match} drop
            }}
        }}""")

    def end(self):
        lab.run("nft", "delete", "table", "netdev", "finding")


@case("a link that loses only large packets is found, and nobody is suspected for it", lasts=25)
def mtu(clusters):
    c = swarm(clusters, 3)
    drop = Drop(1, f"ip daddr {c.network.ip(2)} meta l4proto udp ip length > 1200")
    f = c.found(3, "MTU_SMALL", "n2", says=("1260 bytes", "from n1 to n2", f"ping -M do -c 3 -s 1232 {c.network.ip(2)}"))
    expect(f["where"] == ["n1"], f)
    expect({f["about"] for f in c.findings(3) if f["code"] == "MTU_SMALL"} == {"n2"}, c.findings(3))
    drop.end()
    c.over(3, "MTU_SMALL")
    calm(c)


@case("a member that packets reach and connections do not is found", lasts=20)
def tcp(clusters):
    c = swarm(clusters, 3)
    drop = Drop(1, f"ip daddr {c.network.ip(2)} tcp dport 7800 tcp flags & (syn | ack) == syn")
    f = c.found(3, "TCP_BLOCKED", "n2", says=("n1 cannot open",))
    expect(f["where"] == ["n1"] and f["severity"] == "error", f)
    drop.end()
    c.over(3, "TCP_BLOCKED")
    calm(c)


@case("a link of one direction is found by the end that hears", lasts=25)
def one_way(clusters):
    c = swarm(clusters, 3)
    c.network.cut(1, 2, one_way=True)
    c.found(3, "ONE_WAY_LINK", "n2", says=("n1 hears n2",))
    c.network.heal()
    c.over(3, "ONE_WAY_LINK")


@case("a path that is down, while another carries everything, is found")
def path_down(clusters):
    c = swarm(clusters, 2, networks=2)
    c.network.unplug(1, 1)
    c.found(2, "PATH_DOWN", says=(c.network.ip(1, 4, 1),))
    c.network.heal()
    c.over(2, "PATH_DOWN")


@case("a copy of a data folder that was started is found")
def clone(clusters):
    made = Swarm(4)
    clusters.append(made)
    copy = made.nodes.pop(4)
    c = made.start().form()
    c[3].terminate()
    shutil.copytree(c[3].data, copy.data)
    c[3].start()
    c.wait_whole()
    copy.process = copy.spawn()
    try:
        f = c.found(1, "KEY_CLONE", "n3", says=(copy.address, c[3].address))
        expect(f["severity"] == "error", f)
    finally:
        copy.kill()


@case("a master's clock that runs at another rate than its boot clock is found", lasts=30)
def rate(clusters):
    c = swarm(clusters, 3)
    c[3].set_clock(0, slow_ppm=9000)
    f = c.found(1, "LEASE_RATE", "n3", says=("ppm",), limit=90)
    expect(f["severity"] == "error", f)


@case("a disk that stands still is found, the mastership that it costs, and that it was slow", lasts=35)
def disk(clusters):
    made = Swarm(2)
    clusters.append(made)
    slow = slow_disk(made[2])
    made[2].environment = slow.environment
    try:
        c = made.start().form()
        slow.freeze()
        c.found(1, "STORE_FAILED", "n2")
        c.found(1, "NO_MASTER")
        slow.thaw()
        c.over(1, "STORE_FAILED")
        c.over(1, "NO_MASTER")
        c.found(1, "DISK_SLOW", "n2", limit=90)
    finally:
        slow.thaw()
        if made[2].running():
            made[2].terminate()
        slow.remove()


@case("a root file system that is full is found on the node whose it is", lasts=35)
def root_full(clusters):
    made = Swarm(2)
    clusters.append(made)
    root = os.path.join(made.folder, "root")
    os.mkdir(root)
    lab.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", root)
    ballast = os.path.join(root, "ballast")
    with open(ballast, "wb") as out:
        out.write(b"x" * 1000 * 1000)
    made[2].root = root
    try:
        c = made.start().form()
        c.found(1, "ROOT_FULL", "n2")
        expect({f["about"] for f in c.findings(1) if f["code"] == "ROOT_FULL"} == {"n2"}, c.findings(1))
        os.remove(ballast)
        c.over(1, "ROOT_FULL")
    finally:
        for node in made:
            if node.running():
                node.terminate()
        lab.run("umount", root)


@case("a member of another release, and one whose wire versions are none of ours, are found")
def versions(clusters):
    made = Swarm(3)
    clusters.append(made)
    made[2].environment["ESSAIM_TEST_VERSION"] = "99.1"
    c = made.start().form()
    c.found(1, "VERSION_MIXED", "n2", says=("99.1",))
    c.found(2, "VERSION_MIXED", "n1")
    c[3].terminate()
    c[3].environment["ESSAIM_TEST_WIRE"] = "70-71"
    c[3].start()
    f = c.found(1, "VERSION_RANGE", "n3")
    expect(f["severity"] == "error", f)
    del c[3].environment["ESSAIM_TEST_WIRE"]
    c[3].terminate()
    c[3].start()
    c.over(1, "VERSION_RANGE")


@case("a name server that answers with errors is found as such", lasts=25)
def refuses(clusters):
    c = swarm(clusters, 2)
    c.dns.say({}, refuse=True)
    c.found(1, "DNS_REFUSES", says=("10.87.0.53",))
    c.dns.say({f"n{i}": c.network.ip(i) for i in (1, 2)})
    c.over(1, "DNS_REFUSES")


@case("each fact that cannot be observed any more is unknown since then, and its old value is not shown", lasts=65)
def unknown(clusters):
    c = swarm(clusters, 2)
    wait_for(lambda: any(n["name"] == "n2" and n["synchronised"] for n in c[1].ask("clock show")["nodes"]),
             "n2's clock is known to be kept")
    c[2].set_clock(0, kept=None)
    c.found(1, "FACTS_OLD", "n2", says=("time", "unknown since"))
    row = next(n for n in c[1].ask("clock show")["nodes"] if n["name"] == "n2")
    expect(row["unknown"] and row["unknown_since"] and not row["synchronised"], row)
    expect("unknown since" in c.essaim(1, "clock", as_json=False), "the table says so too")
    shown_unknown(c, "time", "the keeping of the clock of n2")
    c[2].set_clock(0)
    c.over(1, "FACTS_OLD", "n2")
    os.rename(c[2].data, c[2].data + ".away")
    try:
        c.found(1, "FACTS_OLD", "n2", says=("usage", "unknown since"))
        expect(not c.codes(1) & {"DISK_FULL", "ROOT_FULL"}, c.findings(1))
        shown_unknown(c, "usage", "the usage of n2")
    finally:
        os.rename(c[2].data + ".away", c[2].data)
    c.over(1, "FACTS_OLD", "n2")
    row = c[1].ask("node show", {"name": "n2"})
    expect(not row["usage"]["unknown"] and row["host"]["cpus"] == os.cpu_count() and row["clock"], row)
    c[2].kill()
    wait_for(lambda: c[1].ask("node show", {"name": "n2"})["state"] == "unreachable", "n2 is missed", 30)
    for fact in ("usage", "time", "dns"):
        shown_unknown(c, fact, "n2 is unknown since")
    row = c[1].ask("node show", {"name": "n2"})
    expect(row["clock"] is None and row["host"]["kernel"] == os.uname().release, row)


def shown_unknown(c, fact, words):
    """Each way to look at node 2's fact says that it is unknown, since when, and nothing else."""
    rows = [c[1].ask("node show", {"name": "n2"})] + [r for r in c[1].ask("node list", {"wide": True}) if r["name"] == "n2"]
    for row in rows:
        expect(set(row[fact]) == {"unknown", "unknown_since"} and row[fact]["unknown"] and row[fact]["unknown_since"], row)
    expect("unknown since 2" in c.essaim(1, "node", "show", "n2", as_json=False), f"node show says so of {fact}")
    text = " ".join(c.essaim(1, "node", "list", "--wide", as_json=False).split())
    expect(words in text and "unknown since 2" in text, text)


@case("a resolver that crashes, babbles, floods or hangs makes no false verdict, and nothing waits for it", lasts=95)
def bad_resolver(clusters):
    c = swarm(clusters, 2)
    false = {"NAME_UNKNOWN", "NAME_MISMATCH", "NAME_TWICE", "UNREACHABLE", "VOTER_LOST"}
    for how in ("garbage", "die", "flood"):
        with open(c[2].resolver, "w") as out:
            out.write(how)
        c.found(1, "FACTS_OLD", "n2", says=("dns", "unknown since"))
        told = c[1].ask("dns show")
        expect("n2" in told["unknown"] and told["unknown_since"]["n2"], "the name service as n2 sees it is unknown")
        expect([r["verdict"] for r in told["servers"] if (r["node"], r["server"]) == ("n2", "system")] == ["unknown"], told)
        expect("the name service of n2 is unknown since 2" in " ".join(c.essaim(1, "dns", as_json=False).split()), how)
        shown_unknown(c, "dns", "the name service of n2 is unknown since 2")
        expect(not c.codes(1) & false, f"{how}: {c.findings(1)}")
        os.remove(c[2].resolver)
        c.over(1, "FACTS_OLD", "n2")
    with open(c[2].resolver, "w") as out:
        out.write("hang")
    c.found(1, "RESOLVER_STUCK", "n2")
    expect(not c.codes(1) & false, c.findings(1))
    c.put(2, "while", "it hangs")
    calm(c)
    expect(held(c[2]) > 0, "the daemon measures how long its loop is held")


def held(node):
    """The metric; how small it is depends on the machine, so only benchmarks judge it."""
    text = subprocess.run(["nsenter", f"--net={node.network.namespace(node.index)}", "curl", "-s", "--noproxy", "*",
                           "http://127.0.0.1:7801/metrics"], capture_output=True, text=True, timeout=20, check=True).stdout
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    expect(float(values["essaim_loop_turns_total"]) > 0, "turns are counted")
    return float(values["essaim_loop_held_max_seconds"])
