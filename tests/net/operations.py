"""operations.py: what is asked of the engine, on any node, happens on its target, once; hooks are its hands."""
import json
import os
import signal
import subprocess
import time

import daemon
from case import case
from cluster import expect, new, wait_for
from daemon import Refused


def hook(c, node, folder, name, script):
    """An executable of that node's; it appends to the node's own file `ran`."""
    at = os.path.join(c.folder, "hooks", f"n{node}", f"{folder}.d")
    os.makedirs(at, exist_ok=True)
    path = os.path.join(at, name)
    with open(path, "w") as out:
        out.write("#!/bin/sh\ncd " + os.path.join(c.folder, "hooks", f"n{node}") + "\n" + script)
    os.chmod(path, 0o755)


def ran(c, node, name="ran"):
    path = os.path.join(c.folder, "hooks", f"n{node}", name)
    return open(path).read().split("\n")[:-1] if os.path.exists(path) else []


def let_go(c, node):
    open(os.path.join(c.folder, "hooks", f"n{node}", "go"), "w").close()


# Says that it runs, and goes on until it is let go: the tests decide when.
WAITS = 'echo "$1 $2" >> ran\ni=0\nwhile [ ! -e go ] && [ $i -lt 600 ]; do sleep 0.05; i=$((i+1)); done\necho end >> ran\n'


def hooked(clusters, count=3):
    c = new(clusters, count)
    for node in c:
        node.more = ["--hooks", os.path.join(c.folder, "hooks", node.name), "--http", "off"]
    c.start().form()
    wait_for(lambda: all(n.status().get("level") == 3 for n in c), "the level is 3")
    return c


def start(c, at, node, name="slow", **more):
    """Its number; a cluster without a master is asked again."""
    args = {"noun": "hook", "verb": "run", "arguments": {"node": f"n{node}", "name": name, **more}}
    return c[at].ask("op start", args)["operation"]


