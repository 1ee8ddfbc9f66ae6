"""`doctor auth`: why a node cannot join, each cause provoked on real daemons; and it never joins."""
import json
import os
import shutil
import time

import lab
import release
from case import case, Skip
from cluster import Cluster, expect, wait_for
from observing import Host


class Door(Cluster):
    """Hosts with a clock each and no name service: n1 has founded, the others stand before the door."""

    def __init__(self, count):
        if not os.path.exists("/etc/resolv.conf"):
            raise Skip("this machine has no /etc/resolv.conf to put another in the place of")
        super().__init__(count)
        self.nodes = {i: Host(self.network, self.folder, i) for i in self.nodes}
        for node in self:
            node.set_resolv()

    def found(self):
        self.start()
        self.essaim(1, "init", "n1")
        wait_for(self.master, "a master")
        return self

    def create(self, *words):
        return self.essaim(1, "token", "create", *words)["token"]

    def auth(self, i, *words, at=1, code=0):
        """The points by their names, and the verdict; the exit code must be that."""
        done = self.essaim(i, "doctor", "auth", self[at].address, *words, check=False)
        expect(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}")
        report = json.loads(done.stdout)
        return {c["check"]: c for c in report["checks"]}, report["verdict"]

    def wrong(self, i, point, *words, says=(), command="", at=1):
        """That point is wrong, says so, names the command, and is the verdict."""
        points, verdict = self.auth(i, *words, at=at, code=1)
        found = points[point]
        expect(found["state"] == "wrong" and command in found["command"], found)
        for word in says:
            expect(word in found["what"], found)
        expect(verdict.startswith(point + ": "), verdict)
        return points

    def outside(self, *which):
        """They asked, and are no members."""
        expect(self[1].status()["members"]["total"] == len(self.nodes) - len(which), "nobody joined")
        for i in which:
            expect(self[i].status()["standing"] == "uninitialised", f"n{i}: {self[i].status()}")


def door(clusters, count):
    made = Door(count)
    clusters.append(made)
    return made.found()


@case("auth: with a good token nothing is wrong, nothing is used up, and nobody has joined")
def right(clusters):
    c = door(clusters, 2)
    token = c.create()
    for _ in range(3):
        points, verdict = c.auth(2, "--token", token)
        expect(not any(p["state"] == "wrong" for p in points.values()), points)
        for known in ("address", "packet", "cluster", "versions", "token", "key", "name", "master", "clock"):
            expect(points[known]["state"] == "ok", points[known])
        expect(points["udp"]["state"] == "unknown" and "no member" in points["udp"]["what"], points["udp"])
        expect("1 join" in points["token"]["what"] and "n1 is master" in points["master"]["what"], points)
        expect("nothing is wrong" in verdict, verdict)
    c.outside(2)
    points, _ = c.auth(2)  # without one the member tells nothing
    expect(points["address"]["state"] == "ok" and points["cluster"]["state"] == "unknown" and
           "--token" in points["cluster"]["what"], points)
    c.join(2, 1, token)
    wait_for(lambda: c.state_of(2, 1) == "reachable", "the token was still good")
    points = wait_for(lambda: (lambda p: p if p["udp"]["state"] == "ok" and p["clock"]["state"] == "ok" else None)(
        c.auth(2)[0]), "a member needs no token", 30, 0.3)
    expect("n1 answers probes" in points["udp"]["what"] and points["key"]["state"] == "ok", points)


@case("auth: a token that the member does not know is told from one that is used, revoked or expired")
def tokens(clusters):
    c = door(clusters, 3)
    used, revoked, expired = c.create(), c.create(), c.create("--expires", "1s")
    c.join(2, 1, used)
    c.wrong(3, "token", "--token", used, says=("used up",), command="essaim token create")
    rows = {r["id"]: r for r in c.essaim(1, "token", "list")}
    for row in rows.values():
        if row["uses_left"] > 0:
            c.essaim(1, "token", "revoke", row["id"])
    c.wrong(3, "token", "--token", revoked, says=("revoked",), command="essaim token create")
    fresh = c.create("--expires", "1s")
    time.sleep(1.5)
    c.wrong(3, "token", "--token", fresh, says=("expired",), command="essaim token create")
    body, secret, checksum = fresh.rsplit("-", 2)
    c.refused(3, "doctor", "auth", c[1].address, "--token", "-".join((body, secret, checksum[::-1])), code=2)
    expect(expired, "that one was revoked with the others")
    c.outside(3)


@case("auth: a token of another cluster is told without a word from the member, and a failed join shows it")
def foreign(clusters):
    c = Door(3)
    clusters.append(c)
    c.found()
    c.essaim(3, "init", "n3")
    wait_for(lambda: c[3].status().get("self_master"), "the other master")
    token = c.token(3)
    points = c.wrong(2, "token", "--token", token, says=("without a word",), command="essaim token create")
    expect(points["cluster"]["state"] == "unknown" and points["master"]["state"] == "unknown", points)
    talk = c.refused(2, "join", c[1].address, "--token", token, says=("without a word", "essaim token create"))
    expect(talk.index("address") < talk.index("essaim: "), f"the screen, then the error: {talk}")
    done = c.essaim(2, "join", c[1].address, "--token", token, check=False)
    expect(json.loads(done.stdout)["doctor"]["verdict"].startswith("token: "), done.stdout)
    c.wrong(3, "cluster", "--token", c.token(1), says=("another cluster",))
    expect(c[2].status()["standing"] == "uninitialised", "n2 stayed outside")


