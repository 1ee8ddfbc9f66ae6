"""The control socket and the command line against real daemons."""
import json
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

import daemon
import lab
from case import case
from cluster import expect, new, wait_for
from daemon import Refused


@case("an unprivileged user may read and not write")
def _(clusters):
    c = new(clusters, 1).start().form()
    nobody = pwd.getpwnam("nobody")
    readable = shutil.copy(daemon.ESSAIM, c.folder)  # the checkout may be closed to others
    as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "binary": readable,
                 "cwd": c.folder}
    done = c.essaim(1, "status", check=False, **as_nobody)
    expect(done.returncode == 0 and json.loads(done.stdout)["node"] == "n1", f"may read: {done.stderr}")
    for words in (("kv", "put", "k", "v"), ("token", "create"), ("node", "remove", "n1"), ("leave",),
                  ("master", "transfer"), ("master", "seize", "--confirm", "n1"), ("cluster", "set", "voters", "3"),
                  ("cluster", "backup", "/tmp/never-written"), ("node", "rekey")):
        done = c.essaim(1, *words, check=False, **as_nobody)
        expect(done.returncode == 1, f"{words} as nobody ends with 1, not {done.returncode}: {done.stderr}")
        expect("group" in done.stdout + done.stderr, f"and says who may: {done.stdout}{done.stderr}")
    done = c.essaim(1, "kv", "get", "k", check=False)
    expect(done.returncode == 1, "nothing was written")


@case("without a master a write ends with 3 and says how many voters are missing")
def _(clusters):
    c = new(clusters, 3).start().form()
    c[2].kill()
    c[3].kill()
    wait_for(lambda: c[1].status() and not c[1].status()["master"], "the last one sees no master")
    done = c.essaim(1, "--timeout", "2s", "kv", "put", "k", "v", check=False, as_json=False)
    expect(done.returncode == 3, f"exit 3, not {done.returncode}: {done.stderr}")
    expect("2" in done.stderr and "voter" in done.stderr, f"says the voters: {done.stderr}")
    done = c.essaim(1, "master", "show", check=False)
    expect(done.returncode == 3, "master show ends with 3")
    expect(c.essaim(1, "status")["master"] is None, "status still ends with 0")


@case("the JSON of the documented commands has the documented fields")
def _(clusters):
    c = new(clusters, 3).start().form()
    status = c.essaim(2, "status")
    for field in ("cluster", "generation", "node", "profile", "master", "lease_remaining_ms", "voters",
                  "members", "dropped"):
        expect(field in status, f"status has {field}")
    expect(set(status["voters"]) >= {"total", "reachable", "needed"}, "voters")
    for row in c.essaim(2, "node", "list"):
        expect(set(row) >= {"name", "id", "address", "state", "role", "voter", "incarnation", "since_ms",
                            "accusers"}, f"node list row {row}")
    expect(set(c.essaim(2, "master", "show")) >= {"name", "epoch", "lease_remaining_ms"}, "master show")
    expect(set(c.essaim(2, "cluster", "show")) >= {"cluster", "generation", "hash", "level", "profile", "settings",
           "voters", "voters_wanted", "voters_why", "generations"}, "cluster show")
    expect(set(c.essaim(2, "token", "create")) >= {"token", "expires"}, "token create")
    c.essaim(2, "kv", "put", "a/b", "value")
    row = c.essaim(3, "kv", "get", "a/b")
    expect(row["key"] == "a/b" and row["value"] == "value" and row["version"] > 0, f"kv get: {row}")
    wait_for(lambda: [r["key"] for r in c.essaim(3, "kv", "list")] == ["a/b"], "kv list, which reads locally")
    c.refused(3, "kv", "put", "a/b", "x", "--if-version", row["version"] + 7, says=("version",))
    c.essaim(1, "kv", "delete", "a/b")
    c.refused(3, "kv", "get", "a/b", says=("no such key",))


@case("a value of 64 KiB passes through any node and a larger one is refused")
def _(clusters):
    c = new(clusters, 3).start().form()
    writer = next(i for i in c.nodes if i != c.master())
    big = "x" * 65536
    c.put(writer, "big", big)
    expect(c.get(c.other(writer), "big")["value"] == big, "it came back whole")
    try:
        c[writer].ask("kv put", {"key": "big", "value": big + "x"})
        raise AssertionError("a value of 64 KiB + 1 was taken")
    except Refused as refusal:
        expect(refusal.code in (1, 2), f"refused with 1 or 2, not {refusal.code}")


