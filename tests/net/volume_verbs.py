"""volume_verbs.py: volumes made, extended, renamed and removed by operations, on real LVM and in real folders.

There is no device-mapper on a build machine: volumes of LVM are metadata only, so they are neither active
nor in use; snapshots and thin pools need the lab. Tools are run by the hand, in a mount namespace where
/etc/lvm is ours.
"""
import os
import signal
import subprocess
import time

import daemon
from case import case
from cluster import expect, new, wait_for
from hand import child_of, with_hand
from inventory import Disks

MIB = 1 << 20


class Folder:
    def __init__(self, path):
        os.makedirs(path)
        self.folder = path


def acting(clusters, count):
    c = new(clusters, count)
    for i in range(1, count + 1):
        with_hand(c, i)
    return c


def form(c):
    c.start().form()
    wait_for(lambda: all(n.status().get("level") == 3 for n in c), "the level is 3")
    return c


def essaim(c, node, *words):
    return c.essaim(node, *words, as_json=False)


def recorded(c, node):
    return {(v["storage"], v["name"], v["node"]): v for v in c[node].ask("volume list")["recorded"]}


# ---- LVM ----

class OnLvm:
    """Two nodes with a hand; the machine of the second has a volume group on a loop device."""

    def __init__(self, clusters):
        self.c = acting(clusters, 2)
        self.disks = Disks(Folder(os.path.join(self.c.folder, "machine2")), 1)
        try:
            self.disks.lvm("pvcreate", *self.disks.devices)
            self.disks.lvm("vgcreate", "vg0", *self.disks.devices)
            node = self.c[2]
            node.observes = True
            node.before = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                           'mount --bind "$1" /etc/lvm; shift; exec "$@"', "sh", self.disks.system, *node.before]
            form(self.c)
            essaim(self.c, 1, "storage", "add", "fast", "--type", "lvm", "--vg", "vg0", "--nodes", "n2")
        except BaseException:
            self.disks.detach()
            raise

    def truth(self):
        return {v["lv_name"]: (int(v["lv_size"]), v["lv_tags"]) for v in self.disks.report("lvs", "lv_name,lv_size,lv_tags")}


@case("volumes: on LVM of another node one is made, extended, renamed and removed; its exact size is remembered")
def on_lvm(clusters):
    at = OnLvm(clusters)
    c = at.c
    try:
        essaim(c, 1, "volume", "create", "fast/web", "10M")
        size, tag = at.truth()["web"]
        expect(size == 12 * MIB and tag.startswith("essaim-"), f"rounded up to extents, with the operation's tag: {at.truth()}")
        wait_for(lambda: ("fast", "web", "n2") in recorded(c, 2), "n2 knows it")
        expect(recorded(c, 1)["fast", "web", "n2"]["size"] == 10 * MIB, "the ledger has the exact size")
        essaim(c, 2, "volume", "extend", "fast/web", "+2M")
        expect(at.truth()["web"][0] == 12 * MIB, "12M were there already")
        essaim(c, 1, "volume", "extend", "fast/web", "20M")
        expect(at.truth()["web"] == (20 * MIB, tag), f"extended: {at.truth()}")
        essaim(c, 1, "volume", "rename", "fast/web", "shop")
        expect(at.truth() == {"shop": (20 * MIB, tag)}, f"renamed: {at.truth()}")
        shown = c.essaim(1, "volume", "show", "fast/shop")
        expect((shown["size"], shown["node"], shown["path"]) == (20 * MIB, "n2", "/dev/vg0/shop"), f"{shown}")
        at.disks.create("vg0", "foreign", 1)
        c.refused(1, "volume", "create", "fast/foreign", "4M", says=["already exists"])
        c.refused(1, "volume", "remove", "fast/foreign", says=["no volume that was made here is called 'fast/foreign'"])
        c.refused(1, "storage", "remove", "fast", says=["the volume 'fast/shop' is recorded on it"])
        at.disks.lvm("lvrename", "vg0", "shop", "elsewhere")
        at.disks.lvm("lvrename", "vg0", "foreign", "shop")
        c.refused(1, "volume", "remove", "fast/shop", says=["renamed by hand: lvrename vg0 elsewhere shop"])
        at.disks.lvm("lvrename", "vg0", "shop", "foreign")
        at.disks.lvm("lvrename", "vg0", "elsewhere", "shop")
        essaim(c, 1, "volume", "remove", "fast/shop")
        expect(set(at.truth()) == {"foreign"}, f"only ours is gone: {at.truth()}")
        expect(recorded(c, 1) == {}, "and forgotten")
    finally:
        at.disks.detach()


