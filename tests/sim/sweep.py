#!/usr/bin/env python3
"""A sweep that is interrupted or killed tells what it has, and goes on from there: sweep.py SIM_BINARY."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time

SEEDS = 200
SHAPE = ["--nodes", "3", "--duration", "300s"]
TIMES = ("cpu_s", "simulated_per_cpu", "interrupted")  # differ from run to run

passed = failed = 0


def test(name, good, why=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f"{'ok' if good else 'not ok'} {name}" + (f"\n{why}" if not good else ""))


def sweep_of(binary, seeds, *more):
    return [binary, "sweep", "--seeds", f"1..{seeds}", *SHAPE, *map(str, more)]


def call(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def changed(path):
    return path.stat().st_mtime_ns if path.exists() else 0


def until_kept(path, before):
    """The sweep writes its tally when it begins and every few seconds."""
    for _ in range(600):
        if changed(path) != before:
            return
        time.sleep(0.05)


def tally(path):
    return dict(line.split()[:2] for line in path.read_text().splitlines()[1:])


def counted(summary):
    return {name: round(value, 3) if isinstance(value, float) else value
            for name, value in summary.items() if name not in TIMES}


def start(command, path):
    before = changed(path)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
    until_kept(path, before)
    return child


def interrupted_in_turns(binary, path):
    """Ctrl-C twice, as a terminal sends it: to the sweep and to its runs. The summaries."""
    summaries = []
    for _ in range(2):
        child = start(sweep_of(binary, SEEDS, "--resume", path), path)
        time.sleep(0.4)
        os.killpg(child.pid, signal.SIGINT)
        said, talk = child.communicate(timeout=60)
        if child.returncode or talk:
            return [], f"exit {child.returncode}: {talk}"
        summaries.append(json.loads(said))
    return summaries, ""


def interrupt(binary, folder, whole):
    path = folder / "interrupted.tally"
    summaries, why = interrupted_in_turns(binary, path)
    test("Ctrl-C ends a sweep with what it has, and no run is blamed",
         summaries and all(s["interrupted"] and s["violations"] == 0 for s in summaries), why)
    test("a sweep that goes on has more and is not yet done",
         summaries and summaries[0]["seeds"] < summaries[1]["seeds"] < SEEDS, summaries)
    rest = call(sweep_of(binary, SEEDS, "--resume", path))
    test("the parts of an interrupted sweep add up to the whole",
         rest.returncode == 0 and counted(json.loads(rest.stdout)) == counted(whole), rest.stdout + rest.stderr)
    again = call(sweep_of(binary, SEEDS, "--resume", path))
    test("a sweep that is done runs nothing more",
         abs(json.loads(again.stdout)["cpu_s"] - json.loads(rest.stdout)["cpu_s"]) < 0.001, again.stdout + again.stderr)
    more = call(sweep_of(binary, SEEDS + 5, "--resume", path))
    test("a longer range goes on behind the seeds done", json.loads(more.stdout)["seeds"] == SEEDS + 5, more.stderr)
    return path


def kill(binary, folder, whole):
    """The runs under way end on their own; nothing of them is counted."""
    path = folder / "killed.tally"
    child = start(sweep_of(binary, 100000, "--resume", path), path)
    until_kept(path, changed(path))
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    kept = tally(path)
    done = int(kept["done"])
    test("a killed sweep left its tally of some seconds ago", done > 0, kept)
    last = max(int(kept["next"]) - 1, SEEDS)
    rest = call(sweep_of(binary, last, "--resume", path))
    good = rest.returncode == 0 and json.loads(rest.stdout)["seeds"] == last
    if good and last == SEEDS:
        good = counted(json.loads(rest.stdout)) == counted(whole)
    test("the seeds a killed sweep had under way are run again, each once", good, rest.stdout + rest.stderr)


def findings(binary, folder):
    path = folder / "found.tally"
    weak = [binary, "sweep", "--weaken", "exclusion-short", "--stored", "/dev/null", "--seeds", "1..2000",
            "--nodes", "5", "--duration", "600s", "--resume", path]
    first, second = call(weak), call(weak)
    seed = tally(path)["failed"]
    test("what a sweep found is told again when it is resumed",
         first.returncode == second.returncode == 1 and f"seed {seed} at" in second.stderr and
         f"--seed {seed} " in second.stderr, first.stderr + second.stderr)


def bad_files(binary, path):
    other = call([binary, "sweep", "--seeds", "1..9", "--nodes", "4", "--resume", path])
    test("a tally of other runs is refused", other.returncode == 2 and f"{path}:1: expected a tally of" in other.stderr,
         other.stderr)
    good = path.read_text()
    cases = [(good.replace("done ", "dune "), ":4: expected a number's name and its value, not 'dune"),
             (good.replace("end 0\n", ""), "expected 'end 0': the file is cut short"),
             (good.replace("first 1\n", "first 2\n"), "it is of seeds from 2, not from 1")]
    for content, sentence in cases:
        path.write_text(content)
        done = call(sweep_of(binary, SEEDS, "--resume", path))
        test(f"malformed tally: {sentence}", done.returncode == 2 and sentence in done.stderr, done.stderr)
    nowhere = call(sweep_of(binary, SEEDS, "--resume", path / "x"))
    test("a tally that cannot be kept is told before the work",
         nowhere.returncode == 2 and not nowhere.stdout, nowhere.stderr)


def read_all(terminal):
    said = b""
    try:
        while block := os.read(terminal, 4096):
            said += block
    except OSError:  # how a terminal says that the last writer left
        pass
    return said.decode()


def progress(binary):
    terminal, end = pty.openpty()
    child = subprocess.Popen(sweep_of(binary, SEEDS), stdout=subprocess.DEVNULL, stderr=end)
    os.close(end)
    said = read_all(terminal)
    child.wait()
    line = rf"\r\d+ of {SEEDS} seeds, [\d.]+/s, \d+ simulated s per CPU s, \d+ s left"
    test("a terminal is shown the rate and the remaining time", re.search(line, said), said)


def main():
    if len(sys.argv) < 2:  # --long says more to all of the suite
        print("usage: sweep.py SIM_BINARY", file=sys.stderr)
        return 2
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = json.loads(call(sweep_of(binary, SEEDS)).stdout)
        path = interrupt(binary, folder, whole)
        kill(binary, folder, whole)
        findings(binary, folder)
        bad_files(binary, path)
        progress(binary)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
