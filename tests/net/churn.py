"""Nodes are killed at random instants while voters, members and profile change; no write is lost."""
import random
import threading
import time

from accidents import LOST, Writer
from case import case
from cluster import expect, new, wait_for
from settings import voters


class Killer(threading.Thread):
    """Kills any one daemon at a random instant and starts it again, one at a time."""

    def __init__(self, c, seed, longest=0.8):
        super().__init__(daemon=True)
        self.c, self.dice, self.ended, self.kills = c, random.Random(seed), threading.Event(), 0
        self.longest = longest
        self.failed, self.spared, self.turn = None, None, threading.Lock()
        self.start()

    def run(self):
        try:
            while not self.ended.wait(self.dice.uniform(0.0, 1.0)):
                with self.turn:
                    self.kill(self.dice.choice([n for n in self.c if n.index != self.spared]))
        except Exception as failure:
            self.failed = failure

    def kill(self, node):
        node.kill()
        self.kills += 1
        time.sleep(self.dice.uniform(0.0, self.longest))
        node.start()

    def spare(self, i):
        """From here on that one is ours; None: nobody is."""
        with self.turn:
            self.spared = i

    def stop(self):
        self.ended.set()
        self.join(40)
        expect(self.failed is None and not self.is_alive(), f"every daemon came back: {self.failed}")


def said(c, rule):
    """How often any of them logged it."""
    count = 0
    for node in c:
        with open(node.log, errors="replace") as log:
            count += sum(f"rule={rule}" in line for line in log)
    return count


def changes(c):
    return said(c, "VOTER_ADDED") + said(c, "VOTER_DROPPED")


def wish(c, name, value, limit=15):
    """Asks somebody until it is done; the answer may be lost with the daemon that was asked."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        try:
            c[random.choice(list(c.nodes))].ask("cluster set", {"name": name, "value": value}, 3)
            return
        except LOST:
            time.sleep(0.05)


def count_is(c, count):
    return any(len(voters(c, i)) == count for i in c.nodes if c[i].running())


@case("any node is killed at random instants during 200 changes of the voters, and no write is lost", lasts=75)
def _(clusters):
    c = new(clusters, 7, profile="lan").start().form()
    before, seed = changes(c), random.randrange(1 << 30)
    writer, killer = Writer(c), Killer(c, seed)
    until = time.monotonic() + 150
    while changes(c) - before < 200 and time.monotonic() < until and killer.failed is None:
        for count in (3, 7):
            wish(c, "voters", str(count))
            step = time.monotonic() + 8
            while not count_is(c, count) and time.monotonic() < min(step, until):
                time.sleep(0.02)
    killer.stop()
    made = changes(c) - before
    print(f"     seed {seed}: {made} changes of the voters, {killer.kills} kills, {len(writer.acknowledged)} "
          f"of {writer.tried} writes acknowledged")
    expect(made >= 200 and killer.kills > 0, f"200 changes of the voters within 150 s, not {made}")
    wish(c, "voters", "7", 30)
    wait_for(lambda: count_is(c, 7), "seven vote, as was asked for", 30)
    wish(c, "voters", "auto", 30)
    c.wait_whole()
    writer.check(1)
    writer.check(7, most=1000)


def until_done(what, act, limit=30):
    """Does it again and again, as an administrator would while others are killed."""
    def once():
        try:
            return act() is not False
        except LOST:
            time.sleep(0.05)
            return False
    wait_for(once, what, limit)


def is_out(c, i):
    return not c[i].running() or c[i].status().get("standing") == "removed"


def remove_and_join_anew(c, i, dice):
    others = [n for n in c.nodes if n != i]

    def remove():
        c[dice.choice(others)].ask("node remove", {"name": c[i].name}, 5)
        return is_out(c, i)

    def join():
        through = dice.choice(others)
        c.join(i, through, c.token(through), 5)

    def reset():
        if not c[i].running():  # who is told that it was removed may still answer once before it stops
            c[i].start()
        c[i].ask("node reset")

    until_done(f"n{i} is removed", lambda: is_out(c, i) or remove())
    until_done(f"n{i} is reset", reset)
    c[i].process.wait(30)
    c[i].start()
    until_done(f"n{i} joins anew", lambda: c[i].status().get("standing") == "member" or join())


@case("members are removed and join anew while any other is killed at random instants, and no write is lost", lasts=55)
def _(clusters):
    c = new(clusters, 6, profile="lan").start().form()
    wish(c, "voter-patience", "1s")  # who is dead for longer is swapped, too
    before, seed = changes(c), random.randrange(1 << 30)
    writer, killer, dice = Writer(c), Killer(c, seed, longest=2.5), random.Random(seed)
    until, rounds = time.monotonic() + 20, 0
    while time.monotonic() < until and killer.failed is None:
        i = dice.choice(list(c.nodes))
        killer.spare(i)
        remove_and_join_anew(c, i, dice)
        killer.spare(None)
        rounds += 1
    killer.stop()
    print(f"     seed {seed}: {rounds} members left and came, {changes(c) - before} changes of the voters, "
          f"{killer.kills} kills, {len(writer.acknowledged)} of {writer.tried} writes acknowledged")
    expect(rounds > 0 and killer.kills > 0, "members came and nodes were killed")
    wait_for(c.agree, "all agree on one master")
    for i in c.nodes:
        writer.check(i, most=1000)


@case("power cuts of all at random instants while voters and profile change, one machine late, lose no write", lasts=20)
def _(clusters):
    c = new(clusters, 5, profile="lan").start().form()
    before, seed, cuts = changes(c), random.randrange(1 << 30), 0
    dice, writers = random.Random(seed), []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        writers.append(Writer(c, seed=cuts + 1))
        wish(c, "voters", "35"[cuts % 2])
        if dice.random() < 0.3:
            wish(c, "profile", dice.choice(("lan", "default")))
        time.sleep(dice.uniform(0.0, 1.0))  # a change of two voters takes about as long
        nodes = list(c)
        dice.shuffle(nodes)
        for node in nodes:
            node.process.kill()
        for node in nodes:
            node.process.wait()
        writers[-1].stop()
        for node in nodes[1:]:
            node.start()
        if dice.random() < 0.5:
            wait_for(lambda: c.agree([n.index for n in nodes[1:]]), "four of five have a master")
        nodes[0].start()
        wait_for(c.agree, "all agree on one master")
        cuts += 1
    print(f"     seed {seed}: {cuts} power cuts, {changes(c) - before} changes of the voters, "
          f"{sum(len(w.acknowledged) for w in writers)} writes acknowledged")
    expect(changes(c) > before, "voters changed")
    for writer in writers:
        if writer.acknowledged:  # a cut may come before the first
            writer.check(dice.choice(list(c.nodes)), most=200)
