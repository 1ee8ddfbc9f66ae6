#!/usr/bin/env python3
"""A failure of some hundred faults, planted by a weakening, shrinks to a handful and replays.

shrink.py SIM_BINARY BLIND_BINARY: also what essaim-sim says to bad input.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PLANTED = ["exclusion-short", "p3-repropose", "epoch-order"]
HANDFUL = 8
DOZEN = 16
NETWORK = ("loss,delay,duplicate,reorder,partition,one-way,isolate,half-deaf,bridge,chain,clog,swizzle,"
           "filter,black-hole")
LENGTH_S = 600
SHAPE = ["--nodes", "5", "--duration", f"{LENGTH_S}s"]

passed = failed = 0


def call(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=300)


def test(name, good, why=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f"{'ok' if good else 'not ok'} {name}" + (f"\n{why}" if not good else ""))


def failing_seed(binary, rule, *kinds):
    """A seed with at least a hundred faults that fails because the rule is off."""
    for seed in range(1, 400):
        run = call(binary, "run", *SHAPE, *kinds, "--seed", seed, "--weaken", rule)
        faults = re.search(r'"faults": (\d+)', run.stdout)
        if run.returncode == 0 or not faults or int(faults.group(1)) < 100:
            continue
        if call(binary, "run", *SHAPE, *kinds, "--seed", seed).returncode == 0:
            return seed
    return None


def shrinks(binary, rule, folder):
    seed = failing_seed(binary, rule)
    if seed is None:
        return "no seed of that many faults fails"
    path = folder / f"{rule}.faults"
    done = call(binary, "shrink", *SHAPE, "--seed", seed, "--weaken", rule, "--write-faults", path,
                "--budget", "20s")
    left = re.match(r"(\d+) of (\d+) faults remain, (\d+) of (\d+) nodes, (\d+) s;", done.stdout)
    if done.returncode or not left:
        return done.stdout + done.stderr
    if int(left.group(3)) >= int(left.group(4)) or int(left.group(5)) >= LENGTH_S:
        return f"neither nodes nor time may stay as they were: {left.group(0)}"
    if int(left.group(1)) > HANDFUL or int(left.group(2)) < 100:
        return left.group(0)
    if "  | " not in done.stdout or f"replay: essaim-sim run --faults {path}" not in done.stdout:
        return "no narrated trace, or no command that replays it:\n" + done.stdout
    again = call(binary, "run", "--faults", path, "--weaken", rule)
    if again.returncode != 1 or call(binary, "run", "--faults", path, "--weaken", rule).stdout.split(
            "trace_hash")[1] != again.stdout.split("trace_hash")[1]:
        return "the written list does not fail twice alike:\n" + again.stdout + again.stderr
    print(f"  {rule}: seed {seed}, {left.group(0)}")
    return None


def messages(binary, rule, folder):
    """A failure of the network alone: no fault is left, but what it did to few messages."""
    seed = failing_seed(binary, rule, "--kinds", NETWORK)
    if seed is None:
        return "no seed of that many faults fails"
    path, play = folder / f"{rule}.messages", folder / f"{rule}.play"
    done = call(binary, "shrink", *SHAPE, "--seed", seed, "--kinds", NETWORK, "--weaken", rule,
                "--write-faults", path, "--write-play", play, "--budget", "20s")
    faults = re.match(r"(\d+) of (\d+) faults remain", done.stdout)
    left = re.search(r"^(\d+) of (\d+) choices of the network remain", done.stdout, re.M)
    if done.returncode or not faults or not left:
        return done.stdout[:2000] + done.stderr
    if int(faults.group(1)) > 0 or int(faults.group(2)) < 100 or int(left.group(1)) > DOZEN:
        return f"{faults.group(0)}, {left.group(0)}"
    if not re.search(r"^(lost|late|twice) \d+>\d+ [a-z-]+ \d+", path.read_text(), re.M):
        return "no message is named:\n" + path.read_text()
    again = call(binary, "run", "--faults", path, "--weaken", rule)
    healthy = call(binary, "play", "--rewrite", play)
    weak = call(binary, "play", "--weaken", rule, play)
    if again.returncode != 1 or healthy.returncode or weak.returncode != 1:
        return f"the list ends with {again.returncode}, the play with {healthy.returncode}, then {weak.returncode}"
    if "  | " not in play.read_text() or call(binary, "play", play).returncode:
        return "the play is not narrated, or goes otherwise the second time"
    print(f"  {rule}: seed {seed}, {faults.group(0)}, {left.group(0)}")
    return None


def replays_exactly(binary, folder):
    path = folder / "run.faults"
    first = call(binary, "run", *SHAPE, "--seed", 8, "--write-faults", path)
    second = call(binary, "run", "--faults", path)
    return first.stdout.split("trace_hash")[1] == second.stdout.split("trace_hash")[1]


def refused(binary, folder, name, content, verb, *sentences):
    """A malformed file: exit code not 0, its line and what was expected."""
    path = folder / name
    path.write_text(content)
    done = call(binary, *verb, path)
    good = done.returncode in (1, 2) and all(s in done.stderr for s in sentences)
    test(f"malformed {name}: {sentences[-1]}", good, f"{done.returncode}: {done.stderr}")


def bad_input(binary, blind, folder):
    head = "nodes 3\nduration 60s\nseed 1\n"
    good = "1.000000000 2.000000000 loss node 1 group 0x1 strength 2\n"
    run = ["run", "--faults"]
    refused(binary, folder, "kind.faults", head + good.replace("loss", "rain"), run, "kind.faults:4:",
            "expected a kind of fault such as partition, not 'rain'")
    refused(binary, folder, "time.faults", head + good.replace("1.000000000", "1s"), run, "time.faults:4:",
            "expected a time such as 12.345678901, not '1s'")
    refused(binary, folder, "order.faults", head + good.replace("2.000000000", "0.500000000"), run,
            "order.faults:4:", "expected an end that is not before the begin")
    refused(binary, folder, "node.faults", head + good.replace("node 1", "node 3"), run, "node.faults:4:",
            "expected a node below the number of 'nodes', not '3'")
    refused(binary, folder, "way.faults", head + "lost 1>1 accept 3\n", run, "way.faults:4:",
            "expected two machines such as 0>1, not '1>1'")
    refused(binary, folder, "message.faults", head + "lost 0>1 rain 3\n", run, "message.faults:4:",
            "expected a message such as accept, not 'rain'")
    refused(binary, folder, "late.faults", head + "late 0>1 accept 3 5ms\n", run, "late.faults:4:",
            "expected a time such as 31.250000ms, not '5ms'")
    refused(binary, folder, "headless.faults", good, run, "headless.faults:1:",
            "expected 'nodes N', 'duration D' and 'seed S' first")
    refused(binary, folder, "short.faults", head + "1.000000000 loss\n", run, "short.faults:4:",
            "expected BEGIN END KIND node N group 0xN strength N")
    refused(binary, folder, "empty.faults", "", run, "empty.faults:0:", "expected 'nodes N'")
    refused(binary, folder, "step.play", "nodes 3\ndance a\n", ["play"], "step.play:2:",
            "expected a step such as run or cut, not 'dance'")
    refused(binary, folder, "node.play", "nodes 3\ncrash d\n", ["play"], "node.play:2:",
            "expected a node, a to c, not 'd'")
    refused(binary, folder, "time.play", "nodes 1\nrun long\n", ["play"], "time.play:2:",
            "expected a duration such as 5s or 250ms, not 'long'")
    refused(binary, folder, "tape.play", "nodes 3\nhold a>b gossips\n", ["play"], "tape.play:2:",
            "expected a message such as release, not 'gossips'")
    refused(binary, folder, "early.play", "crash a\n", ["play"], "early.play:1:", "expected 'nodes N' first")
    unknown = call(binary, "sweep", "--weaken", "v9-nothing")
    test("an unknown rule is answered with all there are",
         unknown.returncode == 2 and "v3-live" in unknown.stderr and "'v9-nothing'" in unknown.stderr, unknown.stderr)
    without = call(blind, "run")
    test("a build without assertions refuses to run",
         without.returncode == 2 and "without assertions" in without.stderr, without.stderr)


def main():
    if len(sys.argv) < 3:  # --long says more to all of the suite
        print("usage: shrink.py SIM_BINARY BLIND_BINARY", file=sys.stderr)
        return 2
    binary, blind = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test("a written list of faults replays the very same run", replays_exactly(binary, folder))
        for rule in PLANTED:
            wrong = shrinks(binary, rule, folder)
            test(f"a hundred faults that break '{rule}' shrink to {HANDFUL} or fewer", not wrong, wrong)
        wrong = messages(binary, "exclusion-short", folder)
        test(f"a hundred faults of the network alone shrink to what befell {DOZEN} messages or fewer",
             not wrong, wrong)
        bad_input(binary, blind, folder)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
