"""facts.py: what nodes say of themselves and of each other: how fast, how true, at what cost."""
import os
import time
import urllib.request

from probe import cpu_s
from report import figure
from swarm import Swarm, lab, wait_for
import observing  # of tests/net: daemons whose clocks can be set

HOME = os.open("/proc/self/ns/net", os.O_RDONLY)
PAGE = "http://127.0.0.1:7801"


class Hosts(Swarm):
    def __init__(self, count):
        super().__init__(count)
        self.nodes = {i: observing.Host(self.network, self.folder, i) for i in self.nodes}


def kept(node, name):
    return next((n["synchronised"] for n in node.ask("clock show")["nodes"] if n["name"] == name), None)


def spread(s, owner, value):
    """Seconds from when the owner says something else until the last node has heard of it."""
    s[owner].set_clock(0, kept=value)
    name = s[owner].name
    wait_for(lambda: kept(s[owner], name) is value, "the owner says it", 30, 0.005)
    start, missing = time.monotonic(), set(s.nodes)
    while missing and time.monotonic() < start + 30:
        missing -= {i for i in missing if kept(s[i], name) is value}
    return None if missing else time.monotonic() - start


def offsets(s, rounds):
    """(how far from the truth, the bound) in ms; the truth is 0: one machine, one clock."""
    out = []
    for _ in range(rounds):
        for node in s:
            for row in node.ask("clock show")["offsets"]:
                out.append((abs(row["offset_ms"]), row["error_ms"]))
        time.sleep(0.2)
    return out


def view(s, path):
    """Milliseconds and bytes of one GET within node 1's namespace."""
    lab.enter_namespace(s.network.namespace(1))
    start = time.monotonic()
    body = urllib.request.urlopen(PAGE + path, timeout=10).read()
    took = (time.monotonic() - start) * 1000
    lab._libc.setns(HOME, lab.CLONE_NEWNET)
    return took, len(body)


def metrics():
    """Of the daemon in whose namespace we are: those without labels."""
    text = urllib.request.urlopen(PAGE + "/metrics", timeout=10).read().decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#" and "{" not in line)
    return {name: float(value) for name, value in pairs}


def metric(s, name):
    lab.enter_namespace(s.network.namespace(1))
    values = metrics()
    lab._libc.setns(HOME, lab.CLONE_NEWNET)
    return values[name]


def measured(s, rounds):
    """(how far from the truth, the bound) in ms, as measured, before it is rounded to be told to others."""
    out = []
    for _ in range(rounds):
        for node in s:
            out += [(abs(row["offset_us"]) / 1000, row["bound_us"] / 1000)
                    for row in node.ask("clock show")["measured"]]
        time.sleep(0.2)
    return out


def facts(count, seconds):
    with Hosts(3) as s:
        time.sleep(20)
        raw = measured(s, 50)
        figure("facts", 3, "default", "measured offset from the truth, ms", [off for off, _ in raw], 1.0)
        figure("facts", 3, "default", "measured offsets within their bound, %",
               [100 * sum(off <= bound for off, bound in raw) / len(raw)], ">= 100")
        pairs = offsets(s, 50)
        within = sum(off <= bound for off, bound in pairs)
        figure("facts", 3, "default", "offset from the truth, ms", [off for off, _ in pairs], 1.0)
        figure("facts", 3, "default", "offsets within their bound, %", [100 * within / len(pairs)], ">= 100")
        views = [view(s, "/") for _ in range(20)]
        figure("facts", 3, "default", "the page, ms to its last byte", [took for took, _ in views], 100)
        figure("facts", 3, "default", "the page, KiB", [size / 1024 for _, size in views], 200)
    with Hosts(count) as s:
        s.settle(60)
        before = {n.index: cpu_s(n.process.pid) for n in s}
        start = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        figure("facts", count, "default", "CPU with all observers, ms/s",
               [(cpu_s(n.process.pid) - before[n.index]) * 1000 / took for n in s], 1.5)
        figure("facts", count, "default", "a changed fact on all nodes, s",
               [spread(s, 7, value) for value in (False, True, False)], 1.0)
        figure("facts", count, "default", "longest turn of the loop, ms",
               [1000 * metric(s, "essaim_loop_held_max_seconds")], 10)