@case("watch and events --follow tell of changes as they come")
def _(clusters):
    c = new(clusters, 2).start().form()
    watch = daemon.frames(c[2].socket, "kv watch", {"prefix": "w/"}, timeout=60)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(next(watch)), daemon=True)
    thread.start()
    for k in range(200):
        c.put(1, "w/1", str(k))
        thread.join(0.1)
        if seen:
            break
    expect(seen and seen[0]["event"]["key"] == "w/1", f"the watch told: {seen}")


def garbage_frames():
    yield b"\xff\xff\xff\xff"                      # longer than allowed
    yield struct.pack(">I", 5) + b"nope!"          # not JSON
    yield struct.pack(">I", 2) + b"{}"             # no verb
    yield struct.pack(">I", 16) + b'{"verb":"nope"}'  # shorter than it says: a slow client
    yield struct.pack(">I", 4) + b"\x00\x01\x02\x03"


@case("garbage on the control socket, on UDP and on TCP harms nothing and is counted")
def _(clusters):
    c = new(clusters, 2).start().form()
    for frame in garbage_frames():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(c[1].socket)
            client.sendall(frame)
    before = sum(c[1].status()["dropped"].values())
    send_garbage(c, 2, c[1])
    wait_for(lambda: sum(c[1].status()["dropped"].values()) > before, "dropped packets are counted")
    c.put(1, "k", "v")
    expect(c[1].running() and c.agree(), "both go on")


def send_garbage(c, from_node, to):
    """From inside a node's namespace: random packets and half-open streams."""
    ip = c.network.ip(to.index)
    script = (f"import os, socket\nu = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              f"for n in (0, 1, 31, 48, 64, 500, 1232, 1233, 8000):\n"
              f"    [u.sendto(os.urandom(n), ('{ip}', {daemon.PORT})) for _ in range(5)]\n"
              f"held = []\n"
              f"for n in range(60):\n"
              f"    s = socket.socket()\n    s.settimeout(1)\n"
              f"    try:\n        s.connect(('{ip}', {daemon.PORT}))\n        s.send(os.urandom(n))\n"
              f"    except OSError: pass\n"
              f"    held.append(s)\n")
    namespace = c.network.namespace(from_node)
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60,
                   preexec_fn=lambda: lab.enter_namespace(namespace))


@case("a clean stop removes the socket, and a stale one of a killed daemon is replaced")
def _(clusters):
    c = new(clusters, 1).start()
    c[1].kill()
    expect(os.path.exists(c[1].socket), "a killed daemon leaves its socket")
    c[1].start()
    expect(c[1].terminate() == 0, "exit 0")
    expect(not os.path.exists(c[1].socket), "a stopped one does not")


@case("a daemon started without standard descriptors gives their numbers to nothing else")
def _(clusters):
    c = new(clusters, 1)
    process = subprocess.Popen(c[1].command(), env=daemon.SANITIZED, close_fds=True, preexec_fn=lambda: (
        lab.enter_namespace(c.network.namespace(1)), os.makedirs(c[1].data), os.closerange(0, 3)))
    try:
        wait_for(lambda: os.path.exists(c[1].socket), "it listens")
        held = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in (0, 1, 2)]
        expect(held == ["/dev/null"] * 3, f"descriptors 0, 1, 2 lead to {held}")
    finally:
        process.terminate()
        process.wait(20)


@case("a terminal that nobody reads does not hold the daemon")
def _(clusters):
    c = new(clusters, 1)
    terminal, its_end = os.openpty()
    os.makedirs(c[1].data)
    namespace = c.network.namespace(1)
    process = subprocess.Popen(c[1].command(), env=daemon.SANITIZED, stdin=subprocess.DEVNULL,
                               stdout=its_end, stderr=its_end,
                               preexec_fn=lambda: lab.enter_namespace(namespace))
    os.close(its_end)
    try:
        wait_for(lambda: os.path.exists(c[1].socket), "it listens")
        for _ in range(1500):  # about 150 KB of log: more than a terminal keeps
            process.send_signal(signal.SIGHUP)
            daemon.ask(c[1].socket, "version", timeout=10)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
