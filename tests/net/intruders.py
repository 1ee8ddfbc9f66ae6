"""What somebody who is not a member, or only half of one, can do to those who are."""
import os
import socket
import subprocess
import sys
import time

import daemon
import lab
from case import case
from cluster import expect, new, wait_for

HANDSHAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handshake.py")


def intrude(c, from_node, to, *words):
    """Starts handshake.py in a node's namespace; the process, once it holds its streams."""
    namespace = c.network.namespace(from_node)
    command = [sys.executable, HANDSHAKE, c.network.ip(to), str(daemon.PORT)] + [str(w) for w in words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: lab.enter_namespace(namespace))
    held = process.stdout.readline().split()
    expect(held and held[0] == "held", "the intruder began")
    return process, int(held[1])


def end(process):
    process.stdin.close()
    process.wait(10)


def descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def replay(c, author, to):
    """The author's first message to that node, again and again, from a third node's machine."""
    key = c[to].ask("node show", {"name": c[to].name})["key"]
    cluster = c[to].status()["cluster"]
    seed = os.path.join(c[author].data, "node.key")
    return intrude(c, author, to, 3, "member", cluster, seed, key)


@case("a first message said again takes no frame from the member who said it first")
def _(clusters):
    c = new(clusters, 3).start().form()
    master = c.master()
    others = [i for i in c.nodes if i != master]
    for k in range(5):
        # Entries too large for a packet go from the master to its voters over streams.
        intruders = [replay(c, i, master)[0] for i in others]
        row = c[master].ask("kv put", {"key": f"big{k}", "value": "x" * 65536}, 10)
        expect(row["version"] > 0, "a large value is committed")
        for process in intruders:
            end(process)
    expect(c.master() == master, "the master stayed")


@case("streams of a spent token are bounded, and a good one still gets in")
def _(clusters):
    c = new(clusters, 3).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    spent = c.essaim(1, "token", "create")["token"]
    c.join(2, 1, spent)
    before = descriptors(c[1])
    process, held = intrude(c, 2, 1, 300, "join", spent)
    expect(held == 300, f"a spent token opens a stream, to be told so: {held}")
    most = before + 64 + 32 + 16  # unproven ones, a token's, and a few that come and go
    wait_for(lambda: descriptors(c[1]) <= most, f"at most {most} descriptors: {descriptors(c[1])}", 20)
    c.join(3, 1, c.essaim(1, "token", "create")["token"])
    end(process)


@case("half-open handshakes shut no member out")
def _(clusters):
    c = new(clusters, 3).start().form()
    master = c.master()
    other = c.other(master)
    before = descriptors(c[master])
    held = []
    for _ in range(5):
        key = c[master].ask("node show", {"name": c[master].name})["key"]
        seed = os.path.join(c[other].data, "node.key")
        process, _ = intrude(c, other, master, 200, "member", c[master].status()["cluster"], seed, key)
        held.append(process)
        c[other].ask("kv put", {"key": "big", "value": "x" * 65536}, 10)
    expect(descriptors(c[master]) <= before + 64 + 32 + 16, f"{descriptors(c[master])} descriptors")
    for process in held:
        end(process)


