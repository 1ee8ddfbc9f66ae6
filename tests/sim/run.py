#!/usr/bin/env python3
"""Stored seeds, each twice, a stored sweep that must meet every situation, a sweep of fresh seeds.

run.py SIM_BINARY [--seconds N] [--first SEED] [--seeds N]: ends after 2,000 seeds or 300 s of CPU time,
whichever comes first; one seed in 50 is run twice and its hashes compared. With another number
of seconds (also from ESSAIM_SWEEP_SECONDS) it takes fresh seeds, by the date, for as long as asked.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ORDINARY = 300  # s of CPU time
SHAPES = [(5, "600s"), (3, "600s"), (4, "600s"), (7, "600s"), (2, "600s"), (1, "300s")]


def stored(binary, path):
    """Yields (name, sentence of what went wrong or None)."""
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("faults "):
            _, name, why = line.split(maxsplit=2)
            done = subprocess.run([binary, "run", "--faults", str(path.with_name("faults") / name)],
                                  capture_output=True, text=True, timeout=600)
            yield f"{name} ({why})", done.stdout if done.returncode else None
            continue
        nodes, duration, seed, why = line.split(maxsplit=3)
        done = subprocess.run(
            [binary, "sweep", "--seeds", f"{seed}..{seed}", "--nodes", nodes, "--duration",
             duration, "--twice", "--jobs", "1"], capture_output=True, text=True, timeout=1800)
        yield f"seed {seed}, {nodes} nodes ({why})", done.stderr if done.returncode else None


def accidents(binary, path):
    """Yields (name, what went wrong or None) of the large swarms' accidents."""
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, nodes, duration, seed = line.split()
        done = subprocess.run([binary, "run", "--accident", name, "--nodes", nodes, "--duration", duration, "--seed",
                               seed, "--no-facts"], capture_output=True, text=True, timeout=600)
        yield f"a swarm of {nodes} lives through '{name}'", done.stdout or done.stderr if done.returncode else None


def situations(binary, path):
    """Yields (sentence, how often) over the sweep that situations.txt names, and its own result first."""
    nodes, duration, first, last = [line.split() for line in path.read_text().splitlines()
                                    if line.strip() and not line.startswith("#")][0]
    done = subprocess.run(
        [binary, "sweep", "--seeds", f"{first}..{last}", "--nodes", nodes, "--duration", duration,
         "--keep-going"], capture_output=True, text=True, timeout=3600)
    summary = json.loads(done.stdout) if done.stdout.strip() else {"situations": {}}
    yield f"sweep of seeds {first}..{last} for the situations", done.returncode == 0, done.stderr
    for sentence, count in summary["situations"].items():
        yield f"sometimes: {sentence} ({count} times)", count > 0, "never met in the stored sweep"


def swept(binary, nodes, duration, first, last, seconds):
    done = subprocess.run(
        [binary, "sweep", "--seeds", f"{first}..{last}", "--nodes", str(nodes), "--duration",
         duration, "--budget", f"{seconds}s"], capture_output=True, text=True)
    summary = json.loads(done.stdout) if done.stdout.strip() else {"seeds": 0, "simulated_per_cpu": 0}
    return done.returncode, summary, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("ESSAIM_SWEEP_SECONDS", ORDINARY)))
    parser.add_argument("--first", type=int)
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    long = options.seconds != ORDINARY
    options.first = options.first or (int(time.time()) if long else 1000)
    options.seeds = options.seeds or (10**9 if long else 2000)
    passed = failed = 0
    for name, wrong in stored(options.binary, pathlib.Path(__file__).with_name("seeds.txt")):
        print(("not ok " if wrong else "ok ") + name + (f"\n{wrong}" if wrong else ""))
        failed += bool(wrong)
        passed += not wrong
    for name, wrong in accidents(options.binary, pathlib.Path(__file__).with_name("accidents.txt")):
        print(("not ok " if wrong else "ok ") + name + (f"\n{wrong}" if wrong else ""))
        failed += bool(wrong)
        passed += not wrong
    for name, good, talk in situations(options.binary,
                                       pathlib.Path(__file__).with_name("situations.txt")):
        print(("ok " if good else "not ok ") + name + ("" if good else f"\n{talk}"))
        failed += not good
        passed += good
    # Half of the effort goes to the first shape, the rest is shared.
    shares = [0.5] + [0.5 / (len(SHAPES) - 1)] * (len(SHAPES) - 1)
    for (nodes, duration), share in zip(SHAPES, shares):
        first, count = options.first, max(1, int(options.seeds * share))
        code, summary, talk = swept(options.binary, nodes, duration, first, first + count - 1,
                                    max(1, int(options.seconds * share)))
        wrong = code != 0 or summary["seeds"] == 0
        print(f"{'not ok' if wrong else 'ok'} sweep of {summary['seeds']} seeds from {first}, "
              f"{nodes} nodes, {summary['simulated_per_cpu']:.0f} simulated s per CPU s"
              + (f"\n{talk}" if wrong else ""))
        failed += wrong
        passed += not wrong
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
