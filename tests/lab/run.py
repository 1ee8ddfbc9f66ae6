#!/usr/bin/env python3
"""Real LVM and DRBD in QEMU machines, with our daemons on them.
usage: run.py [--all] [--list] [--keep] [WORD…]

Without --all: the smoke only, one scenario. Runs those whose sentence holds every WORD.
Ends with `N passed, N failed, N skipped`.
"""
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "net")]
import image
import lab  # namespaces of our own: the machines' networks are multicast groups inside them
from case import CASES

LIMIT_S = 2400
GROUPS = ("smoke", "whole", "volumes_real")
BUILD = os.environ.get("ESSAIM_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))


def run_one(sentence, function, keep):
    started, sites, wrong = time.monotonic(), [], []

    def site(**settings):
        from site_of import Site
        sites.append(Site(BUILD, **settings))
        return sites[-1]
    try:
        function(site)
    except Exception:
        wrong.append(traceback.format_exc())
    for one in sites:
        if wrong:
            wrong.append(one.logs())
        wrong += one.close()
        if not keep:
            one.forget()
    print(f"{'FAIL' if wrong else 'ok':4} {time.monotonic() - started:6.1f} s  {sentence}", flush=True)
    for text in wrong:
        print("     " + text.rstrip().replace("\n", "\n     "), flush=True)
    return not wrong


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("--")]
    for group in GROUPS if "--all" in sys.argv or "--list" in sys.argv or words else GROUPS[:1]:
        __import__(group)
    chosen = [c for c in CASES if all(w in c.sentence for w in words)]
    if "--list" in sys.argv:
        print("\n".join(c.sentence for c in chosen))
        return 0
    if os.environ.get("ESSAIM_LAB") != "1":
        try:
            image.base()  # these need the outer network, so before the namespaces
            if any(c.function.__module__ == "whole" for c in chosen):
                image.whole()
        except image.CannotBuild as reason:
            print(f"the lab cannot run here: {reason}\n0 passed, 0 failed, 1 skipped")
            return 77
    lab.enter(LIMIT_S)
    ends = [run_one(c.sentence, c.function, "--keep" in sys.argv) for c in chosen]
    print(f"{ends.count(True)} passed, {ends.count(False)} failed, 0 skipped")
    return 0 if chosen and all(ends) else 1


if __name__ == "__main__":
    sys.exit(main())