@case("followers without rights leave room for the administrator")
def _(clusters):
    c = new(clusters, 1).start().form()
    script = ("import os, socket, struct, sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
              "held = []\nfor _ in range(100):\n"
              "    s = socket.socket(socket.AF_UNIX)\n    held.append(s)\n"
              "    try:\n"
              "        s.connect(sys.argv[1])\n"
              "        r = b'{\"verb\":\"events\",\"args\":{\"follow\":true,\"lines\":0}}'\n"
              "        s.sendall(struct.pack('>I', len(r)) + r)\n"
              "    except OSError: pass\n"
              "print('held', flush=True)\nsys.stdin.read()\n")
    process = subprocess.Popen([sys.executable, "-c", script, c[1].socket], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    expect(process.stdout.readline() == "held\n", "they follow")
    try:
        expect(c.essaim(1, "status")["node"] == "n1", "root reads")
        c.essaim(1, "kv", "put", "k", "v")
    finally:
        end(process)


def cpu_ticks(node):
    with open(f"/proc/{node.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@case("a daemon out of descriptors does not spin, and comes back")
def _(clusters):
    c = new(clusters, 1).start().form()
    pid = c[1].process.pid
    lab.run("prlimit", "--pid", str(pid), f"--nofile={descriptors(c[1])}:")

    waiting = socket.socket(socket.AF_UNIX)
    waiting.connect(c[1].socket)  # the kernel takes it; the daemon cannot
    before = cpu_ticks(c[1])
    time.sleep(3)
    spent = cpu_ticks(c[1]) - before
    lab.run("prlimit", "--pid", str(pid), "--nofile=1024:")
    waiting.close()
    expect(spent < 100, f"{spent} ticks of 300 went into nothing")
    wait_for(lambda: c[1].status().get("node") == "n1", "it answers again")


@case("a daemon that takes no connections is said to be overloaded or paused")
def _(clusters):
    c = new(clusters, 2)
    c.start(1)
    c[1].ask("init", {"name": "n1", "profile": "default"})
    c[1].stop()
    held = []
    try:
        while len(held) < 1000:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            held.append(client)
            client.connect(c[1].socket)
    except BlockingIOError:
        pass  # the backlog is full
    done = c.essaim(1, "--timeout", "1s", "status", check=False, as_json=False)
    c[2].socket = c[1].socket
    second = c[2].spawn()
    expect(second.wait(20) == 1 and "another essaimd" in c[2].tail(), f"it keeps its socket: {c[2].tail(2)}")
    for client in held:
        client.close()
    c[1].cont()
    expect(done.returncode == 1 and "paused" in done.stderr, f"exit {done.returncode}: {done.stderr}")
    wait_for(lambda: c[1].status().get("node") == "n1", "it answers again")


@case("a frame longer than any may be ends its stream at once")
def _(clusters):
    c = new(clusters, 2).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    token = c.essaim(1, "token", "create")["token"]
    script = ("import struct, sys\nsys.path.insert(0, sys.argv[1])\nimport handshake\n"
              "s = handshake.JoinStream((sys.argv[2], int(sys.argv[3])), sys.argv[4])\n"
              "s.socket.sendall(struct.pack('>I', 1 << 30))\ns.socket.settimeout(20)\n"
              "try: print(len(s.socket.recv(1)))\nexcept ConnectionResetError: print(0)\n")
    done = subprocess.run([sys.executable, "-c", script, os.path.dirname(HANDSHAKE), c.network.ip(1),
                           str(daemon.PORT), token], capture_output=True, text=True, timeout=30,
                          preexec_fn=lambda: lab.enter_namespace(c.network.namespace(2)))
    expect(done.stdout.strip() == "0", f"closed: {done.stdout}{done.stderr}")


@case("who has spoken is heard before a crowd that came later shuts him out")
def _(clusters):
    c = new(clusters, 2).start()
    c.essaim(1, "init", "n1")
    wait_for(c.master, "a master")
    token = c.essaim(1, "token", "create")["token"]
    c[1].stop()
    script = ("import socket, sys, threading\nsys.path.insert(0, sys.argv[1])\nimport handshake\n"
              "address, token, result = (sys.argv[2], int(sys.argv[3])), sys.argv[4], []\n"
              "def speak():\n"
              "    try: result.append(handshake.JoinStream(address, token))\n"
              "    except OSError as error: print(error)\n"
              "speaker = threading.Thread(target=speak)\nspeaker.start()\nspeaker.join(1)\n"
              "crowd = [socket.create_connection(address, 5) for _ in range(100)]\n"
              "print('here', flush=True)\nspeaker.join(20)\nprint('heard', len(result), flush=True)\n")
    speaker = subprocess.Popen([sys.executable, "-c", script, os.path.dirname(HANDSHAKE), c.network.ip(1),
                                str(daemon.PORT), token], stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: lab.enter_namespace(c.network.namespace(2)))
    first = speaker.stdout.readline()
    c[1].cont()
    rest = speaker.communicate(timeout=40)[0]
    expect(first == "here\n" and rest.endswith("heard 1\n"), f"{first}{rest}")
