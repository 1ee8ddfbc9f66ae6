"""peer.py: what the measurements of the peers share: their processes on our lab's machines.

The same network, the same cuts, the same figures as for our own daemons; only what a moment is read
from differs: the arrival of the peer's own log line, read from a pipe.
"""
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(os.path.dirname(HERE)), "net")]

import lab  # noqa: E402
from probe import cpu_s, rss_mb  # noqa: E402
from report import figure, talk  # noqa: E402

LONG = "--long" in sys.argv


class Lines(threading.Thread):
    """Reads the pipes of many processes; keeps (arrival, key, line)."""

    def __init__(self):
        super().__init__(daemon=True)
        self.selector, self.rest = selectors.DefaultSelector(), {}
        self.kept, self.lock = [], threading.Lock()
        self.start()

    def add(self, key, stream):
        os.set_blocking(stream.fileno(), False)
        self.rest[stream.fileno()] = b""
        self.selector.register(stream, selectors.EVENT_READ, key)

    def run(self):
        while True:
            for ready, _ in self.selector.select(0.1):
                try:
                    data = os.read(ready.fd, 65536)
                except BlockingIOError:
                    continue
                arrived = time.monotonic()
                if not data:
                    self.selector.unregister(ready.fileobj)
                    ready.fileobj.close()
                    continue
                *lines, self.rest[ready.fd] = (self.rest[ready.fd] + data).split(b"\n")
                with self.lock:
                    self.kept += [(arrived, ready.data, one.decode(errors="replace")) for one in lines]

    def since(self, start):
        with self.lock:
            return [line for line in self.kept if line[0] >= start]


class Peers:
    """N processes of one peer, one on each machine of a lab."""

    def __init__(self, name, count, command):
        self.name, self.count, self.command = name, count, command
        self.network, self.lines, self.processes = lab.Lab(count), Lines(), {}
        self.folder = tempfile.mkdtemp(prefix=f"essaim-{name}-")

    def start(self, i):
        namespace = self.network.namespace(i)
        self.processes[i] = subprocess.Popen(
            self.command(self, i), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=self.folder, preexec_fn=lambda: lab.enter_namespace(namespace))
        self.lines.add(i, self.processes[i].stdout)

    def kill(self, i):
        self.processes[i].kill()
        self.processes[i].wait()

    def in_namespace(self, i, *command):
        """The output of a client program run on machine i ('' if it failed)."""
        namespace = self.network.namespace(i)
        return subprocess.run(command, text=True, capture_output=True, timeout=30,
                              preexec_fn=lambda: lab.enter_namespace(namespace)).stdout

    def seen_by(self, who, start, wanted, limit=60):
        """Seconds until each of `who` had logged a line for which wanted(line) holds; None: not all."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            first = {}
            for at, key, line in self.lines.since(start):
                if key in who and key not in first and wanted(line):
                    first[key] = at
            if len(first) == len(who):
                return max(first.values()) - start
            time.sleep(0.01)
        return None

    def cost(self, seconds):
        before = {i: (cpu_s(p.pid), self.network.bytes_in(i)) for i, p in self.processes.items()}
        start = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - start
        figure(self.name, self.count, "", "CPU, ms/s", [(cpu_s(p.pid) - before[i][0]) * 1000 / took
                                                        for i, p in self.processes.items()])
        figure(self.name, self.count, "", "RSS, MB", [rss_mb(p.pid) for p in self.processes.values()])
        figure(self.name, self.count, "", "IP bytes/s in", [(self.network.bytes_in(i) - before[i][1]) / took
                                                            for i in self.processes])

    def close(self):
        for i, process in self.processes.items():
            if process.poll() is None:
                self.kill(i)
        self.network.close()
        shutil.rmtree(self.folder, ignore_errors=True)


__all__ = ["LONG", "Peers", "figure", "lab", "talk"]
