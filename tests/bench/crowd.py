"""crowd.py: many daemons on one machine, each at an address of its own of 127/8, in the bench's own
network namespace: a namespace each, as in lab.py, would cost more than the daemons.

Nothing is asked of all of them at once, or the bench would measure its own questions: whoever did
not agree the last time is asked first. Stores lie in memory (tmpfs): a thousand daemons that write
to one disk would measure the disk.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "net"))

import daemon  # noqa: E402
from daemon import Refused  # noqa: E402
from probe import cpu_s, rss_mb, said  # noqa: E402

IN_FLIGHT = 32  # joins that wait at the same time


def load():
    return os.getloadavg()[0]


class Peer:
    def __init__(self, folder, index, config):
        self.index, self.name = index, f"n{index}"
        self.address = f"127.9.{index // 250}.{index % 250 + 1}:{daemon.PORT}"
        self.data = os.path.join(folder, self.name)
        self.socket = os.path.join(folder, f"{self.name}.sock")
        self.log = os.path.join(folder, f"{self.name}.log")
        self.config = config
        self.process = None

    def spawn(self):
        os.makedirs(self.data, exist_ok=True)
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [daemon.ESSAIMD, "--config", self.config, "--name", self.name, "--data", self.data, "--listen",
                 self.address, "--socket", self.socket],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, verb, args=None, timeout=10.0):
        return daemon.ask(self.socket, verb, args, timeout)

    def status(self):
        try:
            return self.ask("status", timeout=5)
        except (OSError, ConnectionError, Refused):
            return {}

    def running(self):
        return self.process is not None and self.process.poll() is None

    def cpu_s(self):
        return cpu_s(self.process.pid)

    def rss_mb(self):
        return rss_mb(self.process.pid)

    def said(self, rules, since=0):
        return said(self, rules, since)


class Crowd:
    def __init__(self, count, level="notice", observes=False):
        self.folder = tempfile.mkdtemp(prefix="essaim-crowd-", dir="/dev/shm")
        config = os.path.join(self.folder, "essaimd.conf")
        with open(config, "w") as out:
            out.write(f"[log]\nlevel = {level}\n[http]\nlisten = off\n"
                      f"[storage]\nobserve = {'yes' if observes else 'no'}\n")  # one window would do for all of them
        self.peers = [Peer(self.folder, i, config) for i in range(1, count + 1)]
        self.first = self.peers[0]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        for peer in self.peers:
            if peer.running():
                peer.process.kill()
        for peer in self.peers:
            if peer.process is not None:
                peer.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- coming to be ----

    def spawn(self, peers=None):
        for peer in peers or self.peers:
            peer.spawn()

    def wait_answers(self, peers=None, limit=120):
        for peer in peers or self.peers:
            until = time.monotonic() + limit
            while not os.path.exists(peer.socket) or not peer.status():
                if not peer.running():
                    raise RuntimeError(f"{peer.name} ended:\n{open(peer.log).read()[-800:]}")
                if time.monotonic() > until:
                    raise RuntimeError(f"{peer.name} does not answer")
                time.sleep(0.01)

    def found(self, profile="default"):
        self.first.ask("init", {"name": self.first.name, "profile": profile}, 30)
        while not self.first.status().get("self_master"):
            time.sleep(0.01)
        uses = len(self.peers)
        return self.first.ask("token create", {"role": "node", "expires_ms": 3600000, "uses": uses})["token"]

    def join(self, peer, token, through, limit=300):
        """As a person would: a member that has too many joins waiting, or no master yet, is asked again."""
        until = time.monotonic() + limit
        while True:
            try:
                return peer.ask("join", {"addresses": [through.address], "token": token, "name": peer.name}, 60)
            except (Refused, OSError):
                if peer.status().get("standing") == "member":
                    return None  # the answer was late, not the entry
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def join_all(self, token, through=None, in_flight=IN_FLIGHT):
        """All but the first, `in_flight` at a time, through one seed or through whoever is in already."""
        inside = [self.first]

        def enter(peer):
            self.join(peer, token, through or inside[peer.index % len(inside)])
            inside.append(peer)

        with concurrent.futures.ThreadPoolExecutor(in_flight) as pool:
            list(pool.map(enter, self.peers[1:]))

    # ---- looking ----

    def wait_all(self, count, among=None, limit=600, gap=0.02):
        """Until all of them count that many members reachable; the moment (monotonic), or None."""
        waiting = list(among or self.peers)
        until = time.monotonic() + limit
        while waiting:
            members = waiting[-1].status().get("members", {})
            if members.get("total") == len(self.peers) and members.get("reachable") == count:
                waiting.pop()
            elif time.monotonic() > until:
                return None
            else:
                time.sleep(gap)
        return time.monotonic()

    def counted(self):
        """How many see how many: for whoever asks why a wait was in vain."""
        seen = {}
        for peer in self.peers:
            members = peer.status().get("members", {})
            key = f"{members.get('reachable')}/{members.get('total')}"
            seen[key] = seen.get(key, 0) + 1
        return seen

    def verdicts(self, since=0, about_dead=()):
        """Verdicts about the living, from the daemons' own logs."""
        return sum(1 for peer in self.peers for _, _, subject in peer.said({"UNREACHABLE"}, since)
                   if subject not in about_dead)

    def cpu_s(self):
        return sum(peer.cpu_s() for peer in self.peers if peer.running())

    def rss_mb(self):
        return [peer.rss_mb() for peer in self.peers if peer.running()]