@case("auth: a clock that is off by an hour is named, also if a token seems expired for it")
def clocks(clusters):
    c = door(clusters, 2)
    token = c.create("--expires", "30m")
    c[2].set_clock(-3600, kept=False)
    points = c.wrong(2, "clock", "--token", token, says=("ahead", "+-"), command="# here")
    expect(points["token"]["state"] == "ok" and points["ntp"]["state"] == "wrong", points)
    c[2].set_clock(0)
    c.auth(2, "--token", token)
    c[1].set_clock(3600)
    points = c.wrong(2, "token", "--token", token, says=("by the clock of n1", "see 'clock'"))
    expect(points["clock"]["state"] == "wrong" and "ahead" in points["clock"]["what"], points)
    c.outside(2)


def drop(proto):
    lab.run("nft", "-f", "-", text=f"""table netdev door {{
        chain cut {{ type filter hook ingress devices = {{ v1, v2 }} priority 2; policy accept;
            {proto} dport 7800 drop
            {proto} sport 7800 drop
        }}
    }}""")


@case("auth: a port that is cut, one where nobody listens and an address without a route are told apart")
def ports(clusters):
    c = door(clusters, 2)
    token = c.create()
    drop("tcp")
    try:
        points = c.wrong(2, "address", "--token", token, says=("no answer",), command="nft list ruleset")
        expect(points["token"]["state"] == "unknown", points)
    finally:
        lab.run("nft", "delete", "table", "netdev", "door")
    c.auth(2, "--token", token)
    lab.run("ip", "link", "set", "v1", "mtu", "1000")
    lab.run("ip", "-n", "n1", "link", "set", "eth0", "mtu", "1000")
    c.wrong(2, "packet", "--token", token, says=("1232",), command="ping -M do")
    lab.run("ip", "-n", "n1", "link", "set", "eth0", "mtu", "1500")
    lab.run("ip", "link", "set", "v1", "mtu", "1500")
    lab.run("ip", "-n", "n2", "route", "flush", "cache")  # what its kernel learnt of that link
    c[1].kill()
    points = c.wrong(2, "address", "--token", token, says=("refuses TCP",), command="systemctl status essaimd")
    expect(points["udp"]["state"] == "wrong", points)
    done = c.essaim(2, "doctor", "auth", "240.0.0.1", "--token", token, check=False)
    expect("no route" in done.stdout or "no answer" in done.stdout, done.stdout)


@case("auth: a removed key, a name that is taken and a missing master are named, each with its command")
def members(clusters):
    c = door(clusters, 4)
    c[3].terminate()
    shutil.copytree(c[3].data, c[3].data + ".before")
    c[3].start()
    c.join(2, 1, c.create())
    c.join(3, 1, c.create())
    wait_for(lambda: c[1].status()["members"] == {"total": 3, "reachable": 3}, "three members")
    c.essaim(1, "node", "remove", "n3", "--yes")
    wait_for(lambda: not c[3].running() or c[3].status().get("standing") == "removed", "it is told")
    if c[3].running():
        c[3].terminate()
    c[3].start()
    c.wrong(3, "key", "--token", c.create(), says=("removed",), command="essaim node reset")
    c[3].terminate()
    shutil.rmtree(c[3].data)  # its disk as it was before it joined: blank, with the key that was removed
    shutil.move(c[3].data + ".before", c[3].data)
    c[3].start()
    expect(c[3].status()["standing"] == "uninitialised", "n3 is blank, with the old key")
    c.wrong(3, "key", "--token", c.create(), says=("removed",), command="essaim node reset")
    c.wrong(4, "name", "--token", c.create(), "--name", "n2", says=("'n2'",), command="--name")
    c.auth(4, "--token", c.create())
    token = c.create()
    wait_for(lambda: c[1].status()["voters"]["total"] == 2, "two voters")
    c[2].kill()
    wait_for(lambda: c[1].status().get("master") is None, "no master", 60, 0.2)
    c.wrong(4, "master", "--token", token, says=("1 of 2",), command="essaim cluster show")
    c.refused(4, "join", c[1].address, "--token", token, says=("no master", "1 of 2"))


@case("auth: a member of an older release proves the token, does not know the question, and that is said")
def older(clusters):
    c = Door(2)
    clusters.append(c)
    c[1].essaimd, _ = release.previous()
    c.found()
    token = c.token(1)
    points, _ = c.auth(2, "--token", token)
    expect(points["token"]["state"] == "unknown" and "known there" in points["token"]["what"], points["token"])
    expect(points["versions"]["state"] == "unknown" and "older release" in points["versions"]["what"], points)
    c.outside(2)
