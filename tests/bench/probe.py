"""probe.py: what /proc tells of a process, and what daemons' logs tell of a moment."""
import datetime
import os
import re


def cpu_s(pid):
    """CPU time of all threads, from schedstat: finer than the ticks of stat."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"no VmRSS of {pid}")


LINE = re.compile(r"(\S+) \w+ rule=(\w+)(?: subject=(\S+))?")


def said(node, rules, since):
    """(wall seconds, rule, subject) of that node's log lines of those rules, from `since` on."""
    found = []
    with open(node.log, errors="replace") as log:
        for line in log:
            match = LINE.match(line)
            if not match or match[2] not in rules:
                continue
            at = datetime.datetime.fromisoformat(match[1].replace("Z", "+00:00")).timestamp()
            if at >= since - 0.001:  # the log counts whole milliseconds
                found.append((at, match[2], (match[3] or "").strip('"')))
    return found
