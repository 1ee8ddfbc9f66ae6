"""Facts and the doctor: each finding is provoked on real daemons, and a healthy swarm has none.

Each node is a host of its own: its name (uts namespace), its resolv.conf and hosts file (mount
namespace), its wall clock (essaimd-clock). Name service is dnsmasq in the lab.
"""
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import daemon
import lab
from case import case, Skip
from cluster import FOUND_S, Cluster, expect, wait_for

DNS = "10.87.0.53"
AWAY = "10.87.0.99"  # nobody answers there
CLOCKED = os.path.join(daemon.BUILD, "tests", "essaimd-clock")


class Host(daemon.Daemon):
    """A daemon with a host name, a resolver and a wall clock of its own."""

    def __init__(self, *args):
        super().__init__(*args)
        self.essaimd = CLOCKED
        self.uname = self.name
        self.environment = {}
        self.etc = None   # a folder to be its /etc
        self.root = None  # a folder to be its root, over which the real one's folders are bound
        folder = os.path.dirname(self.data)
        self.resolv, self.hosts, self.clock = (os.path.join(folder, f"{self.name}.{what}")
                                               for what in ("resolv", "hosts", "clock"))
        self.resolver = os.path.join(folder, f"{self.name}.resolver")  # how its resolver child is bad
        self.set_resolv(DNS)
        with open(self.hosts, "w") as out:
            out.write("127.0.0.1 localhost\n")
        self.set_clock(0)

    def set_resolv(self, *servers, options="timeout:1 attempts:1"):
        with open(self.resolv, "w") as out:
            out.write("".join(f"nameserver {s}\n" for s in servers) + f"options {options}\n")

    def take_own_etc(self):
        """From its next start on its /etc is a copy, in which files can be removed."""
        self.etc = self.data + ".etc"
        subprocess.run(["cp", "-a", "/etc/.", self.etc], check=True)
        shutil.copy(self.resolv, os.path.join(self.etc, "resolv.conf"), follow_symlinks=False)
        self.resolv = os.path.join(self.etc, "resolv.conf")

    def set_clock(self, offset_s, kept=True, error_s=0.005, slow_ppm=0):
        """kept: True, False, or None: the kernel does not say."""
        kept = 2 if kept is None else int(kept)
        data = struct.pack("=qqqq", int(offset_s * 1e9), kept, int(error_s * 1e9), slow_ppm)
        if not os.path.exists(self.clock):
            open(self.clock, "wb").write(data)
        with open(self.clock, "r+b") as out:
            out.write(data)

    def command(self):
        resolv = f'mount --bind "{self.etc}" /etc' if self.etc else 'mount --bind "$2" /etc/resolv.conf'
        script = f'hostname "$1"; {resolv}; mount --bind "$3" /etc/hosts; shift 3; '
        if self.root:
            script += (f'for d in /*; do if [ -d "$d" ] && [ ! -L "$d" ]; then mkdir -p "{self.root}$d"; '
                       f'mount --rbind "$d" "{self.root}$d"; elif [ -L "$d" ]; then cp -dn "$d" "{self.root}"; fi; done; '
                       f'exec chroot "{self.root}" "$@"; ')
        script += 'exec "$@"'
        return ["unshare", "-m", "-u", "--propagation", "private", "sh", "-c", script, "sh", self.uname,
                self.resolv, self.hosts] + super().command()

    def spawn(self, extra_environment=None):
        return super().spawn({"ESSAIM_TEST_CLOCK": self.clock, "ESSAIM_TEST_RESOLVER": self.resolver} |
                             self.environment | (extra_environment or {}))


