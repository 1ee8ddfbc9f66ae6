"""What a disk can do to a voter: stall, fill up, lie, be shared."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time

import lab
from case import case
from cluster import expect, new, wait_for
from daemon import Refused

HERE = os.path.dirname(os.path.abspath(__file__))


class FrozenDisk:
    """An ext4 image, loop-mounted on the data folder; freezing blocks every write and sync.

    A frozen file system cannot even be left by SIGKILL, so a timer thaws it whatever happens.
    """

    def __init__(self, node):
        self.folder, self.image = node.data, tempfile.mktemp(suffix=".img", dir=os.path.dirname(node.data))
        os.makedirs(self.folder, exist_ok=True)
        lab.run("truncate", "-s", "64M", self.image)
        lab.run("mkfs.ext4", "-q", self.image)
        lab.run("mount", "-o", "loop", self.image, self.folder)
        self.timer, self.environment = None, {}

    def freeze(self):
        lab.run("fsfreeze", "-f", self.folder)
        self.timer = threading.Timer(90, self.thaw)
        self.timer.daemon = True
        self.timer.start()

    def thaw(self):
        self.timer.cancel()
        subprocess.run(["fsfreeze", "-u", self.folder], capture_output=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.folder], capture_output=True)


class StalledSync:
    """Where there are no loop devices: a preloaded shim whose fsync waits while a file exists."""

    def __init__(self, node):
        self.control = node.data + ".stall"
        shim = node.data + ".stall.so"
        lab.run("cc", "-shared", "-fPIC", "-O1", "-o", shim, os.path.join(HERE, "stall_fsync.c"))
        self.environment = {"LD_PRELOAD": shim, "ESSAIM_STALL": self.control,
                            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1"}

    def freeze(self):
        open(self.control, "w").close()

    def thaw(self):
        if os.path.exists(self.control):
            os.unlink(self.control)

    remove = thaw


def slow_disk(node):
    try:
        return FrozenDisk(node)
    except RuntimeError as error:
        print(f"     no loop-mounted ext4 here ({error}): fsync is stalled by a shim instead")
        return StalledSync(node)


def frozen_cluster(clusters, count, which):
    c = new(clusters, count)
    disk = slow_disk(c[which])
    for node in c:
        node.start(disk.environment if node.index == which else None)
    c.form()
    return c, disk


@case("a voter on a frozen file system loses its vote, not its place, and comes back on thaw")
def _(clusters):
    c, disk = frozen_cluster(clusters, 3, 3)
    try:
        if c.master() == 3:
            c[3].ask("master transfer", {"to": None})
            wait_for(lambda: c.master() not in (3, None), "another master")
        disk.freeze()
        wait_for(lambda: c[3].status().get("votes") is False, "the frozen voter says it does not vote", 60)
        time.sleep(5)
        expect(c.state_of(c.master(), 3) == "reachable", "it is still reachable: probes go on")
        c.put(1, "meanwhile", "1")
    finally:
        disk.thaw()
    wait_for(lambda: c[3].status().get("votes") is True, "it votes again after the thaw")
    c.wait_whole()
    wait_for(lambda: c[3].ask("kv get", {"key": "meanwhile", "local": True})["value"] == "1", "it caught up")
    c[3].terminate()
    disk.remove()


@case("a master on a frozen file system loses mastership and another one takes writes")
def _(clusters):
    c, disk = frozen_cluster(clusters, 3, 1)
    try:
        expect(c.master() == 1, "the founder is still master")
        disk.freeze()
        wait_for(lambda: c.agree([2, 3]) and c.agree([2, 3])[0] != "n1", "another master")
        c.put(2, "meanwhile", "1")
        expect(not c[1].status().get("self_master"), "the frozen one does not act")
        expect(c.state_of(2, 1) == "reachable", "it is still reachable")
    finally:
        disk.thaw()
    c.wait_whole()
    c[1].terminate()
    disk.remove()


@case("a voter whose disk is full stops voting and says so")
def _(clusters):
    c = new(clusters, 3)
    os.makedirs(c[3].data)
    lab.run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", c[3].data)
    c.start().form()
    if c.master() == 3:
        c[3].ask("master transfer", {"to": None})
        wait_for(lambda: c.master() not in (3, None), "another master")
    filler = os.path.join(c[3].data, "filler")
    with open(filler, "wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 4096)
        except OSError:
            pass
    for k in range(40):  # SQLite has room in its file for some
        c.put(1, f"k{k}", "x" * 8000)
    wait_for(lambda: c[3].status().get("disk_failed"), "the voter says that its disk failed")
    expect(c[3].status()["votes"] is False, "and does not vote")
    expect(c.state_of(1, 3) == "reachable", "but it is reachable")
    os.unlink(filler)
    wait_for(lambda: c[3].status().get("votes"), "it votes again once there is room")


def sums(folder):
    """Of all but the lock, which names the process that holds it."""
    result = {}
    for root, _, names in os.walk(folder):
        for name in set(names) - {"lock"}:
            with open(os.path.join(root, name), "rb") as data:
                result[name] = hashlib.sha256(data.read()).hexdigest()
    return result


@case("a corrupt store is refused with a reason, and not one byte of it is touched")
def _(clusters):
    c = new(clusters, 1).start().form()
    c.put(1, "k", "v" * 1000)
    c[1].terminate()
    stores = [n for n in os.listdir(c[1].data) if os.path.getsize(os.path.join(c[1].data, n)) > 4096]
    expect(stores, f"a store in {os.listdir(c[1].data)}")
    for name in stores:
        with open(os.path.join(c[1].data, name), "r+b") as store:
            store.seek(100)
            store.write(os.urandom(3000))
    before = sums(c[1].data)
    process = c[1].spawn()
    expect(process.wait(20) not in (0, None), "it refuses to start")
    expect("corrupt" in c[1].tail() or "damaged" in c[1].tail() or "not a database" in c[1].tail(),
           f"it says why: {c[1].tail(3)}")
    after = sums(c[1].data)
    changed = [n for n in after.keys() | before.keys() if after.get(n) != before.get(n)]
    expect(after == before, f"touched {changed}; before: {sorted(before)}, after: {sorted(after)}")


@case("a second daemon on one data folder is refused and the first goes on")
def _(clusters):
    c = new(clusters, 2)
    c[1].start()
    c[2].data = c[1].data
    process = c[2].spawn()
    expect(process.wait(20) not in (0, None), "the second daemon ends with an error")
    expect(c[1].data in c[2].tail(), f"and names the folder: {c[2].tail(3)}")
    c[1].ask("init", {"name": "n1", "profile": "default"})
    expect(c[1].running(), "the first one works")


def alarm_names_both(c, real, copy):
    """In the log, among the events and in `node show` of whoever heard both."""
    def heard():
        return [i for i in (1, 2) if (c[i].ask("node show", {"name": "n3"}).get("clone") or {}).get("address") == copy]
    viewer = wait_for(heard, "node show tells where the copy spoke")[0]
    sentence = f"the key of n3 is alive in two places: {real} and {copy}"
    expect(sentence in c[viewer].tail(400), f"the log names both: {c[viewer].tail(5)}")
    told = c.essaim(viewer, "events", as_json=False)
    expect(told.count(sentence) == 1, f"one event, not more than one in a minute: {told}")


@case("a copy of a data folder started elsewhere is reported as a clone, with both addresses")
def _(clusters):
    c = new(clusters, 4)
    c.start(1, 2, 3)
    text = None
    c[1].ask("init", {"name": "n1", "profile": "default"})
    wait_for(c.master, "a master")
    text = c[1].ask("token create", {"role": "node", "expires_ms": 600000, "uses": 2})["token"]
    c.join(2, 1, text)
    c.join(3, 1, text)
    wait_for(lambda: c.agree([1, 2, 3]), "three agree")
    c[3].terminate()
    shutil.copytree(c[3].data, c[4].data)
    c[3].start()
    wait_for(lambda: c.agree([1, 2, 3]), "the real one is back")
    c[4].process = c[4].spawn()  # the copy: it may be told and stop before it ever answers us
    wait_for(lambda: "rule=OLD_SELF" in c[4].tail() or
             any(n.status().get("dropped", {}).get(reason, 0) > 0 for n in (c[1], c[2])
                 for reason in ("clone", "old_incarnation")), "the copy is told, or dropped and counted")
    expect(c[3].running(), "the real one goes on")
    alarm_names_both(c, c[3].address, c[4].address)
    try:
        c.put(1, "still", "works")
    except Refused as refusal:
        raise AssertionError(f"the cluster does not work any more: {refusal}") from None
