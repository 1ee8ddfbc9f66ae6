"""crowd.py: many daemons on one machine, each at an address of its own of 127/8, in the bench's own
network namespace: a namespace each, as in lab.py, would cost more than the daemons.

Nothing is asked of all of them at once, or the bench would measure its own questions: whoever did
not agree the last time is asked first. Stores lie in memory (tmpfs): a thousand daemons that write
to one disk would measure the disk.
"""
import concurrent.futures
import ctypes
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

CLONE_NEWUTS = 0x04000000
IN_FLIGHT = 32  # joins that wait at the same time


def load():
    return os.getloadavg()[0]


def backlog():
    """Threads that want a core at this moment, besides our own; a mean of some looks."""
    def runnable():
        with open("/proc/stat") as stat:
            return next(int(line.split()[1]) for line in stat if line.startswith("procs_running")) - 1

    looks = []
    for _ in range(5):
        looks.append(runnable())
        time.sleep(0.004)
    return sum(looks) / len(looks)


class Gate:
    """As fast as the machine takes them: the next may enter when hardly anybody waits for a core."""

    def __init__(self, most=4.0, limit=5.0):
        self.most, self.limit, self.waited, self.forced = most, limit, 0.0, 0

    def wait(self):
        start = time.monotonic()
        while backlog() > self.most:
            if time.monotonic() - start > self.limit:
                self.forced += 1
                break
        self.waited += time.monotonic() - start


class Peer:
    def __init__(self, folder, index, config):
        self.index, self.name = index, f"n{index}"
        self.address = f"127.9.{index // 250}.{index % 250 + 1}:{daemon.PORT}"
        self.data = os.path.join(folder, self.name)
        self.socket = os.path.join(folder, f"{self.name}.sock")
        self.log = os.path.join(folder, f"{self.name}.log")
        self.config = config
        self.before = []  # words before the daemon's: a hand that starts it
        self.process = None

    def spawn(self):
        os.makedirs(self.data, exist_ok=True)
        self._be_a_host()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                [*self.before, daemon.ESSAIMD, "--config", self.config, "--name", self.name, "--data", self.data, "--listen",
                 self.address, "--socket", self.socket],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _be_a_host(self):
        """
        A thousand machines have a thousand host names; that they had one would be found by each of them.
        Set here, not in the child: Python starts children five times faster if it has nothing to do in them.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        name = self.name.encode()
        if libc.unshare(CLONE_NEWUTS) != 0 or libc.sethostname(name, len(name)) != 0:
            raise OSError(ctypes.get_errno(), "sethostname")

    def ask(self, verb, args=None, timeout=10.0):
        return daemon.ask(self.socket, verb, args, timeout)

    def status(self):
        try:
            return self.ask("status", timeout=5)
        except (OSError, ConnectionError, Refused):
            return {}

    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        """The daemon's own."""
        if not self.before:
            return self.process.pid
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return int(children.read().split()[0])

    def cpu_s(self):
        return cpu_s(self.pid)

    def rss_mb(self):
        return rss_mb(self.pid)

    def said(self, rules, since=0):
        return said(self, rules, since)


class Crowd:
    def __init__(self, count, level="notice", observes=False):
        self.folder = tempfile.mkdtemp(prefix="essaim-crowd-", dir="/dev/shm")
        config = os.path.join(self.folder, "essaimd.conf")
        with open(config, "w") as out:
            out.write(f"[log]\nlevel = {level}\n[http]\nlisten = off\n"  # one window would do for all of them
                      "[dns]\nobserve = no\n"  # a look-up in a child every 5 s: once for a machine, not a thousand times
                      f"[storage]\nobserve = {'yes' if observes else 'no'}\n")
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

    def spawn_paced(self, gate, batch=10):
        """A machine that boots: some at a time."""
        for i in range(0, len(self.peers), batch):
            gate.wait()
            self.spawn(self.peers[i:i + batch])

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

    def join_paced(self, token, gate, batch=4, told=lambda joined: None):
        """All but the first, a few at a time, each time the machine has taken those before."""
        with concurrent.futures.ThreadPoolExecutor(batch) as pool:
            for i in range(1, len(self.peers), batch):
                gate.wait()
                through = self.peers[(i * 7919) % i]
                list(pool.map(lambda peer: self.join(peer, token, through), self.peers[i:i + batch]))
                told(min(i + batch, len(self.peers)))

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
