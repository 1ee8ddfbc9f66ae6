"""daemon.py: one essaimd process and the two ways to talk to it: its socket and the command line."""
import json
import os
import signal
import socket
import struct
import subprocess
import time

import lab

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("ESSAIM_BUILD", os.path.join(REPOSITORY, "build"))
ESSAIMD = os.path.join(BUILD, "node", "essaimd")
ESSAIM = os.path.join(BUILD, "node", "essaim")
HAND = os.path.join(BUILD, "node", "hand", "essaim-hand")
HAND_HELD = os.path.join(BUILD, "tests", "hand", "essaim-hand-held")  # its blows can be held back, by a file
HAND_FOR_TESTS = os.path.join(BUILD, "tests", "hand", "essaim-hand-test")  # other programs, blows that can be held back
OURS = (os.path.join(BUILD, "node"), os.path.join(BUILD, "tests"))
PORT = 7800

SANITIZED = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=1",
                 UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
REPORTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion `")


class Refused(Exception):
    """A final frame with a code that is not 0."""
    def __init__(self, code, error):
        super().__init__(f"code {code}: {error.get('what')}: {error.get('why')}")
        self.code, self.error = code, error


def _read(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the daemon closed the connection")
        data += part
    return data


def frames(path, verb, args=None, timeout=10.0, uid=None):
    """Sends one request; yields every frame, the final one last. A final refusal raises."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout + 1)
        connection.connect(path)
        request = json.dumps({"verb": verb, "args": args or {}, "timeout_ms": int(timeout * 1000)})
        connection.sendall(struct.pack(">I", len(request)) + request.encode())
        while True:
            size, = struct.unpack(">I", _read(connection, 4))
            frame = json.loads(_read(connection, size))
            if frame.get("code", 0) != 0:
                raise Refused(frame["code"], frame.get("error", {}))
            yield frame
            if "code" in frame:
                return


def ask(path, verb, args=None, timeout=10.0):
    return list(frames(path, verb, args, timeout))[-1]["result"]


class Daemon:
    """One machine of the lab and the daemon on it."""

    def __init__(self, network, folder, index, family=4):
        self.network, self.index, self.family = network, index, family
        self.name = f"n{index}"
        self.data = os.path.join(folder, self.name)
        self.socket = os.path.join(folder, f"{self.name}.sock")
        self.log = os.path.join(folder, f"{self.name}.log")
        self.nets = list(range(network.networks))  # it has an address in each of these ...
        self.families = (family,)  # ... of each of these
        self.observes = False  # its machine's storage: not the test machine's own
        self.more = []  # further words of its command line
        self.before = []  # words before it: the hand that starts it
        self.essaimd = ESSAIMD  # another release's, in tests of upgrades
        self.process = None
        self.stopped = False

    def address_in(self, net, family=None):
        ip = self.network.ip(self.index, family or self.family, net)
        return f"[{ip}]:{PORT}" if ":" in ip else f"{ip}:{PORT}"

    @property
    def address(self):
        return self.address_in(self.nets[0])

    def command(self):
        listen = [word for net in self.nets for family in self.families
                  for word in ("--listen", self.address_in(net, family))]
        config = self.data + ".conf"
        if os.path.dirname(self.essaimd) in OURS:  # an older release does not know the key
            with open(config, "w") as out:
                out.write(f"[storage]\nobserve = {'yes' if self.observes else 'no'}\n")
            listen += ["--config", config]
        return [*self.before, self.essaimd, "--name", self.name, "--data", self.data, *listen, "--socket", self.socket, *self.more]

    def spawn(self, extra_environment=None):
        """The bare process, for those that are expected to refuse."""
        os.makedirs(self.data, exist_ok=True)
        namespace = self.network.namespace(self.index)
        return subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=open(self.log, "a"),
                                stderr=subprocess.STDOUT, env=SANITIZED | (extra_environment or {}),
                                preexec_fn=lambda: lab.enter_namespace(namespace))

    def start(self, extra_environment=None, limit=20):
        self.process, self.stopped = self.spawn(extra_environment), False
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            try:
                ask(self.socket, "version", timeout=1)
                return
            except (OSError, ConnectionError):
                time.sleep(0.01)
        raise RuntimeError(f"{self.name} does not answer:\n{self.tail()}")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def ask(self, verb, args=None, timeout=10.0):
        return ask(self.socket, verb, args, timeout)

    def status(self):
        """Never raises: an unreachable daemon has an empty status."""
        if self.stopped or not self.running():
            return {}
        try:
            return self.ask("status", timeout=2)
        except (OSError, ConnectionError, Refused):
            return {}

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.stopped = True
        self.process.send_signal(signal.SIGSTOP)

    def cont(self):
        self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def terminate(self, limit=20):
        """A clean stop; returns the exit code."""
        if self.stopped:
            self.cont()
        self.process.terminate()
        return self.process.wait(limit)

    def tail(self, lines=25):
        with open(self.log, errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def reports(self):
        """Lines of the log in which a sanitizer or an assertion speaks."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, errors="replace") as log:
            return [line.strip() for line in log if any(word in line for word in REPORTS)]
