"""site.py: the machines of one scenario, our daemons on them, and what scenarios ask of both."""
import json
import os
import shutil
import tempfile
import threading
import time

import image
from machine import Broken, Machine

NAMES = ("a", "b", "c")
DISK_MIB = 512
SOCKET, DATA, LOG = "/run/essaim.sock", "/var/lib/essaim", "/run/essaim.log"


class Failure(AssertionError):
    pass


def wait_for(condition, what, limit=120, step=0.3):
    """The first true value of condition(); generous, as emulated machines are slow."""
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


class Site:
    """Machines a, b (and c), each with one empty disk, on two networks."""

    def __init__(self, build, count=2, disk_mib=DISK_MIB, whole=False):
        """whole: each is a Debian with systemd, without our programs: a package brings those."""
        self.folder = tempfile.mkdtemp(prefix="essaim-lab-")
        kernel, base = image.base(lambda text: print(f"     {text}", flush=True))
        mine, initrd = os.path.join(self.folder, "ours.cpio"), os.path.join(self.folder, "initrd")
        image.ours(build, mine)
        with open(initrd, "wb") as out:
            for part in (base, mine):
                with open(part, "rb") as archive:
                    shutil.copyfileobj(archive, out)
        self.machines = {}
        for number, name in enumerate(NAMES[:count], 1):
            disk = os.path.join(self.folder, f"{name}.disk")
            with open(disk, "wb") as out:
                out.truncate(disk_mib << 20)
            root = self._root(name) if whole else None
            self.machines[name] = Machine(name, number, self.folder, kernel, initrd, [disk],
                                          memory_mib=512 if whole else 320, root=root)

    def _root(self, name):
        path = os.path.join(self.folder, f"{name}.root")
        shutil.copyfile(image.whole(), path)
        return path

    def __getitem__(self, name):
        return self.machines[name]

    def __iter__(self):
        return iter(self.machines.values())

    def boot(self, *names):
        chosen = [self[n] for n in names] or list(self)
        for machine in chosen:
            machine.power_on()
        for machine in chosen:
            machine.wait_up()
        return self

    def both(self, script, limit=60):
        """The same script on all machines at once; their outputs by name."""
        outputs, wrong = {}, []

        def on(machine):
            try:
                outputs[machine.name] = machine.sh(script, limit)
            except Exception as error:
                wrong.append(error)
        threads = [threading.Thread(target=on, args=(m,)) for m in self]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise wrong[0]
        return outputs

    # ---- daemons ----

    def start_daemon(self, name):
        m = self[name]
        m.sh(f"mkdir -p {DATA}; setsid /usr/sbin/essaim-hand -- /usr/sbin/essaimd --name {name} --data {DATA} --listen 10.9.0.{m.number}:7800 "
             f"--socket {SOCKET} </dev/null >>{LOG} 2>&1 & echo $! >/run/essaimd.pid")
        wait_for(lambda: m.try_(f"/usr/sbin/essaim --socket {SOCKET} version")[0] == 0, f"essaimd of {name} answers")

    def form(self):
        """A cluster of all machines; the first founds it."""
        names = list(self.machines)
        for name in names:
            self.start_daemon(name)
        self.essaim(names[0], f"init {names[0]}")
        for name in names[1:]:
            token = self.essaim(names[0], "token create")["token"]
            self.essaim(name, f"join {self.address(names[0])} --token {token}", limit=90)
        wait_for(lambda: self.whole(), "all agree on one master and reach each other")
        return self

    def address(self, name):
        return f"10.9.0.{self[name].number}:7800"

    def essaim(self, name, words, limit=60, check=True):
        """What the command line prints as JSON on that machine."""
        status, output = self[name].try_(f"/usr/sbin/essaim --socket {SOCKET} --json {words} 2>/run/essaim.err; "
                                         "s=$?; cat /run/essaim.err >&2; exit $s", limit)
        if status != 0 and check:
            raise Broken(f"{name}: essaim {words}: exit {status}\n{output}")
        try:
            return json.loads(output)
        except ValueError:
            return {"status": status, "text": output}

    def status(self, name):
        return self.essaim(name, "status", check=False)

    def whole(self):
        views = [self.status(name) for name in self.machines]
        count = len(self.machines)
        masters = {json.dumps(view.get("master")) for view in views}
        return all(v.get("members") == {"total": count, "reachable": count} for v in views) and \
            len(masters) == 1 and "null" not in masters

    # ---- ending ----

    def close(self):
        """What was wrong: a daemon that ended on its own, or aborted."""
        wrong = []
        for machine in self:
            if machine.process and machine.process.poll() is None and machine.port:
                try:
                    status, log = machine.try_(f"grep -E 'Assertion|runtime error|Sanitizer' {LOG}", 20)
                    wrong += [f"{machine.name}: {log}"] if status == 0 else []
                except (Broken, OSError):
                    wrong.append(f"{machine.name} no longer answers")
            machine.power_off()
        return wrong

    def logs(self):
        text = ""
        for machine in self:
            text += f"--- console of {machine.name} ---\n{machine.console()}\n"
        return text

    def forget(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def drbd_resource(names=("a", "b"), volume="/dev/vg_back/r0"):
    """A pair's configuration, quick enough for an emulated machine."""
    sides = "\n".join(f"\ton {n} {{ address 10.9.1.{i}:7788; }}" for i, n in enumerate(names, 1))
    return f"""resource r0 {{
	net {{ protocol C; allow-two-primaries yes; verify-alg crc32c; cram-hmac-alg sha1; shared-secret "lab";
		after-sb-0pri disconnect; after-sb-1pri disconnect; after-sb-2pri disconnect;
		ping-int 3; ping-timeout 20; connect-int 3; timeout 50; }}
	disk {{ c-plan-ahead 0; resync-rate 8M; }}
	device /dev/drbd0;
	disk {volume};
	meta-disk internal;
{sides}
}}
"""
