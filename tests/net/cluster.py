"""cluster.py: N daemons on a Lab, and the questions the tests ask about them.

Every wait has a limit that is generous: a test asserts what happens, never how fast.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time

import daemon
from daemon import Refused
from lab import Lab

LIMIT_S = 60
FOUND_S = 60


class Failure(AssertionError):
    pass


def wait_for(condition, what, limit=LIMIT_S, step=0.02):
    """The first true value of condition(); fails with `what` after the limit."""
    until = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise Failure(f"not within {limit} s: {what}")
        time.sleep(step)


def expect(truth, what):
    if not truth:
        raise Failure(what)


class Cluster:
    def __init__(self, count, family=4, profile="default", networks=1):
        self.folder = tempfile.mkdtemp(prefix="essaim-net-")
        os.chmod(self.folder, 0o755)  # unprivileged users talk to the sockets in it
        self.profile = profile
        self.network = Lab(count, networks)
        self.nodes = {i: daemon.Daemon(self.network, self.folder, i, family)
                      for i in range(1, count + 1)}

    def __getitem__(self, i):
        return self.nodes[i]

    def __iter__(self):
        return iter(self.nodes.values())

    # ---- making it ----

    def start(self, *which):
        for i in which or self.nodes:
            self[i].start()
        return self

    def form(self, joined_through=None, witnesses=()):
        """Node 1 founds; node i joins through node joined_through[i] (default: node 1)."""
        self[1].ask("init", {"name": "n1", "profile": self.profile}, 30)
        wait_for(self.master, "the founder is master")
        count = len(self.nodes) - 1
        if count:
            tokens = {role: self.token(1, count, role) for role in ("node", "witness")
                      if role == "node" or witnesses}
            for i in list(self.nodes)[1:]:
                through = (joined_through or {}).get(i, 1)
                role = "witness" if i in witnesses else "node"
                self.join(i, through, tokens[role], role=role)
        self.wait_whole()
        return self

    def token(self, node, uses=1, role="node"):
        args = {"role": role, "expires_ms": 3600000, "uses": uses}
        return self[node].ask("token create", args)["token"]

    def join(self, i, through, token, limit=60, role="node"):
        """The command line's patience is the user's; a join without a master is asked again."""
        args = {"addresses": [self[through].address], "token": token, "name": self[i].name, "role": role}
        return self[i].ask("join", args, limit)

    # ---- talking to it ----

    def essaim(self, node, *args, as_json=True, check=True, timeout=60,
               binary=daemon.ESSAIM, **popen):
        """The command line on that node. With check: its JSON; without: the finished process."""
        words = [binary, "--socket", self[node].socket] + (["--json"] if as_json else [])
        done = subprocess.run(words + [str(a) for a in args], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=timeout, env=daemon.SANITIZED, **popen)
        if not check:
            return done
        if done.returncode != 0:
            raise Failure(f"essaim {' '.join(map(str, args))} on n{node}: exit {done.returncode}: "
                          f"{done.stderr.strip()}{done.stdout.strip()}")
        return json.loads(done.stdout) if as_json and done.stdout.strip() else done.stdout

    def refused(self, node, *args, code=1, says=()):
        """The command must end with that code and say all those words."""
        done = self.essaim(node, *args, check=False, as_json=False)
        talk = done.stdout + done.stderr
        expect(done.returncode == code, f"essaim {args}: exit {done.returncode}, not {code}: {talk}")
        for word in says:
            expect(word in talk, f"essaim {args} does not say '{word}': {talk}")
        return talk

    def put(self, node, key, value, limit=LIMIT_S, **args):
        """Puts until it is done: an answer 'no master' (3) is asked again; others raise."""
        until = time.monotonic() + limit
        while True:
            try:
                return self[node].ask("kv put", {"key": key, "value": value, **args})
            except Refused as refusal:
                if refusal.code != 3 or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def get(self, node, key, limit=LIMIT_S):
        until = time.monotonic() + limit
        while True:
            try:
                return self[node].ask("kv get", {"key": key})
            except Refused as refusal:
                if refusal.code not in (3, 4) or time.monotonic() > until:
                    raise
                time.sleep(0.05)

    # ---- looking at it ----

    def master(self):
        """The index of the node that says of itself it may act, or None."""
        for node in self:
            if node.status().get("self_master"):
                return node.index
        return None

    def other(self, *than):
        return next(n.index for n in self if n.running() and not n.stopped and n.index not in than)

    def state_of(self, viewer, subject):
        try:
            rows = self[viewer].ask("node list", timeout=2)
        except (OSError, ConnectionError, Refused):
            return None
        return next((row["state"] for row in rows if row["name"] == self[subject].name), None)

    def agree(self, among=None):
        """All of them name one master in one epoch, which is one of them: (name, epoch), or None."""
        nodes = [self[i] for i in among or self.nodes]
        named = [node.status().get("master") for node in nodes]
        if not all(named) or any(one != named[0] for one in named):
            return None
        return (named[0]["name"], named[0]["epoch"]) if named[0]["name"] in [n.name for n in nodes] \
            else None

    def voters_expected(self):
        return {1: 1, 2: 2, 3: 3, 4: 3}.get(len(self.nodes), 5)

    def whole(self):
        """One master everywhere, everyone reachable from everyone, the voters complete."""
        count, voters = len(self.nodes), self.voters_expected()
        for node in self:
            status = node.status()
            if not status or status["members"] != {"total": count, "reachable": count}:
                return False
            if status["voters"]["total"] < voters:
                return False
        return bool(self.agree())

    def wait_whole(self, limit=90):
        try:
            wait_for(self.whole, "all agree on one master and reach each other", limit)
        except Failure as failure:
            views = "\n".join(f"  {n.name}: {json.dumps(n.status())}" for n in self)
            raise Failure(f"{failure}\n{views}") from None

    # ---- ending it ----

    # ---- what the doctor finds ----

    def findings(self, i, **args):
        return self[i].ask("doctor examine", args)["findings"]

    def codes(self, i, **args):
        return {f["code"] for f in self.findings(i, **args)}

    def found(self, i, code, about=None, says=(), limit=FOUND_S):
        """Waits for that finding as node i knows it, and returns it."""
        def look():
            for f in self.findings(i):
                if f["code"] == code and (about is None or f["about"] == about) and \
                        all(word in f["what"] + f["command"] for word in says):
                    return f
            return None
        try:
            return wait_for(look, f"{code} about {about}", limit, 0.3)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; found: {json.dumps(self.findings(i), indent=1)}") from None

    def over(self, i, code, about=None, limit=FOUND_S):
        wait_for(lambda: not any(f["code"] == code and about in (None, f["about"]) for f in self.findings(i)),
                 f"{code} about {about} is over", limit, 0.3)

    # ---- the end ----

    def close(self):
        """Stops everything; returns what was wrong: bad exits, sanitizer reports."""
        wrong = []
        for node in self:
            if not node.running():
                continue
            try:
                code = node.terminate()
                if code != 0:
                    wrong.append(f"{node.name} ended a clean stop with {code}")
            except subprocess.TimeoutExpired:
                wrong.append(f"{node.name} did not stop on SIGTERM")
                node.kill()
        for node in self:
            wrong += [f"{node.name}: {line}" for line in node.reports()]
        self.network.close()
        return wrong

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def new(clusters, count, **settings):
    """A cluster that the runner closes and judges after the case."""
    clusters.append(Cluster(count, **settings))
    return clusters[-1]
