#!/usr/bin/env python3
"""The command line against committed expectations.

usage: run.py ESSAIM_BINARY [--rewrite]

Each case of cases.py runs the real binary against a fake daemon and compares the request that
arrived, standard output, standard error and the exit code with expected/CASE.txt. --rewrite
writes those files instead (and man/essaim.1, man/essaim-metrics.7): read the difference before you commit it.
"""

import difflib
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # the source folder stays as it is

import cases
from fake_daemon import FakeDaemon

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "expected")
ROOT = os.path.join(HERE, "..", "..")
MAN = os.path.join(ROOT, "man", "essaim.1")
METRICS_MAN = os.path.join(ROOT, "man", "essaim-metrics.7")
LIMIT_S = 30
WIDTH = 80


def environment(extra):
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
    return {**keep, "LC_ALL": "C.UTF-8", "TERM": "dumb", **extra}


def run_piped(command, case, extra):
    done = subprocess.run(command, input=case.get("stdin", b""), env=environment(extra),
                          capture_output=True, timeout=LIMIT_S)
    return done.stdout, done.stderr, done.returncode


def run_on_terminal(command, case, extra, on_text=lambda seen: None):
    """Everything on one pseudo-terminal, as a person sees it; on_text hears what came so far."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                             env=environment(extra), start_new_session=True)
    os.close(slave)
    seen, answers = b"", case.get("stdin", [])
    answers = list(answers) if isinstance(answers, list) else [answers]
    while True:
        ready, _, _ = select.select([master], [], [], LIMIT_S)
        if not ready:
            child.kill()
            child.wait()
            raise TimeoutError("nothing on the terminal for %d s" % LIMIT_S)
        try:
            part = os.read(master, 65536)
        except OSError:
            part = b""
        if not part:
            break
        seen += part
        on_text(seen)
        if seen.endswith(b" to go on: ") and answers:
            os.write(master, answers.pop(0))
    os.close(master)
    return seen.replace(b"\r\n", b"\n"), b"", child.wait(LIMIT_S)


def printable(data):
    """Bytes as text that a file of expectations can hold, escape sequences made visible."""
    text = data.decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", lambda m: "\\x%02x" % ord(m.group()), text)


def block(title, text):
    if text == "":
        return ""
    return "--- %s\n%s%s" % (title, text, "" if text.endswith("\n") else "\n(no newline)\n")


def transcript(case, requests, out, err, code, folder):
    shown = " ".join(a if re.fullmatch(r"[\w./:=,\-\[\]]+", a) else repr(a) for a in case["argv"])
    asked = "".join(json.dumps(r, sort_keys=True) + "\n" for r in requests)
    text = ("%s\n\n$ essaim %s\n" % (case["rule"], shown) + block("asked", asked) +
            block("stdout", printable(out)) + block("stderr", printable(err)) + "--- exit %d\n" % code)
    return text.replace(folder, "FOLDER")


def check_files(case, folder):
    """Raises unless the files that the command leaves are what the case says."""
    if "written" in case:
        name, wanted = case["written"]
        with open(os.path.join(folder, name), "rb") as file:
            if file.read() != wanted:
                raise ValueError(name + " holds something else")
    if "absent" in case:
        found = [n for n in os.listdir(folder) if n.startswith(case["absent"])]
        if found:
            raise ValueError("left behind: " + ", ".join(found))


def run_case(binary, case):
    """The transcript and standard output of one case."""
    with tempfile.TemporaryDirectory(prefix="essaim-golden-") as folder:
        daemon = FakeDaemon(folder, case["answers"]) if "answers" in case else None
        path = os.path.join(folder, "control.sock")
        if case.get("dead_socket"):
            dead = FakeDaemon(folder, {})
            dead.stopping = True
            dead.thread.join()
            dead.listener.close()
        if "file" in case:
            with open(os.path.join(folder, "b"), "wb") as file:
                file.write(case["file"])
        command = [binary] + [a.replace("FOLDER", folder) for a in case["argv"]]
        runner = run_on_terminal if case.get("terminal") else run_piped
        try:
            out, err, code = runner(command, case, {"ESSAIM_SOCKET": path})
        finally:
            requests = daemon.requests if daemon else []
            if daemon:
                daemon.stop()
        check_files(case, folder)
        for request in requests:
            if len(request["args"].get("value", "")) > 1000:
                request["args"]["value"] = "(%d characters)" % len(request["args"]["value"])
        return transcript(case, requests, out, err, code, folder), out


def compare(text, path, rewrite):
    """Complaints; none if `text` is what the file holds."""
    if rewrite:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return []
    if not os.path.exists(path):
        return ["no such file: " + path]
    with open(path, encoding="utf-8") as file:
        wanted = file.read()
    return list(difflib.unified_diff(wanted.splitlines(), text.splitlines(), "expected", "got",
                                     lineterm=""))


def too_wide(case, out):
    if case.get("wide"):
        return []
    return ["wider than %d columns: %s" % (WIDTH, line)
            for line in out.decode("utf-8", "replace").splitlines() if len(line) > WIDTH]


def check_case(binary, case, rewrite):
    text, out = run_case(binary, case)
    path = os.path.join(EXPECTED, case["name"] + ".txt")
    complaints = compare(text, path, rewrite) + too_wide(case, out)
    if "json" in case:
        if json.loads(out) != case["json"]:
            complaints.append("standard output is not the daemon's result unchanged")
    return complaints


# ---- checks that are no transcripts ----

def output(binary, *words):
    done = subprocess.run([binary, *words], env=environment({}), capture_output=True,
                          timeout=LIMIT_S, check=True)
    return done.stdout.decode()


def check_manual(binary, rewrite):
    return compare(output(binary, "help", "--man"), MAN, rewrite)


def check_metrics_manual(binary, rewrite):
    """Made of the daemon's one table of metrics, which also makes /metrics."""
    return compare(output(os.path.join(os.path.dirname(binary), "essaimd"), "--metrics-page"), METRICS_MAN, rewrite)


