#!/usr/bin/env python3
"""Stored seeds, each twice, a stored sweep that must meet every situation, a sweep of fresh seeds.

run.py SIM_BINARY [--seconds N] [--first SEED] [--seeds N]: ends after 2,000 seeds or 300 s of CPU time,
whichever comes first; each seed is run twice and the hashes compared. With a number of seconds (also
from ESSAIM_SWEEP_SECONDS) it takes fresh seeds, by the date, for as long as asked.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ORDINARY = 300  # s of CPU time
SHAPES = [(5, "600s"), (3, "600s"), (4, "600s"), (7, "600s"), (2, "600s"), (1, "600s")]
BEYOND = 200  # seeds whose clocks drift beyond the bound: authority may overlap, the ledger may not be harmed


def stored(binary, path):
    """Yields (name, sentence of what went wrong or None)."""
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("faults "):
            _, name, why = line.split(maxsplit=2)
            runs = [subprocess.run([binary, "run", "--faults", str(path.with_name("faults") / name)],
                                   capture_output=True, text=True, timeout=600) for _ in range(2)]
            hashes = {json.loads(done.stdout)["trace_hash"] for done in runs if done.stdout.strip()}
            wrong = next((done.stdout + done.stderr for done in runs if done.returncode), None)
            yield f"{name} ({why})", wrong or (None if len(hashes) == 1 else f"two runs differ: {hashes}")
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
    idle = [kind for kind, count in summary.get("faults_by_kind", {"all": 0}).items()
            if count == 0 and kind not in ("beyond", "witness")]  # the first only if asked for
    yield "every kind of fault befell somebody in it", not idle, f"never: {idle}"
    yield "and every history of the ledger was decided", summary.get("undecided_histories") == 0, summary


def beyond(binary):
    """None, or what went wrong in runs whose clocks break the assumption."""
    done = subprocess.run([binary, "sweep", "--seeds", f"1..{BEYOND}", "--nodes", "5", "--duration", "300s", "--beyond"],
                          capture_output=True, text=True, timeout=1800)
    summary = json.loads(done.stdout) if done.stdout.strip() else {}
    good = done.returncode == 0 and summary["violations"] == 0 and summary["expected_overlaps"] > 0
    return None if good else done.stderr + done.stdout[:600]


def swept(binary, nodes, duration, first, last, seconds):
    done = subprocess.run(
        [binary, "sweep", "--seeds", f"{first}..{last}", "--nodes", str(nodes), "--duration",
         duration, "--twice", "--budget", f"{seconds}s"], capture_output=True, text=True)
    summary = json.loads(done.stdout) if done.stdout.strip() else {"seeds": 0, "simulated_per_cpu": 0, "twice": 0,
                                                                         "cpu_s": 0, "undecided_histories": 0}
    return done.returncode, summary, done.stderr


def sweeps(binary, first, seeds, seconds):
    """Yields (sentence, what went wrong or None). Half of the effort goes to the first shape, what a shape leaves
    to the next."""
    spent = done = 0
    for at, (nodes, duration) in enumerate(SHAPES):
        count = max(1, seeds // 2 if at == 0 else (seeds - done) // (len(SHAPES) - at))
        left = seconds - spent
        share = left / 2 if at == 0 else left / (len(SHAPES) - at)
        code, summary, talk = swept(binary, nodes, duration, first, first + count - 1, max(1, int(share)))
        spent += summary["cpu_s"] * 2  # the second run of each is not in it
        done += summary["seeds"]
        wrong = (talk if code else "no seed" if summary["seeds"] == 0
                 else "not each seed was run twice" if summary["twice"] != summary["seeds"]
                 else "a history could not be decided" if summary["undecided_histories"] else None)
        yield (f"sweep of {summary['seeds']} seeds from {first}, {nodes} nodes, {summary['simulated_per_cpu']:.0f} "
               "simulated s per CPU s", wrong)
    enough = done >= seeds or spent >= seconds * 0.8
    yield (f"{done} seeds or {seconds} s of CPU time ({spent:.0f} s)",
           None if enough else "the sweeps ended before either")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    asked = os.environ.get("ESSAIM_SWEEP_SECONDS")
    parser.add_argument("--seconds", type=int, default=int(asked) if asked else None)
    parser.add_argument("--first", type=int)
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    long = options.seconds is not None
    options.seconds = options.seconds or ORDINARY
    options.first = options.first or (int(time.time()) if long else 1000)
    options.seeds = options.seeds or (10**9 if long else 2000)
    passed = failed = 0

    def tell(name, wrong):
        nonlocal passed, failed
        print(("not ok " if wrong else "ok ") + name + (f"\n{wrong}" if wrong else ""), flush=True)
        failed += bool(wrong)
        passed += not wrong

    here = pathlib.Path(__file__)
    for name, wrong in stored(options.binary, here.with_name("seeds.txt")):
        tell(name, wrong)
    for name, wrong in accidents(options.binary, here.with_name("accidents.txt")):
        tell(name, wrong)
    for name, good, talk in situations(options.binary, here.with_name("situations.txt")):
        tell(name, None if good else talk)
    tell(f"{BEYOND} seeds with clocks beyond the bound: authority overlaps, the ledger holds", beyond(options.binary))
    for name, wrong in sweeps(options.binary, options.first, options.seeds, options.seconds):
        tell(name, wrong)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
