"""volumes.py: what looking at 200 volumes costs, how soon all know of a change, how long a list takes; what
an operation adds to the tool that it runs.

Volume groups of real LVM on loop devices (metadata only). One is the first node's own, where things
change; the other forty-nine look at a second one, so that fifty machines with 200 volumes each are there
without fifty disks, and a change is looked at by one of them only.
"""
import os
import subprocess
import tempfile
import time

from crowd import Crowd, daemon
from probe import rss_mb
from report import figure, talk

NODES, VOLUMES, LVM = 50, 200, "/sbin/lvm"
EXTENT = 4194304


class Group:
    """A volume group of ours on a loop device, and an LVM configuration that sees no other."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="essaim-lvm-", dir="/dev/shm")
        image = os.path.join(self.folder, "disk")
        subprocess.run(["truncate", "-s", "4G", image], check=True)
        self.device = subprocess.run(["losetup", "--find", "--show", image], check=True, text=True,
                                     capture_output=True).stdout.strip()
        with open(os.path.join(self.folder, "lvm.conf"), "w") as out:
            out.write(f'devices {{ filter=["a|^{self.device}$|","r|.*|"] obtain_device_list_from_udev=0 '
                      "use_devicesfile=0 }\nactivation { udev_sync=0 udev_rules=0 monitoring=0 }\n"
                      "global { activation=0 }\n")
        self.lvm("pvcreate", self.device)
        self.lvm("vgcreate", "vg", self.device)
        for i in range(VOLUMES):
            self.lvm("lvcreate", "-y", "-an", "-Zn", "-l", "2", "-n", f"vm-{i}-disk", "vg")
        return self

    def __exit__(self, *why):
        subprocess.run(["losetup", "--detach", self.device])
        subprocess.run(["rm", "-rf", self.folder])

    def lvm(self, *words):
        subprocess.run([LVM, *words], check=True, capture_output=True, timeout=60,
                       env=os.environ | {"LVM_SYSTEM_DIR": self.folder})

    def seen_by(self, crowd, peers):
        for peer in peers:
            peer.before = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                           'mount --bind "$1" /etc/lvm; shift; exec "$@"', "sh", self.folder, daemon.HAND, "--"]
        crowd.spawn(peers)


def with_children_s(pid):
    """CPU time of a process and of its children that have ended."""
    with open(f"/proc/{pid}/stat") as stat:
        ticks = stat.read().rsplit(")", 1)[1].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def spent_s(peer):
    """The daemon's, and its hand's with all tools that it ran."""
    return with_children_s(peer.pid) + with_children_s(peer.process.pid)


def wait(truth, limit=120, step=0.005):
    until = time.monotonic() + limit
    while not truth():
        if time.monotonic() > until:
            return None
        time.sleep(step)
    return time.monotonic()


def timed(peer, verb):
    start = time.monotonic()
    answer = peer.ask(verb, timeout=30)
    return (time.monotonic() - start) * 1000, answer


def free_of(peer, node):
    groups = peer.ask("storage list", {"node": node})["storages"]
    return groups[0]["free"] if groups else None


def spread(crowd, group):
    """From when the node itself shows the change until the last of the others does."""
    first = crowd.first
    before = free_of(first, first.name)
    group.lvm("lvextend", "-l", "+1", "vg/vm-7-disk")
    seen = wait(lambda: free_of(first, first.name) != before, step=0.002)
    waiting = list(crowd.peers[1:])
    while waiting and seen and time.monotonic() - seen < 30:
        waiting = [p for p in waiting if free_of(p, first.name) == before]
    return None if waiting or not seen else time.monotonic() - seen


def inventory():
    if not os.path.exists(LVM):
        raise RuntimeError("lvm2 is not installed: tools/install-deps")
    with Group() as group, Group() as others, Crowd(NODES, observes=True) as crowd:
        group.seen_by(crowd, crowd.peers[:1])
        others.seen_by(crowd, crowd.peers[1:])
        crowd.wait_answers()
        crowd.join_all(crowd.found())
        crowd.wait_all(NODES)
        whole = wait(lambda: len(crowd.first.ask("volume list", timeout=30)["volumes"]) == NODES * VOLUMES, step=0.5)
        talk(f"{NODES} nodes, {VOLUMES} volumes each: {'all known' if whole else 'not all known'}")
        lists = [timed(crowd.first, "storage list")[0] for _ in range(21)]
        figure("inventory", NODES, "default", "storage list, ms", lists, 100, 1)
        figure("inventory", NODES, "default", f"volume list of {NODES * VOLUMES}, ms",
               [timed(crowd.first, "volume list")[0] for _ in range(11)], None, 1)
        figure("inventory", NODES, "default", "a change seen by all after its node saw it, s",
               [spread(crowd, group) for _ in range(3)], 1.0, 3)
        time.sleep(90)  # nothing changes: each looks every 30 s
        start, before = time.monotonic(), [spent_s(p) for p in crowd.peers]
        time.sleep(60)
        lasted = time.monotonic() - start
        spent = [(spent_s(p) - b) * 1000 / lasted for p, b in zip(crowd.peers, before)]
        figure("inventory", NODES, "default", "CPU of a daemon, its hand and its tools, nothing changing, ms/s", spent, None, 2)
        figure("inventory", NODES, "default", "RSS of a daemon, MB", crowd.rss_mb(), None, 1)
        figure("inventory", NODES, "default", "RSS of a hand, MB", [rss_mb(p.process.pid) for p in crowd.peers], 3, 2)


# ---- what an operation adds to the tool ----

TRIALS = 41


def created(peer, name):
    """Seconds from the request until its end is told."""
    start = time.monotonic()
    asked = {"noun": "volume", "verb": "create", "arguments": {"volume": f"fast/{name}", "size": "8M", "inactive": "yes"}}
    number = peer.ask("op start", asked, timeout=30)["operation"]
    end = [frame for frame in daemon.frames(peer.socket, "op wait", {"operation": number}, 30) if "code" in frame][-1]
    lasted = time.monotonic() - start
    if end["result"]["result"] != "done":
        raise RuntimeError(f"volume create: {end}")
    return lasted


def made_plainly(group, name):
    """The bare tool, spawned as cheaply as can be."""
    words = ["lvm", "lvcreate", "--yes", "-an", "-Zn", "-L", "8388608b", "-n", name, "vg"]
    null = os.open(os.devnull, os.O_RDWR)
    start = time.monotonic()
    child = os.posix_spawn(LVM, words, {"LVM_SYSTEM_DIR": group.folder, "LVM_SUPPRESS_FD_WARNINGS": "1"},
                           file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    _, status = os.waitpid(child, 0)
    lasted = time.monotonic() - start
    os.close(null)
    if status != 0:
        raise RuntimeError(f"lvcreate of {name} ended with {status}")
    return lasted


def volumes():
    if not os.path.exists(LVM):
        raise RuntimeError("lvm2 is not installed: tools/install-deps")
    with Group() as group, Crowd(1, observes=True) as crowd:
        first = crowd.first
        group.seen_by(crowd, crowd.peers)
        crowd.wait_answers()
        crowd.found()
        wait(lambda: first.status().get("level") == 3)
        added = first.ask("op start", {"noun": "storage", "verb": "add", "arguments": {"name": "fast", "type": "lvm", "vg": "vg"}})
        list(daemon.frames(first.socket, "op wait", {"operation": added["operation"]}, 30))
        plain, ours = [], []
        for i in range(TRIALS):  # in turns: what the machine does besides befalls both
            plain.append(made_plainly(group, f"plain-{i}") * 1000)
            ours.append(created(first, f"ours-{i}") * 1000)
        figure("volumes", 1, "default", "plain lvcreate, ms", plain, None, 1)
        figure("volumes", 1, "default", "volume create, ms", ours, None, 1)
        figure("volumes", 1, "default", "what an operation adds to it, ms", [a - b for a, b in zip(ours, plain)], 20, 1)
