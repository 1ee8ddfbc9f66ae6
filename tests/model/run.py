#!/usr/bin/env python3
"""Checks the Promela models: run.py [--long] [--trace] [MODEL | MODEL/RUN]...

Each run is one model with some switches. It must hold in its whole (bounded) state space, with the
number of states that stands here, or, weakened, must be violated. --long adds larger
bounds. --trace looks for the shortest counterexamples, which takes longer, and prints them.
Needs spin and gcc; each run stays below 4 GB.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MEMORY_MB = 3900
VIOLATED = None
COMPACTED = -1  # too large for 4 GB: hash compaction, which takes some states (1-2 %) for others

# (model, run, switches, states it holds in | VIOLATED | COMPACTED, only with --long)
RUNS = [
    ("lease", "base", "", 3524626, False),
    ("lease", "handover-no-owner-restarts", "HANDOVER PRS=0", 1480340, False),
    ("lease", "handover", "HANDOVER", 4557653, True),
    ("lease", "successors", "HANDOVER SUCC NB=6", COMPACTED, True),
    ("lease", "OVER3-covered-by-promise", "OVER3", 3621317, True),
    ("lease", "NODEOWNER-covered-by-promise", "NODEOWNER", 3571136, True),
    ("lease", "DA=1", "DA=1", VIOLATED, False),
    ("lease", "DQ=1", "DQ=1", VIOLATED, False),
    ("lease", "OVERWRITE", "OVERWRITE VOLPROMISE", VIOLATED, False),
    ("lease", "NODEOWNER", "NODEOWNER VOLPROMISE", VIOLATED, False),
    ("lease", "OVER5", "OVER5 HANDOVER", VIOLATED, False),
    ("lease", "REUSEROUND", "REUSEROUND", VIOLATED, False),
    ("lease", "OWNERREL", "OWNERREL", VIOLATED, False),
    ("lease", "NOSTOP", "NOSTOP HANDOVER", VIOLATED, False),
    ("lease", "RESUME", "RESUME HANDOVER", VIOLATED, False),
    ("lease", "INEXACT", "INEXACT HANDOVER", VIOLATED, False),
    ("ledger", "successor", "NEXT", 76211, False),
    ("ledger", "no-handover", "NOTRANSFER", 49745, False),
    ("ledger", "ANYBALLOT", "", VIOLATED, False),
    ("ledger", "VEXACT", "VEXACT", VIOLATED, False),
    ("ledger", "NORAISE", "NORAISE NOTRANSFER", VIOLATED, False),
    ("reconfig", "lease", "LEASEONLY DP=2 DA=2 BALLOTS=2", 815120, False),
    ("reconfig", "ledger", "BALLOTS=2", 264092, False),
    ("reconfig", "three-ballots-of-three-nodes", "SECOND=1 THIRD=3 LEASEONLY DP=2 DA=2", 1432286, True),
    ("reconfig", "ledger-three-ballots", "", 9889645, True),
    ("reconfig", "lease-three-ballots", "LEASEONLY DP=2 DA=2", COMPACTED, True),
    ("reconfig", "DA=1", "LEASEONLY DP=2", VIOLATED, False),
    ("reconfig", "NOR1", "NOR1 LEASEONLY DP=2 DA=2", VIOLATED, False),
    ("reconfig", "NOR2", "NOR2 LEASEONLY DP=2 DA=2", VIOLATED, False),
    ("reconfig", "NOR3", "NOR3", VIOLATED, False),
    ("reconfig", "NOR4", "NOR4 LEASEONLY DP=2 DA=2", VIOLATED, False),
    ("reconfig", "NOV1", "NOV1 LEASEONLY DP=2 DA=2", VIOLATED, False),
    ("reconfig", "MIXED", "MIXED", VIOLATED, False),
    ("reconfig", "VERSIONFIRST", "VERSIONFIRST SECOND=1 THIRD=3 LEASEONLY DP=2 DA=2", VIOLATED, False),
    ("reconfig", "two-rounds-in-flight", "FLIGHT LEASEONLY DP=2 DA=2 BALLOTS=2", 1337758, False),
    ("reconfig", "two-rounds-three-ballots-of-three-nodes", "FLIGHT SECOND=1 THIRD=3 LEASEONLY DP=2 DA=2", 1857925, True),
    ("reconfig", "ANYTAG", "FLIGHT ANYTAG LEASEONLY DP=2 DA=2 BALLOTS=2", VIOLATED, False),
    ("reconfig", "OWNTAG", "FLIGHT OWNTAG LEASEONLY DP=2 DA=2 BALLOTS=2", VIOLATED, False),
    ("fsync", "ledger", "", 1823087, False),
    ("fsync", "grant", "LEASE", 1194152, False),
    ("fsync", "grant-two-restarts", "LEASE RS=2", 2193989, True),
    ("fsync", "ledger-three-crashes", "CR=3", 4266800, True),
    ("fsync", "ANSWEREARLY", "ANSWEREARLY", VIOLATED, False),
    ("fsync", "EARLYPROMISE", "EARLYPROMISE", VIOLATED, False),
    ("fsync", "EARLYACCEPT", "EARLYACCEPT", VIOLATED, False),
    ("fsync", "LAZY", "LAZY", VIOLATED, False),
    ("fsync", "GRANTLATE", "LEASE GRANTLATE", VIOLATED, False),
    ("fsync", "FAILCLEARS", "LEASE FAILCLEARS", VIOLATED, False),
    ("fsync", "DQ=1", "LEASE DQ=1", VIOLATED, False),
    ("rounds", "base", "", 1174129, False),
    ("rounds", "lowered", "LOWER RS=0", 1099058, False),
    ("rounds", "OLDEXTENDS-covered", "OLDEXTENDS", 1174129, True),
    ("rounds", "NOMAX-covered-by-the-order", "LOWER NOMAX RS=0", 1096013, True),
    ("rounds", "lowered-with-restart", "LOWER", 4209245, True),
    ("rounds", "two-restarts", "RS=2", 2577348, True),
    ("rounds", "REUSE", "REUSE RS=0", VIOLATED, False),
    ("rounds", "RESEND", "RESEND RS=0", VIOLATED, False),
    ("rounds", "SLOT", "SLOT RS=0", VIOLATED, False),
    ("rounds", "ANYROUND", "ANYROUND RS=0", VIOLATED, False),
    ("rounds", "LATE", "LATE RS=0", VIOLATED, False),
    ("rounds", "HASTE", "LOWER HASTE RS=0", VIOLATED, False),
    ("rounds", "DA=1", "DA=1", VIOLATED, False),
    ("merge", "base", "", 285670, False),
    ("merge", "four-ballots", "NB=4", 3149401, True),
    ("merge", "three-slots", "S=3", 4015760, True),
    ("merge", "handover", "NB=4 HANDOVER", 538043, False),
    ("merge", "handover-three-slots", "S=3 HANDOVER", 463814, True),
    ("merge", "WHOLE-of-prefixes", "WHOLE ATOMIC NOLEARN NB=4", 593331, False),
    ("merge", "WHOLE-split", "WHOLE NOLEARN S=3 RS=0", VIOLATED, False),
    ("merge", "WHOLE-learned", "WHOLE ATOMIC", VIOLATED, False),
    ("merge", "SHAREDLOG", "SHAREDLOG", VIOLATED, False),
    ("merge", "EARLYCUT", "EARLYCUT", VIOLATED, False),
    ("merge", "MATCHLAST", "MATCHLAST", VIOLATED, False),
    ("merge", "LOWBALLOT", "LOWBALLOT NB=4", VIOLATED, False),
    ("merge", "NOMATCH", "HANDOVER NOMATCH", VIOLATED, False),
    ("seize", "words-true", "MIST=0", 78524, False),
    ("seize", "words-true-two-attempts", "MIST=0 AT=2", 497973, False),
    ("seize", "words-true-one-voter", "MIST=0 VOTERS=1 SB=2", 6854, False),
    ("seize", "one-wrong-word", "", 924273, False),
    ("seize", "one-wrong-word-two-attempts", "AT=2 RS=0", 8773984, True),
    ("seize", "log-words-true", "LOG MIST=0", 306565, False),
    ("seize", "log", "LOG", 1462543, True),
    ("seize", "log-three-ballots", "LOG NB=3 MIST=0", 17136489, True),
    ("seize", "W=0", "W=0", VIOLATED, False),
    ("seize", "W=1", "W=1", VIOLATED, False),
    ("seize", "EARLYWAIT", "EARLYWAIT", VIOLATED, False),
    ("seize", "NOMUTE", "NOMUTE", VIOLATED, False),
    ("seize", "VOLCONSENT", "VOLCONSENT", VIOLATED, False),
    ("seize", "LAPSE", "LAPSE", VIOLATED, False),
    ("seize", "OLDCONSENT", "OLDCONSENT AT=2", VIOLATED, False),
    ("seize", "OLDWITHDRAW", "OLDWITHDRAW AT=2", VIOLATED, False),
    ("seize", "KEEPWITHDRAW", "KEEPWITHDRAW", VIOLATED, False),
    ("seize", "UNNAMED", "UNNAMED", VIOLATED, False),
    ("seize", "VOTERSONLY", "VOTERSONLY MIST=0 VOTERS=1 SB=2", VIOLATED, False),
    ("seize", "SHARED", "SHARED MIST=0", VIOLATED, False),
    ("seize", "EQUALGOES", "EQUALGOES", VIOLATED, False),
    ("seize", "BLIND", "LOG BLIND", VIOLATED, False),
    ("seize", "BYLAST", "LOG BYLAST MIST=0", VIOLATED, False),
    ("seize", "NOFREEZE", "LOG NOFREEZE", VIOLATED, False),
    ("permits", "base", "", 903378, False),
    ("permits", "there-and-back", "MOVES=2", 4483813, True),
    ("permits", "three-moves", "MOVES=3 EPOCHS=1", 2681207, True),
    ("permits", "seize", "SEIZE", 540605, False),
    ("permits", "OLDEPOCH-covered", "OLDEPOCH", 921386, True),
    ("permits", "W=2", "W=2", VIOLATED, False),
    ("permits", "INHERIT", "INHERIT", VIOLATED, False),
    ("permits", "RECEIPT", "RECEIPT", VIOLATED, False),
    ("permits", "ANYASK", "ANYASK", VIOLATED, False),
    ("permits", "SAMENONCE", "SAMENONCE", VIOLATED, False),
    ("permits", "NOINDEX", "NOINDEX", VIOLATED, False),
    ("permits", "PETALWAYS", "PETALWAYS", VIOLATED, False),
    ("permits", "NOARM", "NOARM", VIOLATED, False),
    ("permits", "ARMLATE", "ARMLATE", VIOLATED, False),
    ("permits", "RESTARTS", "RESTARTS", VIOLATED, False),
    ("permits", "ANYSTOPPED", "ANYSTOPPED MOVES=3 EPOCHS=1", VIOLATED, False),
    ("permits", "FENCEISSUE", "FENCEISSUE", VIOLATED, False),
    ("permits", "WAITCOUNTS", "SEIZE WAITCOUNTS", VIOLATED, False),
    ("permits", "FENCEBOOT", "SEIZE FENCEBOOT", VIOLATED, False),
    ("profile", "lowered", "", 89903, False),
    ("profile", "raised", "RAISE", 78729, False),
    ("profile", "HASTE-covered", "HASTE ANYCERT", 270336, True),
    ("profile", "NOMAX-covered-by-the-wait", "ANYCERT NOMAX", 121846, True),
    ("profile", "NOMAX-covered-by-R2", "HASTE NOMAX", 165389, True),
    ("profile", "V1VOL-covered", "RAISE V1VOL", 93514, True),
    ("profile", "HASTE", "HASTE ANYCERT NOMAX", VIOLATED, False),
    ("profile", "WRONG", "RAISE WRONG", VIOLATED, False),
    ("profile", "V1VOL", "RAISE V1VOL NOMAX", VIOLATED, False),
]
DEEP = ("lease", "reconfig", "rounds")  # their counterexamples come after many states
MODELS = list(dict.fromkeys(run[0] for run in RUNS))


def call(command, folder, log):
    with open(os.path.join(folder, log), "w") as out:
        return subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT).returncode


def read(folder, log):
    with open(os.path.join(folder, log), errors="replace") as text:
        return text.read()


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def number(pattern, text):
    found = re.findall(pattern, text)
    return float(found[-1]) if found else 0


def build(model, switches, search, optimize, folder):
    """What went wrong, or None."""
    shutil.copy(os.path.join(HERE, f"{model}.pml"), folder)
    if call(["spin"] + switches + ["-a", f"{model}.pml"], folder, "spin.log"):
        return read(folder, "spin.log")
    gcc = ["gcc", optimize, "-w", "-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=2048", f"-DMEMLIM={MEMORY_MB}",
           search, "-o", "pan", "pan.c"]
    return read(folder, "gcc.log") if call(gcc, folder, "gcc.log") else None


def trail(model, switches, folder):
    """The steps of the counterexample."""
    if not os.path.exists(os.path.join(folder, f"{model}.pml.trail")):
        return []
    call(["spin"] + switches + ["-t", f"{model}.pml"], folder, "trail.log")
    return [line.strip() for line in read(folder, "trail.log").splitlines() if "@ " in line]


def verdict(expected, said, states, steps):
    """None if as expected, else why not."""
    if re.search(r"out of memory|max search depth too small|VECTORSZ", said) or "errors:" not in said:
        return "the search did not end: " + " ".join(said.split()[-30:])
    if expected is VIOLATED:
        found = steps and "assertion violated" in said
        return None if found else f"no violation in {states} states, but there must be one"
    if "errors: 0" not in said:
        return "violated"
    if expected not in (states, COMPACTED):
        return f"holds, but in {states} states, not in {expected}: has the model changed?"
    return None


def check(run, folder, trace):
    """Prints one line; True if it is as it must be."""
    model, name, words, expected, _ = run
    switches = [f"-D{word}" for word in words.split()]
    search = "-DBFS" if expected is VIOLATED and trace else "-DHC4" if expected == COMPACTED else "-DCOLLAPSE"
    # A short search is not worth a long compilation.
    optimize = "-O2" if expected is not VIOLATED else "-O1" if model in DEEP else "-O0"
    started = processor_seconds()
    wrong = build(model, switches, search, optimize, folder)
    said, steps = "", []
    if not wrong:
        call(["./pan", "-E", "-m3000000", "-w26" if expected == COMPACTED else "-w23"], folder, "pan.log")
        said = read(folder, "pan.log")
        steps = trail(model, switches, folder)
    states = int(number(r"(\d+) states, stored", said))
    memory = number(r"([0-9.]+)\s+total actual memory", said)
    wrong = wrong or verdict(expected, said, states, steps)
    held = "holds as far as hash compaction sees" if expected == COMPACTED else "holds"
    result = wrong or (f"violated in {len(steps)} steps" if steps else held)
    print(f"{'not ok' if wrong else 'ok'} {model}/{name}: {result}; {states} states, "
          f"{processor_seconds() - started:.1f} s, {memory:.0f} MB; {words or 'no switches'}", flush=True)
    for step in steps if trace or (wrong and expected is not VIOLATED) else []:
        print("   ", step.lstrip("@ "))
    return not wrong


def chosen_runs(arguments):
    words = [a for a in arguments if not a.startswith("--")]
    names = {f"{run[0]}/{run[1]}" for run in RUNS} | set(MODELS)
    unknown = [w for w in words if w not in names]
    unknown += [a for a in arguments if a.startswith("--") and a not in ("--long", "--trace")]
    if unknown:
        print(f"unknown: {' '.join(unknown)}; the models are: {' '.join(MODELS)}", file=sys.stderr)
        sys.exit(2)
    return [run for run in RUNS if (not words or run[0] in words or f"{run[0]}/{run[1]}" in words)
            and (not run[4] or "--long" in arguments or f"{run[0]}/{run[1]}" in words)]


def main(arguments):
    runs = chosen_runs(arguments)
    if not shutil.which("spin"):
        print("spin is missing: run tools/install-deps")
        print(f"0 passed, 0 failed, {len(runs)} skipped")
        return 0
    passed = 0
    for run in runs:
        with tempfile.TemporaryDirectory(prefix="essaim-model-") as folder:
            passed += check(run, folder, "--trace" in arguments)
    print(f"{processor_seconds():.0f} s of one processor")
    print(f"{passed} passed, {len(runs) - passed} failed, 0 skipped")
    return 1 if passed < len(runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
