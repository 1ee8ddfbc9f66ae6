"""The hand beside real daemons: who may what, and who goes on when one of the two dies."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

import daemon
from case import case, Skip
from cluster import expect, new, wait_for
from operations import WAITS, ended_everywhere, hook, let_go, ran, start, watch, end_of


def with_hand(c, i, user=None, hand=daemon.HAND):
    """Node i's daemon is started by a hand; nobody could run what lies in a closed checkout."""
    node = c[i]
    hooks = os.path.join(c.folder, "hooks", node.name)
    node.essaimd = shutil.copy(daemon.ESSAIMD, c.folder)
    for helper in ("essaim-files", "essaim-kernel-log"):
        shutil.copy(os.path.join(os.path.dirname(daemon.HAND), helper), c.folder)
    node.before = [shutil.copy(hand, c.folder), "--hooks", hooks, *(["--user", user] if user else []), "--"]
    node.more = ["--hooks", hooks]
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
    with_hand(c, 1).observes = True
    c.start().form()
    expect(c.master() == 1, "n1 founded it")
    lvm = lambda: {n["node"]: n["lvm"] for n in c[2].ask("storage list")["nodes"]}.get("n1")
    wait_for(lambda: lvm() in ("none", "seen", "unknown"), "n1 looks at its storage")
    before, pid = c[1].status(), child_of(c[1].process.pid)
    os.kill(c[1].process.pid, signal.SIGKILL)
    try:
        ask = lambda: daemon.ask(c[1].socket, "status")
        wait_for(lambda: ask()["hand"]["state"] == "gone", "it knows that the hand is gone")
        expect("the hand is gone" in c[1].tail(), "and says so")
        c.found(2, "HAND_GONE", "n1", says=("is gone since", "systemctl status essaim-hand"))
        expect(lvm() in ("unknown", "none"), f"its storage is not known: {lvm()}")
        expect("LVM_STUCK" not in c.codes(2), "which is not LVM's fault")
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


# ---- operations by the hand ----

def operating(clusters, user=None, hand=daemon.HAND, environment=None):
    """Two nodes; the first, the master, has a hand."""
    c = new(clusters, 2)
    with_hand(c, 1, user, hand)
    c[1].start(environment)
    c[2].start()
    c.form()
    wait_for(lambda: all(n.status().get("level") == 3 for n in c), "the level is 3")
    return c


def process_of(c, i):
    """The hook's shell says who it is."""
    return int(ran(c, i, "process")[-1])


def lives(process):
    """A zombie does not."""
    try:
        return status_of(process)["State"][0] not in "ZX"
    except FileNotFoundError:
        return False


TELLS = 'echo $$ >> process\n'


@case("an unprivileged daemon's hooks are run by its hand, as root, and read the operation as JSON")
def _(clusters):
    c = operating(clusters, "nobody")
    hook(c, 1, "before", "50-look", 'cat > before\necho "before $(id -u)" >> ran\n')
    hook(c, 1, "run", "quick", 'echo "run $(id -u)" >> ran\n')
    hook(c, 1, "after", "note", 'echo "after $(id -u)" >> ran\nexit 7\n')
    c.essaim(2, "hook", "run", "n1", "quick", as_json=False)
    expect(ran(c, 1) == ["before 0", "run 0", "after 0"], f"in order, as root: {ran(c, 1)}")
    expect('"verb"' in "\n".join(ran(c, 1, "before")), "it read the operation")
    hook(c, 1, "before", "60-no", "echo not on a Monday >&2\nexit 1\n")
    c.refused(2, "hook", "run", "n1", "quick", says=("not on a Monday",))
    os.chmod(os.path.join(c.folder, "hooks", "n1", "run.d", "quick"), 0o777)
    hook(c, 1, "before", "60-no", "exit 0\n")
    c.refused(2, "hook", "run", "n1", "quick", says=("writable only by root",))
    os.chmod(os.path.join(c.folder, "hooks", "n1", "before.d"), 0o700)
    c.refused(2, "hook", "run", "n1", "quick", says=("cannot be read",))


@case("a hook that hangs or babbles is ended by the hand, and its daemon does not feel it")
def _(clusters):
    c = operating(clusters)
    hook(c, 1, "run", "babbles", "yes | head -c 50000000\nyes | head -c 50000000 >&2\n")
    c.essaim(2, "hook", "run", "n1", "babbles", as_json=False)
    hook(c, 1, "run", "slow", TELLS + "trap '' TERM\n" + WAITS)
    number = start(c, 2, 1)
    wait_for(lambda: ran(c, 1), "it runs")
    c.essaim(2, "op", "cancel", number)
    ended_everywhere(c, number, "undone")
    expect(not lives(process_of(c, 1)), "its process is gone")
    expect(c.master() == 1, "n1 was master all the time")


