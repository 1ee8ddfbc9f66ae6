"""machine.py: one QEMU machine: its disks and links, scripts run in it, its links cut.

    host  <--virtio-serial--> agent (agent.c)     survives every cut
    eth0  the cluster's network, eth1 the replication's; set_link takes either down, without a word to anybody
"""
import itertools
import json
import os
import socket
import subprocess
import threading
import time

BOOT_LIMIT_S = 120


class Broken(Exception):
    """A script in a machine ended otherwise than it should."""


class Machine:
    def __init__(self, name, number, folder, kernel, initrd, disks=(), memory_mib=320,
                 root=None):
        self.name, self.number, self.folder = name, number, os.path.join(folder, name)
        self.kernel, self.initrd, self.disks, self.memory_mib = kernel, initrd, list(disks), memory_mib
        self.words = " lab.root=/dev/vda net.ifnames=0 systemd.show_status=false" if root else ""
        if root:
            self.disks.insert(0, root)
        os.makedirs(self.folder, exist_ok=True)
        self.process = self.port = None
        self._ids, self._answers, self._news = itertools.count(1), {}, threading.Condition()

    # ---- power ----

    def command(self):
        agent, control = self._path("agent"), self._path("qmp")
        words = ["qemu-system-x86_64", "-name", self.name, "-machine", "q35", "-cpu", "qemu64", "-accel",
                 "tcg,thread=multi,tb-size=128", "-m", str(self.memory_mib), "-smp", "1", "-nodefaults", "-no-user-config",
                 "-display", "none", "-no-reboot", "-kernel", self.kernel, "-initrd", self.initrd,
                 "-append", f"console=ttyS0 quiet panic=-1 mitigations=off lab.name={self.name} lab.number={self.number}{self.words}",
                 "-serial", f"file:{self._path('console')}", "-qmp", f"unix:{control},server=on,wait=off",
                 "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={agent},server=on,wait=off",
                 "-device", "virtserialport,chardev=agent,name=agent"]
        for i, group in enumerate((12345, 12346)):
            words += ["-netdev", f"socket,id=n{i},mcast=230.9.0.{i + 1}:{group},localaddr=127.0.0.1", "-device",
                      f"virtio-net-pci,netdev=n{i},id=link{i},mac=52:54:00:09:0{i}:0{self.number},romfile="]
        for i, disk in enumerate(self.disks):
            words += ["-drive", f"file={disk},if=none,id=d{i},format=raw,cache=unsafe,discard=unmap",
                      "-device", f"virtio-blk-pci,drive=d{i},serial={self.name}{i}"]
        return words

    def power_on(self):
        for name in ("agent", "qmp"):
            if os.path.exists(self._path(name)):
                os.unlink(self._path(name))
        with open(self._path("qemu"), "w") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_up(self):
        until = time.monotonic() + BOOT_LIMIT_S
        while True:
            try:
                self.port = socket.socket(socket.AF_UNIX)
                self.port.connect(self._path("agent"))
                break
            except OSError:
                self._boot_failed_unless(time.monotonic() < until and self.process.poll() is None)
                time.sleep(0.05)
        self.port.settimeout(BOOT_LIMIT_S)
        lines = self.port.makefile("rb")
        try:
            ready = lines.readline()
        except OSError:
            ready = b""
        self._boot_failed_unless(ready == b"READY\n")
        self.port.settimeout(None)
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def power_off(self):
        """As if the plug were pulled."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.port:
            self.port.close()

    def _boot_failed_unless(self, well):
        if not well:
            raise Broken(f"machine '{self.name}' did not come up:\n{self.console()}")

    # ---- scripts ----

    def try_(self, script, limit=60, data=b""):
        """(status, output); status 124: it ran out of time."""
        number, text = next(self._ids), script.encode()
        with self._news:
            self.port.sendall(b"%d %d %d %d\n" % (number, limit, len(text), len(data)) + text + data)
            if not self._news.wait_for(lambda: number in self._answers, limit + 30):
                raise Broken(f"machine '{self.name}' says nothing for {limit + 30} s to: {script}")
            return self._answers.pop(number)

    def sh(self, script, limit=60, data=b""):
        status, output = self.try_(script, limit, data)
        if status != 0:
            raise Broken(f"{self.name}: {script}: exit {status}\n{output}")
        return output

    def put(self, path, text):
        self.sh(f"mkdir -p $(dirname {path}) && cat > {path}", data=text if isinstance(text, bytes) else text.encode())

    def _listen(self, lines):
        try:
            while header := lines.readline():
                number, status, size = map(int, header.split())
                output = lines.read(size).decode(errors="replace")
                with self._news:
                    self._answers[number] = status, output
                    self._news.notify_all()
        except (OSError, ValueError):
            return

    # ---- links ----

    def link(self, which, up):
        self._qmp("set_link", name=f"link{which}", up=up)

    def _qmp(self, execute, **arguments):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(20)
            control.connect(self._path("qmp"))
            lines = control.makefile("r")
            lines.readline()  # its greeting
            for request in ({"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}):
                control.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(lines.readline())
                while "event" in answer:
                    answer = json.loads(lines.readline())
                if "error" in answer:
                    raise Broken(f"qmp {execute}: {answer['error']}")

    # ---- looking ----

    def console(self, lines=40):
        text = ""
        for name in ("qemu", "console"):
            if os.path.exists(self._path(name)):
                with open(self._path(name), errors="replace") as log:
                    text += "".join(log.readlines()[-lines:])
        return text

    def _path(self, name):
        return os.path.join(self.folder, name)
