"""What the cluster agrees on: settings, how many vote, and the witness."""
import itertools
import time

from case import case
from cluster import expect, new, wait_for
from daemon import Refused
from handover import Writer
from mastership import Watch


def voters(c, node=1):
    """Names of the voters as that node sees them."""
    try:
        return sorted(v["name"] for v in c[node].ask("cluster show", timeout=2)["voters"])
    except (OSError, ConnectionError, Refused):
        return []


def wait_voters(c, count, nodes=None):
    nodes = nodes or list(c.nodes)
    wait_for(lambda: all(len(voters(c, i)) == count for i in nodes), f"{count} voters everywhere", 90)


@case("a name or value that is no setting is refused with what is one")
def _(clusters):
    c = new(clusters, 1).start().form()
    c.refused(1, "cluster", "set", "votters", "3", code=2, says=("votters", "voters", "profile"))
    for name, value, word in (("voters", "4", "auto, 3, 5 or 7"), ("voters", "-3", "auto"), ("voters", "", "auto"),
                              ("profile", "wan", "default or lan"), ("voter-patience", "5", "duration"),
                              ("voter-patience", "0s", "1s"), ("voter-patience", "8d", "7d")):
        c.refused(1, "cluster", "set", name, value, code=2, says=(word,))
    shown = c.essaim(1, "cluster", "show")
    expect(not any(s["set"] for s in shown["settings"].values()), f"nothing was set: {shown}")
    c.essaim(1, "cluster", "set", "voter-patience", "90s")
    c[1].kill()
    c[1].start()
    wait_for(c.master, "it is master again")
    kept = c.essaim(1, "cluster", "show")["settings"]["voter-patience"]
    expect(kept["value"] == "90s" and kept["set"], f"a setting survives a restart: {kept}")


@case("the profile changes while writes go on: every node works by the new one, and no write is lost")
def _(clusters):
    c = new(clusters, 3).start().form()
    watch, writer = Watch(c), Writer(c, 3)
    for profile in ("lan", "default", "lan"):
        c.essaim(2, "cluster", "set", "profile", profile)
        wait_for(lambda p=profile: all(n.status().get("profile") == p for n in c), f"profile {profile} everywhere")
        time.sleep(1)
    writer.check()
    watch.check(released=True)
    old = c.master()
    c[old].kill()
    c.put(c.other(old), "after", "1")
    c[old].start()
    c.wait_whole()


@case("five nodes get five voters, three when that is set, and say why seven cannot be")
def _(clusters):
    c = new(clusters, 5).start().form()
    wait_voters(c, 5)
    c.essaim(3, "cluster", "set", "voters", "3")
    wait_voters(c, 3)
    expect(c.essaim(1, "cluster", "show")["voters_wanted"] == 3, "three are wanted")
    c.essaim(3, "cluster", "set", "voters", "7")
    wait_voters(c, 5)
    shown = c.essaim(2, "cluster", "show")
    expect(shown["voters_wanted"] == 5 and shown["voters_why"], f"it says why: {shown}")
    first, second = [i for i in c.nodes if i != c.master()][:2]
    c[first].kill()
    c[second].kill()
    c.put(c.other(first, second), "three of five", "1")
    c[first].start()
    c[second].start()
    c.wait_whole()


@case("a voter that is silent for longer than the patience is replaced by a member")
def _(clusters):
    c = new(clusters, 4).start().form()
    c.essaim(1, "cluster", "set", "voter-patience", "3s")
    before = voters(c)
    spare = next(n for n in c if n.name not in before)
    victim = next(n for n in c if n.name in before and n.index != c.master())
    victim.kill()
    left = [n.index for n in c if n is not victim]
    wait_for(lambda: all(spare.name in voters(c, i) and victim.name not in voters(c, i) for i in left),
             "the spare one votes in its place", 90)
    c.put(left[0], "k", "v")
    victim.start()
    c.wait_whole()


# ---- two machines and a witness ----

WITNESS = 3
PAIRS = ((1, 2), (1, WITNESS), (2, WITNESS))