def watch(c, at, number):
    """The command line in the background, waiting for that operation: it has heard of it."""
    waiter = subprocess.Popen([daemon.ESSAIM, "--socket", c[at].socket, "--json", "op", "wait", str(number)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=daemon.SANITIZED)
    expect(f'"operation":{number}' in waiter.stdout.readline(), "it is told how far it is")
    return waiter


def end_of(process, limit=60):
    """(exit code, the last line as JSON)"""
    out, err = process.communicate(timeout=limit)
    lines = out.strip().splitlines()
    expect(lines, f"it says how it ended: {err}")
    last = lines.index("{") if "{" in lines else -1  # an error takes several lines
    return process.returncode, json.loads("\n".join(lines[last:]))


def audit_of(c, at, number):
    return next((r for r in c[at].ask("audit") if r["operation"] == number), None)


def ended_everywhere(c, number, state, among=None):
    for i in among or c.nodes:
        wait_for(lambda i=i: (audit_of(c, i, number) or {}).get("state") == state, f"n{i} knows that it is {state}")
        wait_for(lambda i=i: c[i].ask("op list") == [], f"no lock is left on n{i}")


@case("an operation asked on any node runs on its target, once, and the audit shows who asked and where")
def _(clusters):
    c = hooked(clusters)
    target = c.other(c.master())
    hook(c, target, "run", "quick", 'echo "$1 $2" >> ran\n')
    for asker in c.nodes:
        result = c.essaim(asker, "hook", "run", f"n{target}", "quick", as_json=False)
        expect(result.strip() == "", f"it says nothing without a terminal: {result}")
        expect(len(ran(c, target)) == asker, f"it ran {ran(c, target)}")
    expect([r["from"] for r in c[1].ask("audit")] == ["n1", "n2", "n3"], "the audit knows from where")
    expect({r["who"] for r in c[2].ask("audit")} == {"root"}, "and who")
    expect(all(not ran(c, i) for i in c.nodes if i != target), "nowhere else")


@case("a master that is killed in the middle: the operation is done once, and who waits sees a pause, not an error")
def _(clusters):
    c = hooked(clusters)
    master = c.master()
    target, asker = [i for i in c.nodes if i != master]
    hook(c, target, "run", "slow", WAITS)
    number = start(c, asker, target)
    wait_for(lambda: ran(c, target), "it runs")
    waiter = watch(c, asker, number)
    c[master].kill()
    left = [target, asker]
    wait_for(lambda: c.agree(left), "the survivors agree on a master")
    expect(waiter.poll() is None, "the command line still waits")
    expect(c[asker].ask("op list")[0]["operation"] == number, "the operation is open, its lock held")
    let_go(c, target)
    code, last = end_of(waiter)
    expect((code, last["result"]) == (0, "done"), f"exit {code}: {last}")
    expect(ran(c, target) == ["run slow", "end"], f"it ran once: {ran(c, target)}")
    ended_everywhere(c, number, "done", left)
    c[master].start()
    c.wait_whole()
    ended_everywhere(c, number, "done")


@case("the daemon of whoever waits is killed: the command line goes on with the same operation when it is back")
def _(clusters):
    c = hooked(clusters)
    asker = c.other(c.master())
    target = c.other(asker)
    hook(c, target, "run", "slow", WAITS)
    number = start(c, asker, target)
    waiter = watch(c, asker, number)
    wait_for(lambda: ran(c, target), "it runs")
    c[asker].kill()
    time.sleep(0.3)
    expect(waiter.poll() is None, "it waits for the daemon")
    c[asker].start()
    let_go(c, target)
    code, last = end_of(waiter)
    expect((code, last["result"]) == (0, "done"), f"exit {code}: {last}")


@case("the node that executes is killed: it resumes from its journal, and the operation ends")
def _(clusters):
    c = hooked(clusters)
    target = c.other(c.master())
    asker = c.other(target)
    hook(c, target, "run", "slow", WAITS)
    number = start(c, asker, target)
    waiter = watch(c, asker, number)
    wait_for(lambda: ran(c, target), "it runs")
    c[target].kill()
    let_go(c, target)
    c[target].start()
    code, last = end_of(waiter)
    expect((code, last["result"]) == (0, "done"), f"exit {code}: {last}")
    expect(ran(c, target).count("run slow") == 2, f"it was begun, and begun again: {ran(c, target)}")
    expect("RESUMED" in open(c[target].log).read(), "the log says so")
    ended_everywhere(c, number, "done")


@case("two operations on one lock: the second is refused with the owner named, or waits if it was asked to")
def _(clusters):
    c = hooked(clusters)
    target = c.other(c.master())
    hook(c, target, "run", "slow", WAITS)
    first = start(c, 1, target)
    wait_for(lambda: ran(c, target), "the first runs")
    c.refused(2, "hook", "run", f"n{target}", "slow", says=(f"locked by operation {first}", "root"))
    second = start(c, 3, target, queue="yes")
    wait_for(lambda: [o["state"] for o in c[2].ask("op list")] == ["running", "queued"], "the second waits")
    expect(ran(c, target) == ["run slow"], "and did not begin")
    let_go(c, target)
    for number in (first, second):
        ended_everywhere(c, number, "done")
    expect(ran(c, target) == ["run slow", "end"] * 2, f"one after the other: {ran(c, target)}")


@case("cancel ends what runs, from any node; who waited is told, and so is the audit")
def _(clusters):
    c = hooked(clusters)
    target = c.other(c.master())
    hook(c, target, "run", "slow", WAITS)
    number = start(c, 1, target)
    waiter = watch(c, 1, number)
    wait_for(lambda: ran(c, target), "it runs")
    c.essaim(3, "op", "cancel", number)
    code, last = end_of(waiter)
    expect(code == 1 and "not done" in last["error"]["what"], f"exit {code}: {last}")
    ended_everywhere(c, number, "undone")
    expect(ran(c, target) == ["run slow"], "it was ended in the middle")


@case("a hook before refuses with its first words, one after cannot; both read the operation as JSON")
def _(clusters):
    c = hooked(clusters)
    target = c.other(c.master())
    hook(c, target, "run", "quick", 'echo "$1 $2" >> ran\n')
    hook(c, target, "before", "50-look", 'cat > before\necho "before $2" >> ran\n')
    hook(c, target, "after", "note", 'cat > after\necho "after $2" >> ran\nexit 7\n')
    c.essaim(1, "hook", "run", f"n{target}", "quick", as_json=False)
    expect(ran(c, target) == ["before hook-run", "run quick", "after hook-run"], f"in order: {ran(c, target)}")
    seen = json.loads("\n".join(ran(c, target, "before")))
    expect((seen["noun"], seen["verb"], seen["who"]) == ("hook", "run", "root"), f"it read {seen}")
    expect(seen["arguments"]["name"] == "quick", f"with its arguments {seen}")
    hook(c, target, "before", "60-no", "echo not on a Monday >&2\nexit 1\n")
    c.refused(1, "hook", "run", f"n{target}", "quick", says=("not on a Monday",))
    expect(ran(c, target)[3:] == ["before hook-run"], f"it was not run: {ran(c, target)}")


@case("a job's run happens once though the master is killed with it, and is in the audit as its owner's")
def _(clusters):
    c = hooked(clusters)
    master = c.master()
    target, asker = [i for i in c.nodes if i != master]
    hook(c, target, "run", "slow", WAITS)
    at = int(time.time() * 1000) + 500
    c[asker].ask("job add", {"name": "once", "noun": "hook", "verb": "run", "first_ms": at,
                             "arguments": {"node": f"n{target}", "name": "slow"}})
    wait_for(lambda: ran(c, target), "it runs by itself")
    c[master].kill()
    wait_for(lambda: c.agree([target, asker]), "the survivors agree on a master")
    let_go(c, target)
    wait_for(lambda: c[asker].ask("op list") == [], "it ends")
    time.sleep(1)
    expect(ran(c, target) == ["run slow", "end"], f"once: {ran(c, target)}")
    job = c[asker].ask("job show", {"name": "once"})
    expect((job["runs"], job["due"]) == (1, None), f"and never again: {job}")
    expect(audit_of(c, asker, job["last"])["who"] == "root", "its owner's")
    c.essaim(asker, "job", "remove", "once")
    expect(c[target].ask("job list") == [] or wait_for(lambda: c[target].ask("job list") == [], "gone"), "gone")


@case("Ctrl-C ends the waiting, not the operation, and says how to see it again; --detach prints its number")
def _(clusters):
    c = hooked(clusters, 1)
    hook(c, 1, "run", "slow", WAITS)
    number = int(c.essaim(1, "hook", "run", "n1", "slow", "--detach", as_json=False))
    waiter = watch(c, 1, number)
    wait_for(lambda: ran(c, 1), "it runs")
    time.sleep(0.3)
    waiter.send_signal(signal.SIGINT)
    _, talk = waiter.communicate(timeout=10)
    expect(waiter.returncode == 130 and f"op wait {number}" in talk, f"exit {waiter.returncode}: {talk}")
    let_go(c, 1)
    ended_everywhere(c, number, "done")


@case("who may only read cannot start, cancel or wait, and what was refused is no operation")
def _(clusters):
    c = hooked(clusters, 1)
    hook(c, 1, "run", "quick", "echo ran >> ran\n")
    for words in (("hook", "run", "n1", "quick"), ("op", "cancel", "1"), ("job", "run", "x")):
        done = c.essaim(1, *words, check=False, as_json=False, user=65534)
        expect(done.returncode == 1 and "group 'essaim'" in done.stderr, f"{words}: {done.stderr}")
    expect(c[1].ask("op list") == [] and c[1].ask("audit") == [] and not ran(c, 1), "nothing happened")
    for words, says in ((("hook", "run", "n9", "quick"), "no member is called 'n9'"),
                        (("hook", "run", "n1", "../quick"), "is no name"),
                        (("op", "wait", "77"), "77"), (("job", "run", "none"), "no job")):
        c.refused(1, *words, says=(says,))
    try:
        c[1].ask("op start", {"noun": "no", "verb": "verb", "arguments": {}})
        expect(False, "an unknown verb is refused")
    except Refused as refusal:
        expect(refusal.code == 1, f"{refusal}")
    expect(c[1].ask("audit") == [], "and no operation")


@case("a witness runs nothing: a hook on one is refused")
def _(clusters):
    c = new(clusters, 3).start().form(witnesses=(3,))
    c.refused(1, "hook", "run", "n3", "backup", says=("n3", "witness", "runs nothing"))
    c.refused(3, "hook", "run", "n3", "backup", says=("n3", "witness", "runs nothing"))
