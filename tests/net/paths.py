"""Several networks: nobody is missed while one path is left, and whoever looks sees which is not."""
import os
import subprocess

import daemon
import release
from case import case
from cluster import expect, new, wait_for


def paths(c, viewer, subject):
    """{(our ip, its ip): state}, as `viewer` sees them."""
    try:
        rows = c[viewer].ask("node show", {"name": c[subject].name}, 2)["paths"]
    except (OSError, ConnectionError, daemon.Refused):
        return {}
    return {(p["local"].rsplit(":", 1)[0], p["remote"].rsplit(":", 1)[0]): p["state"] for p in rows}


def pairs(c):
    return [(a, b) for a in c.nodes for b in c.nodes if a != b]


def all_up(c, count):
    return all(list(paths(c, a, b).values()) == ["up"] * count for a, b in pairs(c))


def only_up(c, net):
    """Of every pair of nodes only the path within that network works."""
    for a, b in pairs(c):
        straight = (c.network.ip(a, 4, net), c.network.ip(b, 4, net))
        for ends, state in paths(c, a, b).items() or [(None, None)]:
            if state != ("up" if ends == straight else "down"):
                return False
    return True


def said(node, sentence):
    with open(node.log, errors="replace") as log:
        return [line for line in log if sentence in line]


def nobody_suspected(c):
    for node in c:
        for rule in ("SUSPECT", "UNREACHABLE"):
            expect(not said(node, f"rule={rule} "), f"{node.name} says {rule}")


def two_networks(clusters, count=3, **settings):
    c = new(clusters, count, networks=2, **settings).start().form()
    wait_for(lambda: all_up(c, 4), "every pair of addresses works")
    return c


def loses(c, net, take, give_back):
    """Takes a whole network away and gives it back, while clients write."""
    name, epoch = c.agree()
    writer = c.other(c.master())
    big = "x" * 60000  # more than a packet: it goes by a stream
    c.put(writer, "before", big)
    take()
    for i in range(20):
        c.put(writer, f"during{i}", "1")
    c.put(writer, "big", big)
    wait_for(lambda: only_up(c, 1 - net), "the paths of the dead network are shown as down")
    c.put(writer, "bigger", big)
    expect(c.get(c.other(writer), "bigger")["value"] == big, "large values move to the other network")
    for node in c:
        expect(said(node, " is down: it answers by another"), f"{node.name} tells of a dead path")
    wait_for(lambda: "paths" in c[writer].ask("node show", {"name": name})["facts"],
             "the master's dead paths are known to others as its fact")
    give_back()
    wait_for(lambda: all_up(c, 4), "every path works again")
    for node in c:
        expect(said(node, " is up again"), f"{node.name} tells that a path is back")
    expect(c.agree() == (name, epoch), f"master and epoch stay {name} {epoch}, not {c.agree()}")
    nobody_suspected(c)


@case("one network of two is cut: writes go on, nobody is suspected, the dead paths are shown")
def _(clusters):
    c = two_networks(clusters)
    loses(c, 0, lambda: [c.network.unplug(i, 0) for i in c.nodes], c.network.heal)


@case("the interfaces of one network of two go down: writes go on and nobody is suspected")
def _(clusters):
    c = two_networks(clusters)

    def links(up):
        for i in c.nodes:
            c.network.link(i, 0, up)
    loses(c, 0, lambda: links(False), lambda: links(True))


@case("the master loses one of its two interfaces and stays master, in the short profile too")
def _(clusters):
    c = two_networks(clusters, 3, profile="lan")
    name, epoch = c.agree()
    for net in (1, 0):
        c.network.unplug(c.master(), net)
        wait_for(lambda: all("down" in paths(c, a, b).values() for a, b in pairs(c)
                             if c[a].name == name), "it sees its dead paths")
        for i in range(10):
            c.put(c.other(c.master()), f"k{net}{i}", "1")
        c.network.heal()
        wait_for(lambda: all_up(c, 4), "every path works again")
    expect(c.agree() == (name, epoch), f"master and epoch stay {name} {epoch}, not {c.agree()}")
    nobody_suspected(c)


@case("a node that loses both of its networks is unreachable, and back when one of them is")
def _(clusters):
    c = two_networks(clusters, 3)
    lost = c.other(c.master())
    left = [i for i in c.nodes if i != lost]
    c.network.unplug(lost, 0)
    c.network.unplug(lost, 1)
    wait_for(lambda: all(c.state_of(i, lost) == "unreachable" for i in left), "it is unreachable")
    for i in left:  # silent everywhere: that is a lost node, not a dead path
        expect("down" not in paths(c, i, lost).values(), "no path of it is called down")
    c.network.heal()
    c.network.unplug(lost, 0)
    c.wait_whole()
    wait_for(lambda: sorted(paths(c, left[0], lost).values()) == ["down", "down", "up", "up"],
             "the paths to one of its two addresses work")