def check_manuals_are_man(binary, rewrite):
    """Each line is text or one of man(7)'s macros; groff need not be installed to know that."""
    macros = r"\.(TH|SH|SS|TP|PP|RS|RE|B|I|BI|BR|RB|br|nf|fi)( |$)|\.\\\" "
    complaints = []
    for name in sorted(os.listdir(os.path.join(ROOT, "man"))):
        with open(os.path.join(ROOT, "man", name), encoding="utf-8") as file:
            lines = file.read().splitlines()
        complaints += ["%s:%d: %s" % (name, number, line) for number, line in enumerate(lines, 1)
                       if (line[:1] in (".", "'") and not re.match(macros, line)) or line == ""]
        text = "\n".join(lines)
        complaints += [name + ": .%s and .%s do not pair" % pair for pair in (("RS", "RE"), ("nf", "fi"))
                       if text.count("\n." + pair[0] + "\n") != text.count("\n." + pair[1] + "\n")]
    return complaints


def check_daemon_manual(binary, rewrite):
    """essaimd(8) is written by hand: every key of the daemon's table has its entry, and no other."""
    with open(os.path.join(ROOT, "node", "config.c"), encoding="utf-8") as file:
        table = set(re.findall(r'^\t\{"\w+", "(\w+)", TYPE_', file.read(), re.M))
    with open(os.path.join(ROOT, "man", "essaimd.8"), encoding="utf-8") as file:
        section = file.read().split(".SH CONFIGURATION")[1].split("\n.SH")[0]
    page = set(re.findall(r"^\.TP\n\.B (\w+)$", section, re.M))
    return (["in one only: " + key for key in sorted(table ^ page)] +
            ([] if table else ["no keys found in node/config.c"]))


def check_completion_parses(binary, rewrite):
    done = subprocess.run(["bash", "-n"], input=output(binary, "help", "--complete", "bash").encode(),
                          capture_output=True, timeout=LIMIT_S)
    return done.stderr.decode().splitlines()


def complete(binary, *words):
    """What Tab offers after these words (the last one is being typed)."""
    script = output(binary, "help", "--complete", "bash")
    script += '\nessaim() { "$ESSAIM" "$@"; }\nCOMP_WORDS=(essaim "$@"); COMP_CWORD=$#; _essaim\n'
    script += 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True,
                          env=environment({"ESSAIM": binary}), timeout=LIMIT_S, check=True)
    return done.stdout.decode().split()


def check_completion_offers(binary, rewrite):
    complaints = []
    for words, wanted in cases.COMPLETIONS:
        got = complete(binary, *words)
        if got != wanted:
            complaints.append("after %s: %s instead of %s" % (words, got, wanted))
    return complaints


def check_spinner(binary, rewrite):
    """The daemon answers only once its progress was seen on the terminal, so no clock is judged."""
    seen_it = threading.Event()

    def look(seen):
        if b"waiting for a master (1 s)" in seen:
            seen_it.set()

    answers = {"kv put": [{"progress": {"text": "waiting for a master"}}, seen_it,
                          {"code": 0, "result": {"key": "a", "version": 8}}]}
    with tempfile.TemporaryDirectory(prefix="essaim-golden-") as folder:
        daemon = FakeDaemon(folder, answers)
        try:
            out, _, code = run_on_terminal([binary, "kv", "put", "a", "b", "--timeout", "20s"], {},
                                           {"ESSAIM_SOCKET": daemon.path}, look)
        finally:
            seen_it.set()
            daemon.stop()
    ended = out.endswith(b"\r\x1b[Kversion 8\n")
    return [] if b"waiting for a master (1 s)" in out and ended and code == 0 else [repr(out)]