class Dns:
    """dnsmasq, which can be made to lie, to be slow (stopped most of the time), and to die."""

    def __init__(self, cluster):
        if not any(os.path.exists(p) for p in ("/usr/sbin/dnsmasq", "/usr/bin/dnsmasq")):
            raise Skip("dnsmasq is not installed: tools/install-deps")
        if not os.path.exists("/etc/resolv.conf"):
            raise Skip("this machine has no /etc/resolv.conf to put another in the place of")
        self.names = os.path.join(cluster.folder, "dns.hosts")
        self.log = open(os.path.join(cluster.folder, "dns.log"), "a")
        subprocess.run(["ip", "address", "replace", DNS + "/32", "dev", "lo"], check=True)
        self.process, self.slowing = None, None
        self.say({n.name: cluster.network.ip(n.index) for n in cluster})

    def say(self, names, refuse=False):
        """`refuse`: of what it does not know it says that it will not say, instead of that there is none."""
        with open(self.names, "w") as out:
            out.write("".join(f"{ip} {name}\n" for name, ip in names.items()))
        self.stop()
        self.process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--addn-hosts={self.names}",
             f"--listen-address={DNS}", "--bind-interfaces", "--user=root", "--pid-file=", "--conf-file=/dev/null",
             ] + ([] if refuse else ["--local=/#/"]), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def slow(self, pause_s):
        self.slowing = threading.Event()

        def work(process, over):
            while not over.is_set():
                process.send_signal(signal.SIGSTOP)
                over.wait(pause_s)
                process.send_signal(signal.SIGCONT)
                over.wait(0.02)
        threading.Thread(target=work, args=(self.process, self.slowing), daemon=True).start()

    def stop(self):
        if self.slowing:
            self.slowing.set()
            time.sleep(0.1)
            self.slowing = None
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


class Swarm(Cluster):
    """A cluster of Hosts with its name server; ends both."""

    def __init__(self, count, **options):
        super().__init__(count, **options)
        self.nodes = {i: Host(self.network, self.folder, i) for i in self.nodes}
        self.dns = Dns(self)

    def close(self):
        self.dns.stop()
        return super().close()


def swarm(clusters, count, **options):
    made = Swarm(count, **options)
    clusters.append(made)
    return made.start().form()


def calm(c):
    """Nobody was suspected of being unreachable: no such event on any node."""
    for node in c:
        frames = daemon.frames(node.socket, "events", {"lines": 1000})
        bad = [f["event"] for f in frames if f.get("event", {}).get("rule") == "UNREACHABLE"
               and "unreachable since" not in f["event"]["text"]]
        expect(not bad, f"{node.name}: {bad}")


@case("a healthy swarm of three has nothing to find", lasts=45)
def healthy(clusters):
    made = Swarm(3)
    clusters.append(made)
    for node in made:  # in memory: this machine's own disk may really be slow, which would be said
        os.makedirs(node.data)
        lab.run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", node.data)
    try:
        nothing_found(made.start().form())
    finally:
        for node in made:
            if node.running():
                node.terminate()
            lab.run("umount", node.data)


def nothing_found(c):
    until = time.monotonic() + (300 if "--long" in sys.argv else 45)
    while time.monotonic() < until:
        for node in c:
            expect(c.findings(node.index) == [], f"{node.name} found {c.findings(node.index)}")
        time.sleep(1)
    expect(c[1].ask("doctor examine")["asked"] == 3, "all three were asked")
    c.essaim(2, "doctor")


@case("a clock that is off is named on every node, and nobody is suspected for it", lasts=30)
def clock_off(clusters):
    c = swarm(clusters, 3)
    time.sleep(3)  # a step is one against what was seen before
    c[3].set_clock(3)
    for i in (1, 2, 3):
        f = c.found(i, "CLOCK_OFFSET", "n3", says=("off by",))
        expect(f["severity"] == "warning", f)
    expect({f["about"] for f in c.findings(1) if f["code"] == "CLOCK_OFFSET"} == {"n3"}, c.findings(1))
    c.found(1, "CLOCK_STEPPED", "n3")
    c[3].set_clock(0)
    for i in (1, 2, 3):
        c.over(i, "CLOCK_OFFSET")
    for hour in (3600, -3600, 0):
        c[2].set_clock(hour)
        if hour:
            expect(c.found(1, "CLOCK_OFFSET", "n2")["severity"] == "error", "an hour is an error")
    c.over(1, "CLOCK_OFFSET")
    c.put(2, "after", "the steps")
    calm(c)


@case("an offset is a finding from where on the cluster's settings say so", lasts=25)
def clock_threshold(clusters):
    c = swarm(clusters, 3)
    c[3].set_clock(3)
    c.found(1, "CLOCK_OFFSET", "n3")
    for name in ("clock-error", "clock-warning", "clock-info"):
        c.essaim(2, "cluster", "set", name, "30s")
    c.over(1, "CLOCK_OFFSET")