@case("volumes: too little room, bad names and sizes, another's node: said clearly, and nothing is left")
def refused_on_lvm(clusters):
    at = OnLvm(clusters)
    c = at.c
    try:
        c.refused(1, "volume", "create", "fast/big", "1G", says=["too little room", "missing"])
        expect(at.truth() == {}, f"nothing was made: {at.truth()}")
        essaim(c, 1, "volume", "create", "fast/web", "8M")
        c.refused(1, "volume", "extend", "fast/web", "2G", says=["too little room", "missing"])
        c.refused(1, "volume", "extend", "fast/web", "4M", says=["nothing is ever shrunk"])
        c.refused(1, "volume", "extend", "fast/web", "8M", says=["already"])
        c.refused(1, "volume", "create", "fast/web", "8M", says=["there is a volume 'fast/web' already"])
        c.refused(1, "volume", "create", "fast/b", "8", says=["is no size"])
        c.refused(1, "volume", "create", "fast/b", "1000B", says=["multiple of 512"])
        c.refused(1, "volume", "create", "fast/snapshot1", "8M", says=["LVM keeps"])
        c.refused(1, "volume", "create", "fast/-b", "8M", says=["is no name"])
        c.refused(1, "volume", "create", "web", "8M", says=["STORAGE/NAME"])
        c.refused(1, "volume", "create", "fats/b", "8M", says=["did you mean 'fast'"])
        c.refused(1, "volume", "create", "fast/b", "8M", "--node", "n1", says=["is not on 'n1'"])
        c.refused(1, "volume", "remove", "fast/wbe", says=["did you mean 'fast/web'"])
        c.refused(1, "volume", "show", "fast/wbe", says=["called 'fast/wbe'"])
        expect(set(at.truth()) == {"web"} and at.truth()["web"][0] == 8 * MIB, f"{at.truth()}")
        at.disks.create("vg0", "foreign", 10)
        seen = lambda: any(v["name"] == "foreign" for v in c[1].ask("volume list")["volumes"])
        wait_for(seen, "n1 knows what n2 has", 30)

        def named():  # by n2's last look, which may have met lvcreate in the middle of its work: the next one is right
            text = c.refused(1, "volume", "create", "fast/big", "32M", says=["20971520 are missing", "vgextend vg0"])
            expect("fast/big" not in str(recorded(c, 1)) and set(at.truth()) == {"web", "foreign"}, text)
            return "the largest volume there, /dev/vg0/foreign" in text
        wait_for(named, "the refusal names the volume that could give the room", 30)
        at.disks.lvm("lvremove", "-y", "vg0/foreign")
        both = [subprocess.Popen([daemon.ESSAIM, "--socket", c[i].socket, "volume", "extend", "fast/web", f"{8 + 4 * i}M"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env=daemon.SANITIZED) for i in (1, 2)]
        said = [one.communicate(timeout=60)[0] for one in both]
        done = [8 + 4 * i for i, one in zip((1, 2), both) if one.returncode == 0]
        expect(done and at.truth()["web"][0] == max(done) * MIB, f"at once: {said}, {at.truth()}")
    finally:
        at.disks.detach()


# ---- folders ----

def in_folder(clusters):
    """Two nodes with a hand, and a folder that is declared on the second."""
    c = form(acting(clusters, 2))
    folder = os.path.join(c.folder, "vms")
    os.makedirs(folder)
    essaim(c, 1, "storage", "add", "vms", "--type", "dir", "--path", folder, "--nodes", "n2")
    return c, folder


@case("volumes: in a folder of another node one is made, extended, copied, renamed and removed, but not while it is used")
def in_a_folder(clusters):
    c, folder = in_folder(clusters)
    path = lambda name: os.path.join(folder, f"{name}.raw")
    files = lambda: sorted(os.listdir(folder))
    essaim(c, 1, "volume", "create", "vms/web", "3M")
    expect(os.path.getsize(path("web")) == 3 * MIB and os.stat(path("web")).st_blocks * 512 >= 3 * MIB, "whole, with its room")
    essaim(c, 1, "volume", "create", "vms/thin", "1G", "--sparse")
    expect(os.path.getsize(path("thin")) == 1024 * MIB and os.stat(path("thin")).st_blocks == 0, "a file with a hole")
    essaim(c, 2, "volume", "extend", "vms/web", "+1M")
    expect(os.path.getsize(path("web")) == 4 * MIB, "extended")
    with open(path("web"), "r+b") as out:
        out.write(b"essaim")
    essaim(c, 1, "volume", "snapshot", "vms/web", "monday")
    with open(path("monday"), "rb") as copy:
        expect(copy.read(6) == b"essaim", "the copy holds what was there")
    expect(c.essaim(1, "volume", "show", "vms/monday")["origin"] == "web", "and is known as such")
    with open(path("web"), "rb"):
        for words in (("remove", "vms/web"), ("rename", "vms/web", "shop")):
            c.refused(1, "volume", *words, says=["in use", "fuser -v"])
    expect(files() == ["monday.raw", "thin.raw", "web.raw"], f"nothing is left of what was refused: {files()}")
    c.refused(1, "volume", "create", "vms/huge", "900P", says=["missing"])
    c.refused(1, "volume", "create", "vms/web", "1M", "--node", "n2", says=["there is a volume 'vms/web' already"])
    open(path("foreign"), "w").close()
    c.refused(1, "volume", "rename", "vms/web", "foreign", says=["is there already"])
    essaim(c, 1, "volume", "rename", "vms/web", "shop")
    for name in ("shop", "monday", "thin"):
        essaim(c, 1, "volume", "remove", f"vms/{name}")
    expect(files() == ["foreign.raw"] and recorded(c, 1) == {}, f"gone and forgotten: {files()}")


@case("volumes: a daemon that is killed in the middle of making one: it is there once, or nothing of it is")
def killed_in_the_middle(clusters):
    c, folder = in_folder(clusters)
    for i, wait_s in enumerate((0.0, 0.02, 0.05, 0.1)):
        number = c.essaim(1, "volume", "create", f"vms/v{i}", "64M", "--detach", as_json=False).strip()
        time.sleep(wait_s)
        os.kill(child_of(c[2].process.pid), signal.SIGKILL)
        c[2].process.wait(20)
        c[2].start()
        wait_for(lambda: c.essaim(1, "op", "show", number)["state"] in ("done", "undone", "failed"), f"{number} ends", 60)
        state = c.essaim(1, "op", "show", number)["state"]
        there = f"v{i}.raw" in os.listdir(folder)
        expect(there == (state == "done") == (("vms", f"v{i}", "n2") in recorded(c, 1)), f"{state}: {os.listdir(folder)}")
        expect(not any(name.startswith(".essaim-") for name in os.listdir(folder)), "nothing is left half")
