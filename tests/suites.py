#!/usr/bin/env python3
"""Builds, runs the suites through meson, prints the table.  Called by tools/test.

A suite that cannot run fails, but for those that MAY_SKIP, which say why: none is skipped in silence.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = {  # name: the build it runs in. Sanitizers everywhere but where speed is the point.
    "unit": "sanitized", "plays": "sanitized", "fuzz": "sanitized", "golden": "sanitized",
    "purity": "sanitized", "model": "optimized", "sim": "optimized", "net": "sanitized",
    "package": "optimized", "lab": "optimized",
}
MORE = {"--long": {"model": "--long"}, "--lab": {"lab": "--all"}}  # the words that an option adds to a suite's one test
SWEEP = "ESSAIM_SWEEP_SECONDS"  # sim has several tests: only one sweeps fresh seeds, and reads this
LONG = re.compile(r"--long=([1-9][0-9]{0,4})$")  # minutes of processor time for fresh seeds
LONG_MINUTES = 30
MAY_SKIP = {"lab"}  # needs an emulator and Debian's archive; whoever has not got them is told
LIMIT_S = {False: 85 * 60, True: 6 * 3600}  # of everything, and with an option that adds work: besides the seeds
FOLDERS = {"sanitized": "build-sanitized", "optimized": "build"}


class OutOfTime(Exception):
    """What the whole run may last is over."""


def run_until(until, command):
    """Its exit code. At that moment it is asked to end, as meson then ends its tests, and a minute later killed."""
    left = until - time.monotonic()
    if left <= 0:
        raise OutOfTime("not begun: the time of the whole run is over")
    process = subprocess.Popen(command, start_new_session=True)
    for patience, sign in ((left, signal.SIGTERM), (60, signal.SIGKILL)):
        try:
            code = process.wait(patience)
            if sign == signal.SIGTERM:
                return code
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, sign)
    process.wait()
    raise OutOfTime("ended in the middle: the time of the whole run is over")


def count_cases(entry):
    """(passed, failed, skipped) inside one meson test; itself if it does not tell of cases."""
    said = entry.get("stdout", "") + entry.get("stderr", "")
    good = entry["result"] in ("OK", "SKIP")
    totals = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped", said, re.M)
    if totals:
        passed, failed, skipped = (sum(int(t[k]) for t in totals) for k in range(3))
        return passed, failed + (not good and not failed), skipped
    cmocka = [sum(map(int, re.findall(rf"\[  {word}  \] (\d+) test\(s\)", said)))
              for word in ("PASSED", "FAILED", "SKIPPED")]
    if any(cmocka):
        return cmocka[0], cmocka[1] + (not good and not cmocka[1]), cmocka[2]
    return int(entry["result"] == "OK"), int(not good), int(entry["result"] == "SKIP")


def build(kinds, until):
    """Why each build could not be made; empty if it could."""
    failed = {}
    for kind in kinds:
        print(f"=== build {kind}", flush=True)
        try:
            if run_until(until, [os.path.join(ROOT, "tools", "build"), kind]) != 0:
                failed[kind] = f"the {kind} build failed"
        except OutOfTime as reason:
            failed[kind] = f"the {kind} build was {reason}"
    return failed


def log_entries(folder, suite):
    path = os.path.join(folder, "meson-logs", f"{suite}.json")
    if not os.path.exists(path):
        return []
    with open(path) as log:
        return [json.loads(line) for line in log]


def why_skipped(entries):
    """The line in which a suite said why it cannot run here."""
    said = re.search(r"^.*cannot run here: .*$", "".join(e.get("stdout", "") for e in entries), re.M)
    return said.group(0) if said else "it did not say why"


def run_suite(suite, options, minutes, until):
    """(passed, failed, skipped, why) of one suite."""
    folder = os.path.join(ROOT, FOLDERS[SUITES[suite]])
    print(f"=== {suite}", flush=True)
    log = os.path.join(folder, "meson-logs", f"{suite}.json")
    if os.path.exists(log):
        os.unlink(log)
    words = [MORE[o][suite] for o in sorted(options & MORE.keys()) if suite in MORE[o]]
    more = ["--timeout-multiplier", "0"] if options & MORE.keys() else []
    more += ["--test-args", " ".join(words)] if words else []
    if "--long" in options:
        os.environ[SWEEP] = str(60 * minutes)
    try:
        code = run_until(until, ["meson", "test", "-C", folder, "--no-rebuild", "--suite", suite, "--logbase", suite,
                                 "--print-errorlogs"] + more)
    except OutOfTime as reason:
        return 0, 1, 0, str(reason)
    entries = log_entries(folder, suite)
    if not entries:
        return 0, 1, 0, "nothing to run: no test is registered in it, or meson could not start"
    passed, failed, skipped = (sum(n) for n in zip(*map(count_cases, entries)))
    bad = [e["name"].split(" / ")[-1] for e in entries if e["result"] not in ("OK", "EXPECTEDFAIL", "SKIP")]
    if code != 0 and not failed:
        failed = 1
    if skipped and not passed and not failed and suite in MAY_SKIP:
        return 0, 0, skipped, why_skipped(entries)
    return passed, failed, skipped, ("failed: " + ", ".join(bad)) if bad or failed else "all of it"


def table(rows):
    print(f"\n{'suite':8} {'state':8} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}  why")
    for suite, (passed, failed, skipped, why), seconds in rows:
        state = "FAILED" if failed else "ran" if passed else "skipped"
        print(f"{suite:8} {state:8} {passed:7} {failed:7} {skipped:8} {seconds:8.0f}  {why}")


def asked(arguments):
    """(suites, options, minutes of fresh seeds)"""
    minutes = [int(m.group(1)) for m in map(LONG.match, arguments) if m]
    options = {"--long" if LONG.match(a) else a for a in arguments if a.startswith("--")}
    return [a for a in arguments if not a.startswith("--")], options, minutes[-1] if minutes else LONG_MINUTES


def main(arguments):
    words, options, minutes = asked(arguments)
    unknown = [w for w in words if w not in SUITES] + sorted(options - {"--no-install"} - MORE.keys())
    if unknown:
        print(f"unknown: {' '.join(unknown)}; the suites are: {' '.join(SUITES)}; "
              "the options: --no-install --long[=MINUTES] --lab", file=sys.stderr)
        return 2
    chosen = words or (["lab"] if "--lab" in options else list(SUITES))
    until = time.monotonic() + LIMIT_S[bool(options & MORE.keys())] + 60 * minutes * ("--long" in options)
    failed_builds = build(sorted({SUITES[s] for s in chosen}, reverse=True), until)
    rows = []
    for suite in chosen:
        started = time.monotonic()
        reason = failed_builds.get(SUITES[suite])
        result = (0, 1, 0, reason) if reason else run_suite(suite, options, minutes, until)
        if not reason and result[0] + result[1] == 0 and not (suite in MAY_SKIP and result[2]):
            result = (0, 1, result[2], "it ran nothing")
        rows.append((suite, result, time.monotonic() - started))
    table(rows)
    passed, failed, skipped = (sum(row[1][k] for row in rows) for k in range(3))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