@case("a hand that is killed with a hook: the operation is explained, and none is run until there is a hand again")
def _(clusters):
    c = operating(clusters)
    hook(c, 1, "run", "slow", TELLS + WAITS)
    number = start(c, 2, 1)
    waiter = watch(c, 2, number)
    wait_for(lambda: ran(c, 1), "it runs")
    pid = child_of(c[1].process.pid)
    os.kill(c[1].process.pid, signal.SIGKILL)
    try:
        code, last = end_of(waiter)
        expect(code == 1 and "hand" in str(last), f"exit {code}: {last}")
        wait_for(lambda: not lives(process_of(c, 1)), "its hook died with it")
        expect("end" not in ran(c, 1), f"in the middle: {ran(c, 1)}")
    finally:
        os.kill(pid, signal.SIGKILL)


@case("a hook that does not even die keeps its operation and its lock until its process is gone")
def _(clusters):
    with tempfile.NamedTemporaryFile(prefix="essaim-unkillable-") as withheld:
        c = operating(clusters, hand=daemon.HAND_FOR_TESTS, environment={"ESSAIM_HAND_UNKILLABLE": withheld.name})
        outlives_its_cancelling(c)


def outlives_its_cancelling(c):
    hook(c, 1, "run", "slow", TELLS + WAITS)
    number = start(c, 2, 1)
    wait_for(lambda: ran(c, 1), "it runs")
    c.essaim(2, "op", "cancel", number)
    wait_for(lambda: "does not end, not even killed" in c[1].tail(100), "the daemon says so")
    waits = lambda: c[1].ask("op show", {"operation": number}).get("waits", "")
    wait_for(lambda: "its command was killed " in waits() and " s ago and does not end" in waits(),
             "and the operation tells for how long")
    c.refused(2, "hook", "run", "n1", "slow", says=(f"locked by operation {number}",))
    expect([o["operation"] for o in c[2].ask("op list")] == [number], "it has not ended")
    let_go(c, 1)
    ended_everywhere(c, number, "undone")
    expect(ran(c, 1).count("end") == 1, f"the hook came to its end: {ran(c, 1)}")


@case("what a hook started leaves its process group in vain: it dies with its hook where the hand has cgroups")
def _(clusters):
    c = new(clusters, 2)
    with_hand(c, 1)
    groups = os.path.join(c.folder, "cgroup")
    os.mkdir(groups)
    if subprocess.run(["mount", "-t", "cgroup2", "none", groups], capture_output=True).returncode != 0:
        raise Skip("no cgroup v2 can be mounted here")
    ours = os.path.join(groups, f"essaim-{os.getpid()}")
    os.mkdir(ours)
    try:
        if not os.path.exists(os.path.join(ours, "cgroup.kill")):
            raise Skip("this kernel's cgroups have no cgroup.kill")
        at = c[1].before.index("--")
        c[1].before[at:at] = ["--cgroup", ours]
        c.start().form()
        wait_for(lambda: all(n.status().get("level") == 3 for n in c), "the level is 3")
        hook(c, 1, "run", "slow", "setsid sh -c 'echo $$ > process.new; mv process.new process; exec sleep 600' &\n" + WAITS)
        number = start(c, 2, 1)
        wait_for(lambda: ran(c, 1, "process"), "its child runs")
        process = process_of(c, 1)
        expect(len(os.listdir(ours)) > len([f for f in os.listdir(ours) if f.startswith("cgroup.")]), "it has a cgroup")
        expect(lives(process), "in a session of its own")
        c.essaim(2, "op", "cancel", number)
        ended_everywhere(c, number, "undone")
        wait_for(lambda: not lives(process), "which is no way out")
        hook(c, 1, "run", "quick", "exit 0\n")
        c.essaim(2, "hook", "run", "n1", "quick", as_json=False)  # whose end removes what could not be then
        wait_for(lambda: not [f for f in os.listdir(ours) if f.startswith("job-")], "and no cgroup is left")
        expect(c[1].terminate() == 0, "the hand ends")
    finally:
        for node in c:
            if node.process and node.running():
                node.terminate()
        for folder, _, _ in os.walk(ours, topdown=False):
            os.rmdir(folder)
        subprocess.run(["umount", groups], check=True)
