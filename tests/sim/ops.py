#!/usr/bin/env python3
"""The operation engine among hosts that fail.  usage: ops.py SIM_BINARY

Every crash point of every step, drawn mishaps, a thousand operations and killed masters hold; each
of the engine's rules that is switched off is noticed by the same runs, but those said to be covered.
"""
import json
import subprocess
import sys

# Switched off, these change nothing that can be seen, because another rule does the work too.
COVERED = {
    "expect": "a row has one proposal in flight, and the ledger refuses those of an older epoch",
}

passed = failed = 0


def test(name, good, why=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f"{'ok' if good else 'not ok'} {name}" + (f"\n{why}" if not good else ""))


def ops(*words):
    done = subprocess.run([sys.argv[1], "ops", *words], capture_output=True, text=True, timeout=240)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def check_strong():
    code, parts, err = ops("--seeds", "1..1500")
    by_name = {part["part"]: part for part in parts}
    test("the engine holds at every crash point", code == 0 and len(parts) == 4, f"{parts} {err}")
    for part in parts:
        print(f"# {part}")
    every, volumes, drawn, many = (by_name.get(name, {}) for name in ("enumerate", "volumes", "sweep", "thousand"))
    test("volumes are made, changed and removed once, or nothing of it is left", all(
        volumes.get(what, 0) > 1000 for what in ("runs", "crashes", "resumed", "done", "undone")))
    test("operations were adopted, resumed and probed", all(
        every.get(what, 0) > 1000 for what in ("runs", "crashes", "adopted", "resumed", "probes")))
    test("jobs ran", every.get("job_runs", 0) > 100 and drawn.get("job_runs", 0) > 100)
    test("operations ended in each way", all(
        drawn.get(what, 0) > 0 for what in ("done", "failed", "undone", "unknown")))
    test("a thousand operations are done once, whoever is master",
         many.get("done") == 1000 * many.get("runs", 0) and many.get("adopted", 0) >= many.get("runs", 1))


def check_weakened():
    listed = subprocess.run([sys.argv[1], "ops", "list"], capture_output=True, text=True, timeout=60).stdout
    names = [line.split()[0] for line in listed.splitlines()]
    test("there are rules to switch off", len(names) >= 10)
    for name in names:
        code, parts, err = ops("enumerate", "sweep", "--weaken", name)
        if name in COVERED:
            test(f"'{name}' off: covered: {COVERED[name]}", code == 0, f"it is noticed now: {parts}")
        else:
            test(f"'{name}' off: noticed", code == 1 and parts[-1]["violations"] > 0, f"{parts} {err}")
            if code == 1:
                print(f"# {parts[-1]['first']}")


if len(sys.argv) != 2:
    sys.exit(__doc__)
check_strong()
check_weakened()
code, _, err = ops("--weaken", "nonsense")
test("an unknown rule is refused", code == 2 and not _ and "weaken" in err, err)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
