#!/usr/bin/env python3
"""Real daemons in network namespaces.  usage: run.py [--list] [--keep] [--jobs N] [WORD…]

Runs the cases whose sentence holds every WORD, N at a time (one for each core), each in a
process and namespaces of its own; those that are `alone` at the end, one after the other. What a
case says is printed whole when it ends. Ends with `N passed, N failed, N skipped`.
"""
import argparse
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
from case import CASES, Skip

LIMIT_S = 2700  # of the whole run: everything in it ends then
CASE_LIMIT_S = 600  # of one case
PR_SET_PDEATHSIG = 1
GROUPS = ("admission", "hand", "mastership", "membership", "storage", "inventory", "control", "intruders", "upgrade", "keys",
          "handover", "paths", "settings", "seizure", "accidents", "churn", "observing", "finding", "auth", "adding", "web")
GROUPS += ("operations", "storages", "volume_verbs")
ENDS = ("passed", "failed", "skipped")
FAILED = []  # what each failed case said, told again at the end: logs are cut in the middle
_libc = ctypes.CDLL(None)


def run_one(sentence, function, keep):
    """"passed", "failed" or "skipped"."""
    started, clusters = time.monotonic(), []
    wrong, skipped = [], None
    try:
        function(clusters)
    except Skip as reason:
        skipped = reason
    except Exception:
        wrong.append(traceback.format_exc())
    for cluster in clusters:
        try:
            wrong += cluster.close()
        except Exception:
            wrong.append(traceback.format_exc())
        if wrong:
            wrong += [f"--- log of {n.name} ---\n{n.tail()}" for n in cluster if os.path.exists(n.log)]
        if not keep:
            cluster.forget()
    word = "FAIL" if wrong else "skip" if skipped else "ok"
    print(f"{word:4} {time.monotonic() - started:6.1f} s  {sentence}", flush=True)
    if skipped:
        print(f"     {skipped}", flush=True)
    for text in wrong:
        print("     " + text.rstrip().replace("\n", "\n     "), flush=True)
    return "failed" if wrong else "skipped" if skipped else "passed"


class Run:
    """One case in a process of its own, which enters the namespaces and ends with this one."""

    CODES = {0: "passed", 10: "failed", 11: "skipped"}  # how that process says it

    def __init__(self, chosen, keep):
        self.case = chosen
        self.said = tempfile.TemporaryFile("w+", errors="replace")
        words = [sys.executable, os.path.abspath(__file__), "--one", chosen.sentence] + ["--keep"] * keep
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.said, stderr=subprocess.STDOUT,
                                        preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))

    def over(self):
        return self.process.poll() is not None

    def tell(self):
        """Prints what it said; "passed", "failed" or "skipped"."""
        self.said.seek(0)
        said = self.said.read()
        self.said.close()
        end = self.CODES.get(self.process.returncode)
        if not end:  # it did not come to its end
            said += (f"FAIL          {self.case.sentence}\n     the case's process ended with "
                     f"{self.process.returncode}; a case has {CASE_LIMIT_S} s\n")
        print(said, end="", flush=True)
        if (end or "failed") == "failed":
            FAILED.append(said[max(said.find("FAIL"), 0):].split("     --- log of")[0])
        return end or "failed"

    def stop(self):
        """For `timeout`, which passes it on, and kills five seconds later."""
        self.process.terminate()
        self.process.wait()


def run_all(waiting, jobs, keep, until):
    """How each ended, at most so many of them at a time, until that moment."""
    waiting, running, ends = list(waiting), [], []
    while waiting or running:
        if time.monotonic() > until:
            for run in running:
                run.stop()
            print(f"the whole run has {LIMIT_S} s: {len(waiting)} cases were not begun", flush=True)
            return ends + [run.tell() for run in running] + ["failed"] * len(waiting)
        while waiting and len(running) < jobs:
            running.append(Run(waiting.pop(0), keep))
        for run in [run for run in running if run.over()]:
            running.remove(run)
            ends.append(run.tell())
        time.sleep(0.02)
    return ends


def run_here(sentence, keep):
    """The process of one case."""
    lab.enter(CASE_LIMIT_S)
    chosen = next(c for c in CASES if c.sentence == sentence)
    end = run_one(sentence, chosen.function, keep)
    return next(code for code, word in Run.CODES.items() if word == end)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--list", action="store_true", help="show the sentences, run nothing")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the cases")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 1), help="at a time")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def main():
    asked = arguments()
    for group in GROUPS:
        __import__(group)
    if asked.one:
        return run_here(asked.one, asked.keep)
    chosen = [c for c in CASES if all(w in c.sentence for w in asked.words)]
    if asked.list:
        print("\n".join(c.sentence for c in chosen))
        return 0
    until = time.monotonic() + LIMIT_S
    beside = sorted((c for c in chosen if not c.alone), key=lambda c: -c.lasts)
    ends = run_all(beside, max(1, asked.jobs), asked.keep, until)
    ends += run_all([c for c in chosen if c.alone], 1, asked.keep, until)
    passed, failed, skipped = (ends.count(end) for end in ENDS)
    print("".join(["\n--- what failed, without the logs:\n"] * bool(FAILED) + FAILED), end="")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if chosen and not failed else 1


sys.exit(main())