def two_and_witness(clusters):
    c = new(clusters, 3).start().form(witnesses=(WITNESS,))
    wait_voters(c, 3)
    return c


def never_witness(watch):
    """Closes a watch; the witness must not have claimed anything."""
    watch.check(released=True)
    claimed = {claim[2] for claim in watch.claims}
    expect(f"n{WITNESS}" not in claimed, f"the witness acted as master: {claimed}")


def hand_to(c, i):
    """Makes that node master: as soon as it votes again, if it was just started."""
    def handed():
        done = c.essaim(i, "master", "transfer", c[i].name, check=False)
        return done.returncode == 0
    wait_for(lambda: c[i].status().get("votes"), f"n{i} votes")
    wait_for(handed, f"n{i} takes the lease", 30, 0.2)


def served(c, i):
    """Does that node take a write as the master?"""
    if not c[i].status().get("self_master"):
        return False
    try:
        return c[i].ask("kv put", {"key": "k", "value": str(i)}, 2)
    except Refused as refusal:
        if refusal.code not in (3, 4):
            raise
        return False


def keeps_master(c, nodes, what):
    """One of these nodes is or becomes master and takes writes. (A node that is cut from the master
    and only from it cannot write: nobody passes its wishes on.)"""
    wait_for(lambda: any(served(c, i) for i in nodes), f"a master {what}")


@case("two machines and a witness keep a master when any one of the three is dead")
def _(clusters):
    c = two_and_witness(clusters)
    watch = Watch(c)
    for victim in (1, 2, WITNESS):
        for master in (1, 2):
            hand_to(c, master)
            c[victim].kill()
            keeps_master(c, [i for i in c.nodes if i != victim], f"while n{victim} is dead")
            c[victim].start()
            c.wait_whole()
    never_witness(watch)


@case("two machines and a witness keep a master when any one of the three is cut off")
def _(clusters):
    c = two_and_witness(clusters)
    watch = Watch(c)
    for victim in (1, 2, WITNESS):
        for master in (1, 2):
            hand_to(c, master)
            c.network.isolate(victim)
            keeps_master(c, [i for i in c.nodes if i != victim], f"while n{victim} is cut off")
            c.network.heal()
            c.wait_whole()
    never_witness(watch)


@case("two machines and a witness keep a master while any pair is cut, one after the other in any order")
def _(clusters):
    c = two_and_witness(clusters)
    watch = Watch(c)
    for master in (1, 2):
        for first, second in itertools.permutations(PAIRS, 2):
            hand_to(c, master)
            c.network.cut(*first)
            keeps_master(c, (1, 2), f"while {first} is cut")
            c.network.cut(*second)  # now the node of both pairs is alone
            alone = (set(first) & set(second)).pop()
            keeps_master(c, [i for i in c.nodes if i != alone], f"while n{alone} is alone")
            c.network.heal()
            c.wait_whole()
    never_witness(watch)


@case("a witness needs a token for a witness, and a token for one admits nothing else")
def _(clusters):
    c = new(clusters, 3).start()
    c[1].ask("init", {"name": "n1", "profile": "default"}, 30)
    wait_for(c.master, "the founder is master")
    for_witness = c.essaim(1, "token", "create", "--witness")["token"]
    for_node = c.essaim(1, "token", "create")["token"]
    roles = [row["role"] for row in c.essaim(1, "token", "list")]
    expect(sorted(roles) == ["node", "witness"], f"the list shows the roles: {roles}")
    c.refused(2, "join", c[1].address, "--token", for_witness, says=("witness", "--witness"))
    c.refused(2, "join", c[1].address, "--token", for_node, "--witness", says=("witness",))
    c.essaim(2, "join", c[1].address, "--token", for_node)
    c.essaim(3, "join", c[1].address, "--token", for_witness, "--witness")
    c.wait_whole()
    role = next(row["role"] for row in c.essaim(2, "node", "list") if row["name"] == "n3")
    expect(role == "witness", f"n3 is a witness, not a {role}")
