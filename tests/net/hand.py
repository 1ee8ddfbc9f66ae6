"""The hand beside real daemons: who may what, and who goes on when one of the two dies."""
import os
import pwd
import shutil
import signal

import daemon
from case import case
from cluster import expect, new, wait_for


def with_hand(c, i, user=None):
    """Node i's daemon is started by a hand; nobody could run what lies in a closed checkout."""
    node = c[i]
    node.essaimd = shutil.copy(daemon.ESSAIMD, c.folder)
    node.before = [shutil.copy(daemon.HAND, c.folder), *(["--user", user] if user else []), "--"]
    os.makedirs(node.data, exist_ok=True)
    if user:
        who = pwd.getpwnam(user)
        os.chown(node.data, who.pw_uid, who.pw_gid)
        node.socket = os.path.join(node.data, "s")
    return node


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])


def status_of(pid):
    with open(f"/proc/{pid}/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


@case("the daemon of a hand is an ordinary user without capabilities, who cannot get any")
def _(clusters):
    c = new(clusters, 1)
    node = with_hand(c, 1, "nobody")
    c.start().form()
    expect(node.status()["hand"]["state"] == "joined", f"it has its hand: {node.status()['hand']}")
    seen, nobody = status_of(child_of(node.process.pid)), pwd.getpwnam("nobody")
    expect(set(seen["Uid"].split()) == {str(nobody.pw_uid)}, f"uid: {seen['Uid']}")
    expect(set(seen["Gid"].split()) == {str(nobody.pw_gid)}, f"gid: {seen['Gid']}")
    expect(int(seen["CapEff"], 16) == 0 and int(seen["CapPrm"], 16) == 0, f"capabilities: {seen['CapEff']}")
    expect(seen["NoNewPrivs"] == "1", "no new privileges")
    expect(node.terminate() == 0, "a SIGTERM to the hand is a clean stop of both")


@case("a daemon that its hand made unprivileged cannot read what is root's, and its exit code is passed on")
def _(clusters):
    c = new(clusters, 1)
    node = with_hand(c, 1, "nobody")
    token, config = os.path.join(c.folder, "token"), os.path.join(c.folder, "conf")
    with open(os.open(token, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
        out.write("a-secret-of-some-length\n")
    with open(config, "w") as out:
        out.write(f"[http]\nlisten = 127.0.0.1:7801\ntoken = {token}\n")
    node.more = ["--config", config]
    for owner, readable in (("nobody", True), ("root", False)):
        os.chown(token, pwd.getpwnam(owner).pw_uid, 0)
        node.start()
        expect(("no web page" not in node.tail()) == readable, f"of {owner}: {node.tail()}")
        os.kill(child_of(node.process.pid), signal.SIGKILL)
        expect(node.process.wait(20) == 128 + signal.SIGKILL, f"128 and the signal: {node.process.returncode}")


@case("when its hand is killed a node says so and stays master")
def _(clusters):
    c = new(clusters, 3)
    with_hand(c, 1)
    c.start().form()
    expect(c.master() == 1, "n1 founded it")
    before, pid = c[1].status(), child_of(c[1].process.pid)
    os.kill(c[1].process.pid, signal.SIGKILL)
    try:
        ask = lambda: daemon.ask(c[1].socket, "status")
        wait_for(lambda: ask()["hand"]["state"] == "gone", "it knows that the hand is gone")
        expect("the hand is gone" in c[1].tail(), "and says so")
        daemon.ask(c[1].socket, "kv put", {"key": "k", "value": "v"})
        seen = ask()
        expect(seen["self_master"] and seen["master"] == before["master"], f"it is what it was: {seen}")
        expect(seen["standing"] == before["standing"], f"and a member: {seen}")
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}") or status_of(pid)["State"][0] == "Z", "it stops")


@case("a daemon without a hand is a member like any other, and says that it has none")
def _(clusters):
    c = new(clusters, 1).start().form()
    expect(c[1].status()["hand"]["state"] == "none", "none")
