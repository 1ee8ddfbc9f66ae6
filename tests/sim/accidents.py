#!/usr/bin/env python3
"""Accidents at every instant: 200 voter changes under kills, a joiner that ends at each of its steps.

accidents.py SIM_BINARY [--seeds N]. Each run is a list of faults (simulator/schedule.h) made here; all
of the simulator's checkers watch it, and after the healing everybody must agree.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

CHANGES = 200
NODES = 7
THREE, FIVE = 0, 2  # operators.c: `set`, by the fault's group
VOTERS = "a voter was added or dropped after the founding"
JOINED = "somebody joined in the middle of it all"

passed = failed = 0


def test(name, good, why=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f"{'ok' if good else 'not ok'} {name}" + (f"\n{why}" if not good else ""))


def line(begin, end, kind, node, group, strength):
    return f"{begin:.9f} {end:.9f} {kind} node {node} group {group:#x} strength {strength}\n"


def run(binary, path, nodes, seconds, seed, kinds, faults):
    path.write_text(f"nodes {nodes}\nduration {seconds}s\nseed {seed}\nkinds {kinds}\n" + "".join(faults))
    done = subprocess.run([binary, "run", "--faults", str(path)], capture_output=True, text=True, timeout=300)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def voter_changes(binary, folder, seed):
    """The wish goes from three to five and back for as long as it takes; somebody is killed meanwhile."""
    dice, faults, at = random.Random(seed), [], 20.0
    for change in range(CHANGES):
        faults.append(line(at, at + 0.1, "setting", dice.randrange(NODES), FIVE if change % 2 else THREE, 0))
        begin = at + dice.random() * 3
        faults.append(line(begin, begin + dice.choice((0.02, 0.2, 2.0)), dice.choice(("kill", "crash")),
                           dice.randrange(NODES), 0, dice.randrange(64)))
        at += 4
    code, result = run(binary, folder / "voters.faults", NODES, int(at + 100), seed, "setting,kill,crash", faults)
    changed = result.get("situations", {}).get(VOTERS, 0)
    if code or changed < CHANGES:
        return f"seed {seed}: exit {code}, {changed} changes, {result.get('violations')}"
    return None


def joiner(binary, folder, step):
    """It ends `step` ms after it was let in at, in every other case in the middle of what it does; it comes back."""
    begin, nodes = 30.0, 5
    faults = [line(begin, begin + 1, "join", 0, 0, 0),
              line(begin + step / 1000, begin + step / 1000 + 3, "kill" if step % 4 else "crash", 3, 0, step)]
    code, result = run(binary, folder / "joiner.faults", nodes, 120, 1 + step % 2, "join,kill,crash", faults)
    if code or result.get("situations", {}).get(JOINED, 0) < 1:
        return f"{step} ms: exit {code}, {result.get('violations')}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_known_args()[0]  # --long says more to all of the suite
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        wrong = [w for w in (voter_changes(options.binary, folder, seed + 1) for seed in range(options.seeds)) if w]
        test(f"{options.seeds} times {CHANGES} voter changes with somebody killed or crashed in each", not wrong,
             "\n".join(wrong))
        wrong = [w for w in (joiner(options.binary, folder, step) for step in range(0, 400, 3)) if w]
        test("a joiner that ends at any of its steps joins after all, or never was one", not wrong, "\n".join(wrong))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
