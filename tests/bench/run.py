#!/usr/bin/env python3
"""Measures real daemons and the simulator.  usage: run.py [--long] [--peers] [BENCH…]

Each bench is a function below; each figure one JSON line on standard output (report.py).
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from handover import handover  # noqa: E402
from probe import cpu_s, rss_mb, said  # noqa: E402
from report import LINES, figure, talk  # noqa: E402
from scale import bootstrap, loss, scale200, scale300, scale600, scale1000, storm, watch  # noqa: E402
from swarm import Swarm, lab  # noqa: E402
from volumes import inventory, volumes  # noqa: E402
import daemon  # noqa: E402  (of tests/net)
from facts import facts as facts_of  # noqa: E402
from abuse import abuse as abuse_of  # noqa: E402

LONG = "--long" in sys.argv
LIMIT_S = 7200 if LONG else 3000


def pick(short, long):
    return long if LONG else short


# ---- fail-over ----

def kill_trial(s):
    old = s.master()
    writer = s.other(old)
    start = time.monotonic()
    s[old].kill()
    took = s.served(writer, start)
    s[old].start()
    return took


def cut_trial(s):
    old = s.master()
    writer = s.other(old)
    start = time.monotonic()
    s.network.isolate(old)
    took = s.served(writer, start)
    s.network.heal()
    return took


def stop_trial(s):
    """The longest that one of a row of puts through another node took, around a clean stop."""
    old = s.master()
    writer = s.other(old)
    longest, ended = 0, time.monotonic() + 1
    s[old].process.terminate()
    while time.monotonic() < ended:
        start = time.monotonic()
        longest = max(longest, s.served(writer, start) or 99)
    s[old].process.wait()
    s[old].start()
    return longest


def failover():
    for n in (3, 5):
        for profile, target in (("default", 1.7), ("lan", 0.75)):
            with Swarm(n, profile=profile) as s:
                for metric, trial, count, limit in (
                        ("SIGKILL of the master to a put through another, s", kill_trial, pick(9, 15), target),
                        ("link cut of the master to a put through another, s", cut_trial, pick(5, 15), target),
                        ("longest put around a clean stop of the master, s", stop_trial, pick(5, 10), 0.05)):
                    took = []
                    for _ in range(count):
                        s.settle(2 + random.random())
                        took.append(trial(s))
                    figure("failover", n, profile, metric, took, limit)


# ---- a member's death ----

def known_to_all(s, victim, since, limit=60):
    """Seconds until the last other node logged that the victim is unreachable."""
    until = time.time() + limit
    while time.time() < until:
        moments = [[at for at, _, subject in said(node, {"UNREACHABLE"}, since)
                    if subject == s[victim].name] for node in s if node.index != victim]
        if all(moments):
            return max(min(m) for m in moments) - since
        time.sleep(0.1)
    return None


def death_trial(s, how):
    victim = random.choice([i for i in s.nodes if i != s.master()])
    since = time.time()
    if how == "kill":
        s[victim].kill()
    else:
        s.network.isolate(victim)
    took = known_to_all(s, victim, since)
    if how == "kill":
        s[victim].start()
    else:
        s.network.heal()
    s.settle(3)
    return took


def pause_trial(s, seconds):
    """How many nodes were declared unreachable by anyone because one was paused."""
    victim = s[random.choice([i for i in s.nodes if i != s.master()])]
    since = time.time()
    victim.stop()
    time.sleep(seconds)
    victim.cont()
    time.sleep(4)
    return len({subject for node in s for _, _, subject in said(node, {"UNREACHABLE"}, since)})


def death():
    for n in (10, 50):
        with Swarm(n) as s:
            s.settle(10)
            since = time.time()
            time.sleep(60)
            suspected = sum(len(said(node, {"SUSPECT", "UNREACHABLE"}, since)) for node in s)
            figure("death", n, "default", "suspicions in an idle minute", [suspected], 0)
            for how, name, target in (("kill", "SIGKILL", 2.0), ("cut", "link cut", 6.0)):
                took = [death_trial(s, how) for _ in range(pick(5, 10))]
                figure("death", n, "default", f"{name} of a member until all know, s", took, target)
            for seconds in (1, 2, 5):
                wrong = [pause_trial(s, seconds) for _ in range(pick(5, 20))]
                figure("death", n, "default", f"nodes declared unreachable by a pause of {seconds} s, all trials",
                       [sum(wrong)], 0)


# ---- puts ----

def put_client():
    path = os.path.join(daemon.BUILD, "tests", "put_client")
    if os.path.exists(path):
        return path
    path = os.path.join(tempfile.gettempdir(), f"essaim-put-client-{os.getuid()}")
    lab.run("cc", "-O2", "-o", path, os.path.join(HERE, "put_client.c"))
    return path


def puts_of(s, node, count, clients):
    """(latencies in ms, puts per second)"""
    said_ns = lab.run(put_client(), s[node].socket, str(count), str(clients)).split()
    return [int(ns) / 1e6 for ns in said_ns[:-1]], count * clients / (int(said_ns[-1]) / 1e9)


def puts():
    with Swarm(3) as s:
        s.settle(5)
        master = s.master()
        other = s.other(master)
        puts_of(s, master, 200, 1)  # the store's files get their size
        for name, node, target in (("the master", master, 1.3), ("another", other, 2.0)):
            latencies, _ = puts_of(s, node, pick(1000, 3000), 1)
            figure("puts", 3, "default", f"put through {name}, p50, ms", latencies, target)
            latencies.sort()
            figure("puts", 3, "default", f"put through {name}, p99, ms", [latencies[int(len(latencies) * .99)]])
        for name, node in (("the master", master), ("another", other)):
            rates = [puts_of(s, node, 250, 8)[1] for _ in range(3)]
            figure("puts", 3, "default", f"puts/s of 8 clients through {name}", rates, digits=0)


# ---- what it costs to be there ----

def footprint():
    with Swarm(50) as s:
        s.settle(130)  # until the facts of the start have spread
        master, seconds = s.master(), pick(30, 120)
        before = {n.index: (cpu_s(n.process.pid), s.network.bytes_in(n.index)) for n in s}
        start = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        cpu = {n.index: (cpu_s(n.process.pid) - before[n.index][0]) * 1000 / took for n in s}
        net = {n.index: (s.network.bytes_in(n.index) - before[n.index][1]) / took for n in s}
        voters = {n.index for n in s if any(r["voter"] and r["self"] for r in n.ask("node list"))}
        plain = [i for i in s.nodes if i not in voters and i != master]
        figure("footprint", 50, "default", "CPU of a member, ms/s", [cpu[i] for i in plain], 1.0)
        figure("footprint", 50, "default", "CPU of a voter, ms/s", [cpu[i] for i in voters if i != master], 1.0)
        figure("footprint", 50, "default", "CPU of the master, ms/s", [cpu[master]], 5.0)
        figure("footprint", 50, "default", "RSS, MB", [rss_mb(n.process.pid) for n in s], 10.0)
        figure("footprint", 50, "default", "IP bytes/s in of a member", [net[i] for i in plain], 270)
        figure("footprint", 50, "default", "IP bytes/s in of the master", [net[master]])


def idle():
    """Both cores busy with other work: the master must stay."""
    seconds = pick(60, 600)
    for profile in ("default", "lan"):
        with Swarm(3, profile=profile) as s:
            s.settle(3)
            epoch = s.agree()
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                    for _ in range(os.cpu_count() or 2)]
            try:
                time.sleep(seconds)
            finally:
                for process in busy:
                    process.kill()
                    process.wait()
            changes = s[1].status()["master"]["epoch"] - epoch[1]
            figure("idle", 3, profile, f"changes of master in {seconds} s with all cores loaded", [changes], 0)


def simulator():
    speeds = []
    for seed in range(1, pick(4, 8)):
        said_json = lab.run(os.path.join(daemon.BUILD, "simulator", "essaim-sim"), "run", "--nodes", "5",
                            "--duration", "1h", "--seed", str(seed))
        run = json.loads(said_json)
        if run["violations"]:
            talk(f"seed {seed} has violations: {run['violations']}")
        speeds.append(run["simulated_s"] / run["cpu_s"])
    figure("simulator", 5, "default", "simulated seconds per CPU second, with faults", speeds, ">= 10000", 0)


def swarm_run(n, seed, *more):
    # exit code 1 (a rule broken) still prints its figures: the lines below say which
    done = subprocess.run([os.path.join(daemon.BUILD, "simulator", "essaim-sim"), "run", "--membership", "--nodes",
                           str(n), "--duration", "60s", "--seed", str(seed), *more],
                          stdout=subprocess.PIPE, timeout=1800)
    return json.loads(done.stdout)


def swarm():
    """Membership alone, many nodes in one process: bootstrap, one crash, ten at once."""
    for n, profile, more, speed, memory in ((1000, "with facts", [], ">= 1", None),
                                            (3000, "no facts", ["--no-facts"], None, 4096)):
        runs = [swarm_run(n, seed, *more) for seed in range(1, pick(2, 4 if n == 1000 else 2))]
        if not more:
            figure("swarm", n, profile, "start until all hold the same facts, s", [run["facts_agree_s"] for run in runs])
        for key, name, target in (("all_agree_s", "start until all count all reachable, s", None),
                                  ("crash_known_s", "a process dies until all know, s", None),
                                  ("ten_crashes_known_s", "ten hosts die at once until all know, s", None),
                                  ("false_verdicts", "verdicts about the living", 0),
                                  ("simulated_per_cpu_s", "simulated seconds per CPU second", speed)):
            figure("swarm", n, profile, name, [run[key] for run in runs], target)
        for stretch in ("bootstrap", "quiet", "after_crash", "after_ten_crashes"):
            for unit in ("packets", "bytes"):
                figure("swarm", n, profile, f"{stretch.replace('_', ' ')}: {unit} sent/s and node",
                       [run[stretch] and run[stretch][f"{unit}_per_node_s"] for run in runs], None, 1)
        figure("swarm", n, profile, "peak memory, MiB", [run["memory_bytes"] / 2 ** 20 for run in runs], memory, 0)


def only_loss():
    loss(pick(60, 600))


def facts():
    facts_of(pick(50, 50), pick(30, 120))


def abuse():
    abuse_of(pick(400, 900))


ALWAYS = (failover, handover, death, puts, footprint, idle, simulator, swarm, bootstrap, watch, storm, scale200, inventory, volumes, facts, abuse)
BENCHES = {f.__name__: f for f in ALWAYS} | {"loss": only_loss}
WORD_ONLY = {"scale300": scale300, "scale600": scale600, "scale1000": scale1000}  # minutes, gigabytes: if asked for


def peers():
    folder = os.path.join(HERE, "peers")
    for name in ("serf", "etcd", "corosync", "keepalived"):
        talk(f"--- {name}")
        done = subprocess.run([sys.executable, os.path.join(folder, f"{name}.py")] + (["--long"] if LONG else []),
                              timeout=3600)
        if done.returncode:
            talk(f"{name} could not be measured")


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    benches = BENCHES | WORD_ONLY
    unknown = [w for w in words if w not in benches]
    if unknown:
        sys.exit(f"unknown bench: {' '.join(unknown)}; there are: {' '.join(benches)}")
    lab.enter(LIMIT_S)
    failed = []
    for name in words or BENCHES:
        talk(f"--- {name}")
        try:
            benches[name]()
        except Exception as error:  # the other figures are still worth having
            failed.append(name)
            talk(f"{name} could not be measured: {type(error).__name__}: {error}")
    if "--peers" in sys.argv:
        peers()
    missed = [line for line in LINES if line["ok"] is False]
    talk(f"{len(LINES)} figures, {len(missed)} off target, {len(failed)} benches failed")
    return 1 if failed else 0


sys.exit(main())
