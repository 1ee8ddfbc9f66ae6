"""The read-only window: JSON, events, metrics, and the page in a real browser."""
import json
import os
import shutil
import subprocess
import time

import daemon
import lab
from case import case, Skip
from cluster import Cluster, expect, wait_for

PORT = 7801
HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(c, i, path, *options, limit=10):
    """(status, body) as curl in that node's namespace sees it."""
    done = subprocess.run(["curl", "-s", "-m", str(limit), "-w", "\n%{http_code}", *options,
                           f"http://127.0.0.1:{PORT}{path}"], capture_output=True, text=True,
                          preexec_fn=lambda: lab.enter_namespace(c.network.namespace(i)))
    body, _, code = done.stdout.rpartition("\n")
    return int(code), body


def formed(clusters, count):
    c = Cluster(count)
    clusters.append(c)
    return c.start().form()


@case("the window shows what the reading verbs say, and changes nothing")
def reading(clusters):
    c = formed(clusters, 3)
    code, body = fetch(c, 2, "/api/status")
    expect(code == 200 and json.loads(body)["node"] == "n2", body)
    expect({n["name"] for n in json.loads(fetch(c, 1, "/api/nodes")[1])} == {"n1", "n2", "n3"}, "all nodes")
    expect(json.loads(fetch(c, 1, "/api/nodes/n3")[1])["name"] == "n3", "one node")
    expect(fetch(c, 1, "/api/nodes/nobody")[0] == 404, "an unknown node")
    for path in ("/api/findings", "/api/clock", "/api/dns", "/api/cluster", "/api/version"):
        code, body = fetch(c, 1, path)
        expect(code == 200 and json.loads(body) is not None, f"{path}: {code} {body}")
    for options in (("-X", "POST"), ("-X", "DELETE"), ("-X", "PUT", "-d", "{}")):
        expect(fetch(c, 1, "/api/status", *options)[0] in (405, 413, 501), options)
    for path in ("/api/kv", "/api/nodes/", "/etc/passwd", "/api/../x", "/" + "a" * 3000):
        expect(fetch(c, 1, path)[0] in (400, 404), path)
    expect(fetch(c, 1, "/api/status", "-H", "Host: evil.example")[0] == 403, "another site's name")
    expect(fetch(c, 1, "/api/status", "-H", "X: " + "y" * 9000)[0] in (0, 400, 431), "a head too long")
    code, page = fetch(c, 1, "/")
    expect(code == 200 and len(page) < 200 * 1024 and "http://" not in page.replace("http://www.w3.org", ""),
           "the page is small and needs nothing from outside")