def check_reader_gone(binary, rewrite):
    """`essaim events --follow | head -n 1` ends although the daemon has more to tell."""
    event = {"event": {"time": "t", "rule": "R", "level": "info", "text": "x"}}
    with tempfile.TemporaryDirectory(prefix="essaim-golden-") as folder:
        daemon = FakeDaemon(folder, {"events": [event] * 1000 + [0.2] + [event] * 1000 + ["hold"]})
        child = subprocess.Popen([binary, "events", "--follow"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=environment({"ESSAIM_SOCKET": daemon.path}))
        child.stdout.readline()
        child.stdout.close()
        try:
            code, err = child.wait(LIMIT_S), child.stderr.read()
        finally:
            child.kill()
            child.stderr.close()
            daemon.stop()
    return [] if code == 0 and err == b"" else ["exit %d, stderr %r" % (code, err)]


def commands(binary):
    """Every "NOUN VERB" that the overview names."""
    noun, found = "", []
    for line in output(binary, "help").split("\nOptions")[0].splitlines():
        heading = re.match(r"(?!usage)(\w+): ", line)
        row = re.match(r"  (\w+)  ", line)
        if heading:
            noun = "" if heading.group(1) == "essaim" else heading.group(1) + " "
        elif row:
            found.append(noun + row.group(1))
    return found


def check_every_verb_teaches(binary, rewrite):
    """Help for each verb: within 80 columns, with an example, the same by --help."""
    complaints = []
    for name in commands(binary):
        text = output(binary, "help", *name.split())
        if text != output(binary, *name.split(), "--help"):
            complaints.append("--help differs from help: " + name)
        if "\nExamples\n  " not in text or "essaim " + name.split()[0] not in text:
            complaints.append("no example: " + name)
        complaints += ["too wide: " + line for line in text.splitlines() if len(line) > WIDTH]
    return complaints


def check_every_verb_has_a_case(binary, rewrite):
    asked = {request for case in cases.CASES for request in case.get("answers", {})}
    asked |= {" ".join(case["argv"][:2]) for case in cases.CASES if "op start" in case.get("answers", {})}
    own = {name for name in ("help", "doctor explain", "node add")  # no requests of their name
           if any(" ".join(case["argv"]).startswith(name) for case in cases.CASES)}
    missing = [name for name in commands(binary) if name not in asked and name not in own]
    return ["no case asks for: " + name for name in missing]


def check_no_stale_file(binary, rewrite):
    known = {case["name"] + ".txt" for case in cases.CASES}
    return ["no case has this name: " + name for name in sorted(set(os.listdir(EXPECTED)) - known)]


CHECKS = [
    ("the manual page is what the table says", check_manual),
    ("the page of metrics is what their table says", check_metrics_manual),
    ("the manual pages are well-formed", check_manuals_are_man),
    ("the daemon's manual page has every key of its configuration", check_daemon_manual),
    ("the completion script is bash", check_completion_parses),
    ("completion offers what the table says", check_completion_offers),
    ("a wait of more than a second shows what it waits for, and cleans up", check_spinner),
    ("a stream ends quietly when nobody reads it any more", check_reader_gone),
    ("every verb teaches itself, with an example, within 80 columns", check_every_verb_teaches),
    ("every verb has a case", check_every_verb_has_a_case),
    ("every file of expectations belongs to a case", check_no_stale_file),
]


def report(rule, check, *arguments):
    try:
        complaints = check(*arguments)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        complaints = [repr(error)]
    print("%s  %s" % ("FAIL" if complaints else "ok  ", rule))
    for line in complaints:
        print("      " + line)
    return not complaints


def main():
    rewrite = "--rewrite" in sys.argv[1:]
    names = [a for a in sys.argv[1:] if a != "--rewrite"]
    if len(names) != 1:
        sys.exit(__doc__)
    binary = os.path.abspath(names[0])
    results = []
    for case in cases.CASES:
        results.append(report(case["rule"], check_case, binary, case, rewrite))
    for rule, check in CHECKS:
        results.append(report(rule, check, binary, rewrite))
    print("%d passed, %d failed, 0 skipped" % (results.count(True), results.count(False)))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