@case("IPv4 and IPv6 on one interface are two paths")
def _(clusters):
    c = new(clusters, 3)
    for node in c:
        node.families = (4, 6)
    c.start().form()
    wait_for(lambda: all_up(c, 2), "both families work")
    name, epoch = c.agree()
    # the IPv4 half of what isolate() does
    ips = ", ".join(c.network.ip(i) for i in c.nodes)
    subprocess.run(["nft", "add", "element", "netdev", "lab", "alone_ip", f"{{ {ips} }}"], check=True)
    wait_for(lambda: all(sorted(paths(c, a, b).values()) == ["down", "up"] for a, b in pairs(c)),
             "only IPv6 is left")
    c.put(c.other(c.master()), "k", "v")
    c.network.heal()
    wait_for(lambda: all_up(c, 2), "both families work again")
    expect(c.agree() == (name, epoch), f"master and epoch stay {name} {epoch}, not {c.agree()}")
    nobody_suspected(c)


@case("a node that comes back elsewhere when all others have moved too finds them", lasts=35)
def _(clusters):
    c = new(clusters, 3, networks=4)
    for node in c:
        node.nets = [0, 1]
    c.start().form()
    wait_for(lambda: all_up(c, 4), "every pair of addresses works")
    for i in (1, 2):
        c[i].terminate()
        c[i].nets = [2, 3]
        c[i].start()
        c.wait_whole()
    wait_for(lambda: all(said(c[3], f"keeps the addresses that {c[i].name} ") for i in (1, 2)),
             "the ledger keeps where the others are now", 120)
    c[3].terminate()
    c[3].nets = [2, 3]
    c[3].start()
    c.wait_whole()
    wait_for(lambda: all_up(c, 4), "every pair of the new addresses works")


@case("a node of the release before, with its one address, lives beside nodes with two", lasts=35)
def _(clusters):
    c = new(clusters, 3, networks=2)
    new_essaimd, (c[1].essaimd, _) = c[1].essaimd, release.previous()
    c[1].nets = [0]
    c.start().form()
    wait_for(lambda: list(paths(c, 2, 3).values()) == list(paths(c, 3, 2).values()) == ["up"] * 4,
             "the new ones try every pair")
    wait_for(lambda: list(paths(c, 2, 1).values()) == ["up"] * 2, "and both of theirs to its one")
    c.network.cut(2, 3)  # in the first network
    wait_for(lambda: "down" in paths(c, 2, 3).values() and "down" in paths(c, 3, 2).values(),
             "the dead path is shown")
    c.put(1, "k", "v")
    expect(c.get(3, "k")["value"] == "v", "a write goes on")
    for node in (c[2], c[3]):
        expect(not said(node, "keeps the addresses"), "nothing is written that the old one cannot read")
    c.network.heal()
    c[1].terminate()
    c[1].essaimd, c[1].nets = new_essaimd, [0, 1]
    c[1].start()
    c.wait_whole()
    wait_for(lambda: all(said(c[2], f"keeps the addresses that {n.name} ") for n in c),
             "the ledger learns all addresses once all are new", 120)
    wait_for(lambda: all_up(c, 4), "every pair of addresses works")


def check_config(*words):
    return subprocess.run([daemon.ESSAIMD, "--name", "a", *words, "--check-config"], text=True,
                          capture_output=True, timeout=20, env=daemon.SANITIZED)


@case("--listen and --advertise may be repeated, and --check-config names what does not fit")
def _(clusters):
    done = check_config("--listen", "192.0.2.1", "--listen", "[2001:db8::1]:7800")
    expect(done.returncode == 0 and "listen = 192.0.2.1:7800, [2001:db8::1]:7800" in done.stdout, done)
    expect("advertise = 192.0.2.1:7800, [2001:db8::1]:7800" in done.stdout, done.stdout)
    done = check_config("--listen", "0.0.0.0", "--advertise", "203.0.113.1:17800", "--advertise", "203.0.113.2")
    expect("advertise = 203.0.113.1:17800, 203.0.113.2:7800" in done.stdout, done)
    for words, why in (
            (["192.0.2.1", "192.0.2.1"], "listen: '192.0.2.1:7800' is given twice"),
            (["192.0.2.1:7800", "192.0.2.2:7801"], "listen: all addresses need the same port"),
            ([f"192.0.2.{i}" for i in range(1, 6)], "--listen: more than 4 addresses"),
            (["0.0.0.0", "192.0.2.1"], "means every address"),
            (["0.0.0.0"], "--advertise")):
        done = check_config(*[word for one in words for word in ("--listen", one)])
        expect(done.returncode == 2 and why in done.stderr, f"{words}: {done}")
    expect(not os.path.exists("/var/lib/essaim/a"), "a check writes nothing")