@case("away from loopback the window wants its token")
def token(clusters):
    c = Cluster(1)
    clusters.append(c)
    path = os.path.join(c.folder, "token")
    config = os.path.join(c.folder, "http.conf")
    with open(path, "w") as out:
        out.write("correct-horse-battery\n")
    with open(config, "w") as out:
        out.write(f"[http]\nlisten = {c.network.ip(1)}:{PORT}\n")
    c[1].more = ["--config", config]
    refusal = c[1].spawn()
    expect(refusal.wait(10) == 2, "without a token it does not start")
    with open(config, "a") as out:
        out.write(f"token = {path}\n")
    c.start()
    url = f"http://{c.network.ip(1)}:{PORT}/api/status"

    def ask(*options):
        done = subprocess.run(["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *options, url],
                              capture_output=True, text=True,
                              preexec_fn=lambda: lab.enter_namespace(c.network.namespace(1)))
        return done.stdout
    expect(ask() == "401", "no token")
    expect(ask("-H", "Authorization: Bearer wrong") == "401", "a wrong token")
    expect(ask("-H", "Authorization: Bearer correct-horse-battery") == "200", "the token")


@case("metrics are legal, for Prometheus and as OpenMetrics")
def metrics(clusters):
    if not shutil.which("promtool"):
        raise Skip("promtool is not installed: tools/install-deps")
    c = formed(clusters, 2)
    code, text = fetch(c, 1, "/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    expect(code == 200 and done.returncode == 0, done.stdout + done.stderr)
    expect("essaim_master 1" in text and 'essaim_findings{severity="error"}' in text, text)
    code, text = fetch(c, 1, "/metrics", "-H", "Accept: application/openmetrics-text; version=1.0.0")
    lines = text.splitlines()
    expect(lines[-1] == "# EOF", "OpenMetrics ends with # EOF")
    counters = {line.split()[2] for line in lines if line.startswith("# TYPE") and line.endswith(" counter")}
    for line in lines:
        name = line.split("{")[0].split(" ")[0]
        if not line.startswith("#") and name.endswith("_total"):
            expect(name[:-6] in counters, f"{name} is no counter's")


@case("events come as a stream while they happen")
def events(clusters):
    c = formed(clusters, 3)
    stream = subprocess.Popen(["curl", "-sN", "-m", "60", f"http://127.0.0.1:{PORT}/api/events"],
                              stdout=subprocess.PIPE, text=True,
                              preexec_fn=lambda: lab.enter_namespace(c.network.namespace(1)))
    try:
        master = c.master()
        victim = next(i for i in (2, 3) if i != master)
        c[victim].kill()
        until = time.monotonic() + 45
        seen = False
        while not seen and time.monotonic() < until:
            line = stream.stdout.readline()
            seen = line.startswith("data: ") and json.loads(line[6:])["subject"] == f"n{victim}"
        expect(seen, "the death of a node came as an event")
    finally:
        stream.kill()
        stream.wait()


@case("the page follows in a real browser when the master dies")
def page(clusters):
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        raise Skip("chromium and chromium-driver are not installed: tools/install-deps")
    c = formed(clusters, 3)
    first = c.master()
    viewer = c.other(first)
    script = os.path.join(HERE, "web_page.py")
    shots = os.environ.get("ESSAIM_SHOTS", os.path.join(c.folder, "shots"))
    os.makedirs(shots, exist_ok=True)
    browser = subprocess.Popen(["/usr/bin/python3", script, f"http://127.0.0.1:{PORT}/", f"n{first}", shots],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               preexec_fn=lambda: lab.enter_namespace(c.network.namespace(viewer)))
    said = []
    try:
        for line in browser.stdout:
            said.append(line)
            if line.strip() == "ready":
                c[first].kill()
                browser.stdin.write("killed\n")
                browser.stdin.flush()
    finally:
        browser.kill() if browser.poll() is None and not said else None
        code = browser.wait(60)
    expect(code == 0, "".join(said))
    print("     " + said[-1].strip())


def a_hundred(answers):
    """The answers of three real nodes, as if there were a hundred: some dead, one unknown, one name server dead."""
    nodes, status = answers["/api/nodes"], answers["/api/status"]
    like = next(n for n in nodes if not n["master"] and not n["self"])
    for i in range(4, 101):
        state = "unreachable" if i in (40, 77) else "suspect" if i == 55 else "reachable"
        accusers = [{"name": "n9", "health": 0, "outcome": "silent"}] if state != "reachable" else []
        nodes.append(like | {"name": f"n{i}", "state": state, "voter": False, "accusers": accusers,
                             "address": f"192.0.2.{i}:7946"})
    names = [n["name"] for n in nodes]
    status["members"] = {"total": 100, "reachable": 97}
    kept = {"unknown": False, "synchronised": True, "service": "chrony"}
    clock = answers["/api/clock"]
    clock["nodes"] = [clock["nodes"][0] | {"name": name} | kept for name in names]
    clock["nodes"][88] |= {"unknown": True, "unknown_since": "2026-03-01T12:00:00Z"}
    clock["offsets"] = [{"from": names[i], "to": names[(i + k) % 100], "offset_ms": 3000 if (i + k) % 100 == 30 else k,
                         "error_ms": 0.5} for i in range(100) for k in range(1, 17)]
    answers["/api/dns"]["servers"] = [{"node": name, "server": "192.0.2.53", "worst_ms": 0,
                                       "verdict": "dead" if name == "n61" else "ok"} for name in names]
    finding = {"severity": "warning", "code": "CLOCK_OFFSET", "what": "the clock of n31 is off by 3.0 s",
               "why": "certificates and logs go by it", "command": "chronyc makestep", "where": ["n1", "n2"]}
    answers["/api/findings"] |= {"findings": [finding, finding | {"severity": "error", "code": "NO_WORD"},
                                              finding | {"severity": "info"}], "silent": ["n40", "n77"]}
    return answers


@case("the page is of use at a hundred nodes, in light and dark, on a narrow screen, with the keyboard")
def crowd(clusters):
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        raise Skip("chromium and chromium-driver are not installed: tools/install-deps")
    c = formed(clusters, 3)
    asked = ("/api/status", "/api/nodes", "/api/findings", "/api/clock", "/api/dns")
    wait_for(lambda: json.loads(fetch(c, 1, "/api/clock")[1])["nodes"], "a first word about clocks")
    answers = a_hundred({path: json.loads(fetch(c, 1, path)[1]) for path in asked})
    feed, shots = os.path.join(c.folder, "answers.json"), os.environ.get("ESSAIM_SHOTS", os.path.join(c.folder, "shots"))
    os.makedirs(shots, exist_ok=True)
    with open(feed, "w") as out:
        json.dump(answers, out)
    page = os.path.join(daemon.REPOSITORY, "node", "web", "page.html")
    done = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "web_crowd.py"), page, feed, shots],
                          capture_output=True, text=True, timeout=120,
                          preexec_fn=lambda: lab.enter_namespace(c.network.namespace(1)))
    expect(done.returncode == 0, done.stdout + done.stderr[-2000:])
