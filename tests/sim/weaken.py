#!/usr/bin/env python3
"""Every rule that can be switched off is noticed, and WEAKEN.md says by what.

weaken.py SIM_BINARY [--rewrite] [--find RULE[,RULE] [--seconds N]]

For each line of weaken.txt: with its rules switched off the run fails, and with any one of them
switched on again it passes, so that it is this rule the run is about. A rule of which another does
the work too is `covered`: its line says by what, and names a model's run or stands beside a line
that switches both off. `model`: only a model's run
finds it. `argued`: no run can tell. --rewrite writes WEAKEN.md; --find looks for a seed and shrinks it.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "weaken.txt"
TABLE = HERE / "WEAKEN.md"
MODELS = HERE.parent / "model"
UNRUN = ("covered", "model", "argued")
SHAPES = [(3, "200s"), (5, "600s"), (4, "300s")]


def call(arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=300)


def rules_of(binary):
    """{name: (rule of lease.md, what the weakened build does)} in the order of weaken.h."""
    listed = call([binary, "sweep", "--weaken", "list"]).stdout.splitlines()
    return {name: (rule, sentence) for name, rule, sentence in (line.split(maxsplit=2) for line in listed)}


class Line:
    def __init__(self, text):
        words, _, self.why = text.partition("#")
        self.why = self.why.strip()
        names, self.how, *self.what = words.split()
        self.rules = names.split(",")

    def run(self, binary, rules):
        """(noticed, the first sentence of what was noticed)"""
        weaken = ["--weaken", ",".join(rules)] if rules else []
        if self.how == "play":
            done = call([binary, "play", *weaken, HERE / self.what[0]])
            talk = done.stderr.strip().splitlines()
        elif self.how == "faults":
            done = call([binary, "run", "--faults", HERE / self.what[0], *weaken])
            talk = re.findall(r'"text": "(.*)"', done.stdout) or done.stderr.splitlines()
        elif self.how == "accident":
            name, nodes, duration, seed = self.what
            done = call([binary, "run", "--accident", name, "--nodes", nodes, "--duration", duration, "--seed", seed,
                         "--no-facts", *weaken])
            talk = [f"a swarm of {nodes} does not live through '{name}'"]
        else:
            nodes, duration, seed = self.what
            done = call([binary, "run", "--nodes", nodes, "--duration", duration, "--seed", seed, *weaken])
            talk = re.findall(r'"text": "(.*)"', done.stdout) or done.stderr.splitlines()
        if done.returncode == 2:
            raise SystemExit(f"weaken.py: {done.stderr}")
        return done.returncode != 0, talk[0] if talk else ""

    def named(self):
        if self.how in UNRUN:
            return self.how
        return " ".join([self.how, *(pathlib.Path(w).name for w in self.what)])


def read_stored():
    lines = [l for l in STORED.read_text().splitlines() if l.strip() and not l.startswith("#")]
    return [Line(l) for l in lines]


def model_runs():
    """{model file: [set of its switches, …]} of all runs that tests/model/run.py makes."""
    text = (MODELS / "run.py").read_text()
    runs = {}
    for model, switches in re.findall(r'^    \("(\w+)", "[^"]+", "([^"]*)",', text, re.M):
        runs.setdefault(f"{model}.pml", []).append({word.split("=")[0] for word in switches.split()} |
                                                   set(switches.split()))
    return runs


def model_stands(why):
    """`model FILE -DFLAG…` names a run that is made: all those switches, of that model."""
    named = re.search(r"model (\S+\.pml)((?: -D\w+)+)", why)
    if not named:
        return False
    wanted = {flag[2:] for flag in named.group(2).split()}
    return any(wanted <= switches for switches in model_runs().get(named.group(1), []))


def check_line(binary, line):
    """What is wrong with this line, or None."""
    noticed, _ = line.run(binary, line.rules)
    if not noticed:
        return "is not noticed"
    for spared in line.rules:
        rest = [r for r in line.rules if r != spared]
        if line.run(binary, rest)[0]:
            return f"fails also with {spared} on: it says nothing about that rule"
    return None


def table(rules, lines):
    out = ["# Which run notices a rule that is switched off", "",
           "`essaim-sim sweep --weaken RULE` tries these first. Written by `tests/sim/weaken.py --rewrite`; the",
           "test of the same name keeps it true. *Covered*: another rule does its work too in the space searched;",
           "a model, or a run with that one off too, shows it. *Model*: only a model's run finds it. *Argued*: no",
           "run can tell, and here is why.",
           "", "| rule | of | the weakened build | noticed by |", "|---|---|---|---|"]
    for name, (rule, sentence) in rules.items():
        by = []
        for line in lines:
            if name not in line.rules:
                continue
            others = [r for r in line.rules if r != name]
            text = f"*{line.how}*: {line.why}" if line.named() == line.how else line.named()
            by.append(text + (f" with {', '.join(others)} off too" if others else ""))
        out.append(f"| {name} | {rule} | {sentence} | {'; '.join(by)} |")
    return "\n".join(out) + "\n"


def find(binary, names, seconds):
    """The first seed that fails only with the rules off, shrunk into a file."""
    for nodes, duration in SHAPES:
        swept = call([binary, "sweep", "--weaken", names, "--stored", "/dev/null", "--seeds", "1..100000", "--nodes",
                      nodes, "--duration", duration, "--budget", f"{seconds}s", "--keep-going"])
        for seed in re.findall(r"^seed (\d+) at", swept.stderr, re.M):
            shape = ["--nodes", nodes, "--duration", duration, "--seed", seed]
            if call([binary, "run", *shape]).returncode:
                continue
            path = pathlib.Path(tempfile.gettempdir()) / f"{names}.faults"
            print(call([binary, "shrink", *shape, "--weaken", names, "--write-faults", path]).stdout)
            if call([binary, "run", "--faults", path]).returncode == 0:
                print(f"{path}: fails with {names} off, passes with all rules on")
                return 0
    print(f"no seed fails with {names} off alone")
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("--find")
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    if options.find:
        return find(options.binary, options.find, options.seconds)
    rules, lines = rules_of(options.binary), read_stored()
    wrongs = []
    for line in lines:
        unknown = [r for r in line.rules if r not in rules]
        wrong = f"names no rule: {unknown}" if unknown else None
        if not wrong and line.how not in UNRUN:
            wrong = check_line(options.binary, line)
        print(f"{'not ok' if wrong else 'ok'} {','.join(line.rules)}: {line.named()} {wrong or ''}".rstrip())
        wrongs += [wrong] if wrong else []
    core = "".join(p.read_text() for p in sorted((HERE.parent.parent / "gossip").glob("*.c")))
    for name in rules:
        if f"WEAK_{name.upper().replace('-', '_')})" not in core and f"WEAK_{name.upper().replace('-', '_')} " not in core:
            wrongs.append(name)
            print(f"not ok {name}: there is no such switch in gossip/")
        alone = [l for l in lines if l.rules == [name]]
        along = [l for l in lines if name in l.rules and len(l.rules) > 1]
        told = any(l.how == "argued" or (l.how == "covered" and along) or
                   (l.how in ("covered", "model") and model_stands(l.why)) for l in alone)
        if not told and not any(l.how not in UNRUN for l in alone):
            wrongs.append(name)
            print(f"not ok {name}: no run of its own, no model's run, no run beside another rule")
    text = table(rules, lines)
    if options.rewrite:
        TABLE.write_text(text)
    elif not TABLE.exists() or TABLE.read_text() != text:
        wrongs.append("table")
        print("not ok WEAKEN.md is not what weaken.txt says: run tests/sim/weaken.py SIM_BINARY --rewrite")
    print(f"{len(lines) + len(rules) + 1 - len(wrongs)} passed, {len(wrongs)} failed, 0 skipped")
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
