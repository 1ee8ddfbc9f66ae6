#!/usr/bin/env python3
"""Plays every tests/plays/*.play: run.py SIM_BINARY [--rewrite]. Each play is one test."""
import pathlib
import subprocess
import sys


def main():
    if len(sys.argv) < 2:
        print("usage: run.py SIM_BINARY [--rewrite]", file=sys.stderr)
        return 2
    binary, options = sys.argv[1], sys.argv[2:]
    plays = sorted(pathlib.Path(__file__).resolve().parent.glob("*.play"))
    failed = 0
    for play in plays:
        done = subprocess.run([binary, "play", *options, str(play)], timeout=120,
                              capture_output=True, text=True)
        if done.returncode:
            failed += 1
            print(f"not ok {play.name}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        else:
            print(f"ok {play.name}")
    print(f"{len(plays) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not plays else 0


if __name__ == "__main__":
    sys.exit(main())