@case("every offset that is told holds the true one within its bound")
def clock_bounds(clusters):
    c = swarm(clusters, 3)
    truth = {1: 0.0, 2: 0.120, 3: -7.5}
    for i, offset in truth.items():
        c[i].set_clock(offset)
    pairs = [(i, j) for i in truth for j in truth if i != j]

    def settled():  # each has probed each since its clock was set: no one can tell of a step it has not met
        seen = [(c[i].ask("node show", {"name": f"n{j}"})["clock"], truth[j] - truth[i]) for i, j in pairs]
        return all(clock and abs(clock["offset_ms"] - 1000 * true) < 50 for clock, true in seen)
    wait_for(settled, "all have seen all offsets", 60, 0.5)
    for _ in range(60):
        for i, j in pairs:
            clock = c[i].ask("node show", {"name": f"n{j}"})["clock"]
            true = 1000 * (truth[j] - truth[i])
            expect(clock and abs(clock["offset_ms"] - true) <= clock["error_ms"] + 1,
                   f"n{i} says n{j} is {clock}, in truth {true} ms")
        time.sleep(0.1)


@case("of two clocks the one that is kept is believed, else it is one of the two")
def clock_two(clusters):
    c = swarm(clusters, 2)
    c[2].set_clock(10)
    c.found(1, "CLOCK_DISAGREE")
    c[2].set_clock(10, kept=False)
    c.found(1, "NTP_UNSYNCED", "n2")
    for i in (1, 2):
        c.found(i, "CLOCK_OFFSET", "n2")


@case("a name server that dies, that is slow and that lies is found as what it is", lasts=65)
def dns(clusters):
    c = swarm(clusters, 2)
    c.dns.say({"n1": c.network.ip(1), "n2": AWAY})
    c.found(1, "NAME_MISMATCH", "n2", says=(AWAY,))
    c.dns.say({"n1": c.network.ip(1)})
    c.found(1, "NAME_UNKNOWN", "n2")
    c.dns.say({"n1": c.network.ip(1), "n2": c.network.ip(2)})
    c.over(1, "NAME_MISMATCH")
    c.over(1, "NAME_UNKNOWN")
    c.dns.slow(1.4)
    c.found(1, "DNS_SLOW", says=(DNS,))
    c.found(1, "DNS_SLOW_PTR")
    c.dns.stop()
    f = c.found(2, "DNS_SERVER_DEAD", "n2", says=(DNS,))
    expect(f["severity"] == "error" and "dig @" + DNS in f["command"], f)
    c.dns.say({"n1": c.network.ip(1), "n2": c.network.ip(2)})
    c.over(2, "DNS_SERVER_DEAD")
    calm(c)


@case("a resolver that keeps programs waiting is found, and nothing else waits for it", lasts=20)
def resolver(clusters):
    c = swarm(clusters, 2)
    c[1].set_resolv(AWAY, DNS, options="timeout:8 attempts:2")
    c.found(2, "RESOLVER_STUCK", "n1")
    c.found(2, "DNS_SERVER_DEAD", "n1", says=(AWAY,))
    c[1].set_resolv(DNS)
    c.over(2, "RESOLVER_STUCK")
    calm(c)


@case("hosts of one name, a lost voter and a lost quorum are found")
def hosts(clusters):
    made = Swarm(3)
    clusters.append(made)
    made[3].uname = "n2"
    c = made.start().form()
    c.found(1, "NAME_TWICE", says=("n2",))
    c[3].kill()
    c.found(1, "VOTER_LOST", "n3")
    c.found(1, "UNREACHABLE", "n3")
    expect("n3" in c[1].ask("doctor examine")["silent"], "n3 is named as silent")
    c[2].kill()
    c.found(1, "NO_QUORUM", says=("1 of 3",))
    c.refused(1, "doctor", says=("NO_QUORUM", "essaim"))


