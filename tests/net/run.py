#!/usr/bin/env python3
"""Real daemons in network namespaces.  usage: run.py [--list] [--keep] [WORD…]

Runs the cases whose sentence holds every WORD. Ends with `N passed, N failed, N skipped`.
"""
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab
from case import CASES, Skip

LIMIT_S = 2700  # of the whole run: everything in it ends then
GROUPS = ("admission", "hand", "mastership", "membership", "storage", "inventory", "control", "intruders", "upgrade", "keys",
          "handover", "paths", "settings", "seizure", "accidents", "churn", "observing", "finding", "auth", "adding", "web")
GROUPS += ("operations", "storages")


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


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    for group in GROUPS:
        __import__(group)
    chosen = [c for c in CASES if all(w in c[0] for w in words)]
    if "--list" in sys.argv:
        print("\n".join(sentence for sentence, _ in chosen))
        return 0
    lab.enter(LIMIT_S)
    ends = [run_one(s, f, "--keep" in sys.argv) for s, f in chosen]
    passed, failed, skipped = (ends.count(end) for end in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if chosen and not failed else 1


sys.exit(main())