@case("a full disk and a daemon that was held up are found", lasts=65)
def disks(clusters):
    made = Swarm(2)
    clusters.append(made)
    os.makedirs(made[2].data)
    lab.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", made[2].data)
    try:
        c = made.start().form()
        with open(os.path.join(c[2].data, "ballast"), "wb") as out:
            try:
                while True:
                    out.write(b"x" * 65536)
                    out.flush()
            except OSError:
                pass
        c.found(1, "DISK_FULL", "n2")
        os.remove(os.path.join(c[2].data, "ballast"))
        c.over(1, "DISK_FULL")
        for _ in range(3):
            c[2].stop()
            time.sleep(1.5)
            c[2].cont()
            time.sleep(0.5)
        c.found(1, "HOST_LOADED", "n2")
    finally:
        for node in made:
            if node.running():
                node.terminate()
        lab.run("umount", made[2].data)


@case("`doctor` filters by area, node and code, and explains every code")
def filters(clusters):
    c = swarm(clusters, 2)
    c[2].set_clock(0, kept=False)
    c.found(1, "NTP_UNSYNCED", "n2")
    c.found(1, "VOTERS_TWO")
    expect(c.codes(1, area="clock") == {"NTP_UNSYNCED"}, c.codes(1, area="clock"))
    expect(c.codes(1, node="n2", ignore=["VOTERS_TWO"]) == {"NTP_UNSYNCED"}, c.codes(1, node="n2"))
    expect("NTP_UNSYNCED" not in c.codes(1, ignore=["NTP_UNSYNCED"]), "it was to be ignored")
    text = c.essaim(1, "doctor", "explain", "NTP_UNSYNCED", as_json=False)
    expect("drifts" in text, text)
    c.refused(1, "doctor", "--ignore", "NO_SUCH_CODE", code=2, says=("NO_SUCH_CODE",))
    c.refused(1, "doctor", "weather", code=2, says=("clock",))


@case("dns: servers that a changed resolv.conf names are judged within moments, and the old ones' verdicts are gone")
def servers_changed(clusters):
    c = swarm(clusters, 2)
    servers = lambda viewer: {r["server"] for r in c[viewer].ask("dns show")["servers"] if r["node"] == "n1"} - {"system"}
    dead = [AWAY, "10.87.0.98"]
    verdicts = {"NAME_UNKNOWN", "NAME_MISMATCH", "NAME_TWICE", "UNREACHABLE", "VOTER_LOST"}
    wait_for(lambda: servers(2) == {DNS}, "n2 knows n1's server", FOUND_S)
    c[1].set_resolv(*dead)
    wait_for(lambda: servers(2) == set(dead), "n2 knows that n1 asks others", FOUND_S)
    for server in dead:
        f = c.found(2, "DNS_SERVER_DEAD", "n1", says=(server,))
        expect(f["severity"] == "error", f)
    expect(not c.codes(2) & verdicts, f"what no server said is nobody's name: {c.findings(2)}")
    c[1].set_resolv(DNS)
    wait_for(lambda: servers(2) == {DNS}, "n2 knows that n1 asks the first again", FOUND_S)
    c.over(2, "DNS_SERVER_DEAD", "n1")
    expect(not c.codes(2) & verdicts, c.findings(2))
    c[1].set_resolv()
    wait_for(lambda: servers(2) == set(), "n2 knows that n1 has none", FOUND_S)
    c.over(2, "DNS_SERVER_DEAD", "n1")
    calm(c)


@case("dns: the servers that a removed resolv.conf named are judged no more", lasts=27)
def servers_gone(clusters):
    c = swarm(clusters, 2)
    c[1].kill()
    c[1].take_own_etc()
    c[1].process = c[1].spawn()
    servers = lambda: {r["server"] for r in c[2].ask("dns show")["servers"] if r["node"] == "n1"} - {"system"}
    c[1].set_resolv(AWAY)
    wait_for(lambda: servers() == {AWAY}, "n2 knows n1's server", FOUND_S)
    c.found(2, "DNS_SERVER_DEAD", "n1", says=(AWAY,))
    os.remove(c[1].resolv)
    wait_for(lambda: servers() == set(), "n2 knows that n1 asks nobody", FOUND_S)
    c.over(2, "DNS_SERVER_DEAD", "n1")

