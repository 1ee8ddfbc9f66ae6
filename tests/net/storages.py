"""storages.py: what is declared once for all nodes, beside what each of them has; LVM on loop devices.

Each machine has a mount namespace of its own, in which a folder is bound (or not) to what is shared.
"""
import os
import subprocess

import daemon
from case import case, Skip
from cluster import expect, new, wait_for
from inventory import Disks

SEEN_S = 40


class Folder:
    def __init__(self, path):
        os.makedirs(path)
        self.folder = path


class Declared:
    """Three nodes; the machines of the first two have a volume group of one name, but not the same one."""

    def __init__(self, clusters):
        self.c = new(clusters, 3)
        self.disks = [Disks(Folder(os.path.join(self.c.folder, f"machine{i}")), 1) for i in (1, 2)]
        try:
            for disks in self.disks:
                disks.lvm("pvcreate", *disks.devices)
                disks.lvm("vgcreate", "vg0", *disks.devices)
            for i in (1, 2):
                self.disks[i - 1].belong_to(self.c[i])
                self.c[i].start()
            self.c.start(3).form()
            wait_for(lambda: all(n.status().get("level") == 3 for n in self.c), "the level is 3")
        except BaseException:
            self.detach()
            raise

    def detach(self):
        for disks in self.disks:
            disks.detach()

    def add(self, node, name, *words):
        self.c.essaim(node, "storage", "add", name, *words, as_json=False)

    def states(self, viewer, name):
        """{node: state}; None if it is not declared."""
        for storage in self.c[viewer].ask("storage list")["declared"]:
            if storage["name"] == name:
                return {seen["node"]: seen["state"] for seen in storage["seen"]}
        return None

    def found(self, viewer, code, name):
        """Waits until that node's doctor knows that finding about that storage."""
        knows = lambda: any(f["code"] == code and name in f["what"] for f in viewer.ask("doctor examine")["findings"])
        wait_for(knows, f"{viewer.name} knows {code} of {name}", SEEN_S)

    def over(self, viewer, code):
        wait_for(lambda: all(f["code"] != code for f in viewer.ask("doctor examine")["findings"]),
                 f"{code} is over", SEEN_S)


@case("storages: what is declared stands beside what each node has, and what is not the same is found")
def declared_and_seen(clusters):
    d = Declared(clusters)
    c = d.c
    try:
        d.add(1, "fast", "--type", "lvm", "--vg", "vg0", "--nodes", "n1,n2")
        wait_for(lambda: d.states(3, "fast") == {"n1": "fine", "n2": "fine"}, "each has its own", SEEN_S)
        d.add(2, "gone", "--type", "lvm-thin", "--vg", "vg0", "--pool", "thin", "--nodes", "n2")
        wait_for(lambda: d.states(1, "gone") == {"n2": "missing"}, "there is no such pool", SEEN_S)
        d.found(c[3], "STORAGE_MISSING", "gone")
        why = c.essaim(3, "storage", "show", "gone")["seen"][0]["why"]
        expect(why == "'vg0' has no thin pool 'thin'", f"and it is said why: {why}")
        c.essaim(3, "storage", "set", "fast", "--shared", "yes", as_json=False)
        wait_for(lambda: sorted((d.states(3, "fast") or {}).values()) == ["fine", "not the same"],
                 "two groups of one name are not one", SEEN_S)
        d.found(c[3], "STORAGE_NOT_SAME", "fast")
        c.essaim(1, "storage", "set", "fast", "--shared", "no", as_json=False)
        d.over(c[3], "STORAGE_NOT_SAME")
        c.essaim(1, "storage", "remove", "gone", as_json=False)
        d.over(c[3], "STORAGE_MISSING")
        wait_for(lambda: d.states(2, "gone") is None, "it is forgotten")
    finally:
        d.detach()


@case("storages: declared twice at once, of unknown names or for a node that is away: said clearly, nothing lost")
def declared_badly(clusters):
    c = new(clusters, 3)
    c.start().form()
    wait_for(lambda: all(n.status().get("level") == 3 for n in c), "the level is 3")
    both = [subprocess.Popen([daemon.ESSAIM, "--socket", c[i].socket, "storage", "add", "iso", "--type", "dir", "--path",
                              f"/srv/iso{i}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, env=daemon.SANITIZED) for i in (1, 2)]
    said = [one.communicate(timeout=60)[0] for one in both]
    expect(sorted(one.returncode for one in both) == [0, 1], f"one of the two is done: {said}")
    declared = lambda i: {s["name"]: s for s in c[i].ask("storage list")["declared"]}
    wait_for(lambda: all(set(declared(i)) == {"iso"} for i in (1, 2, 3)), "there is one")
    winner = 1 if both[0].returncode == 0 else 2
    expect(declared(3)["iso"]["path"] == f"/srv/iso{winner}", "and it is that of who was told so")
    c.refused(1, "storage", "add", "fast", "--type", "lvm", "--vg", "vg0", "--nodes", "n1,n33", says=["did you mean 'n3'"])
    c.refused(2, "storage", "remove", "iso2", says=["did you mean 'iso'"])
    c.refused(2, "storage", "show", "isso", says=["did you mean 'iso'"])
    c.refused(2, "storage", "add", "b", "--type", "nfs", "--path", "/srv/b", says=["--source SERVER:/EXPORT"])
    c[3].kill()
    wait_for(lambda: c.state_of(1, 3) == "unreachable", "n3 is away", 60)
    c.essaim(1, "storage", "add", "far", "--type", "lvm", "--vg", "vg0", "--nodes", "n3", as_json=False)
    c.refused(1, "storage", "add", "marked", "--type", "dir", "--path", "/srv/m", "--shared", "--nodes", "n3",
              says=["none of the nodes of 'marked' answers"])
    c[3].start()
    wait_for(lambda: set(declared(3)) == {"iso", "far"}, "n3 learns of it when it is back", 60)


class Machines:
    """Three nodes with a hand; what is mounted at `path` is each machine's own."""

    def __init__(self, clusters, hand=daemon.HAND, environment=None):
        self.c = new(clusters, 3)
        self.path, self.nas, self.other = (os.path.join(self.c.folder, name) for name in ("vms", "nas", "other"))
        for folder in (self.path, self.nas, self.other):
            os.mkdir(folder)
        for node in self.c:
            node.observes = True
            node.before = ["unshare", "-m", "--propagation", "private", hand, "--"]
            node.start(environment)
        self.c.form()
        wait_for(lambda: all(n.status().get("level") == 3 for n in self.c), "the level is 3")

    def within(self, i, *words):
        subprocess.run(["nsenter", f"--mount=/proc/{self.c[i].process.pid}/ns/mnt", *words], check=True, timeout=30)

    def mount(self, i, folder):
        self.within(i, "mount", "--bind", folder, self.path)

    def unmount(self, i):
        self.within(i, "umount", self.path)

    def states(self, viewer, name="vms"):
        for storage in self.c[viewer].ask("storage list")["declared"]:
            if storage["name"] == name:
                return {seen["node"]: seen["state"] for seen in storage["seen"]}
        return None

    def become(self, viewer, what):
        wait_for(lambda: self.states(viewer) == what, f"n{viewer} sees {what}", SEEN_S)


@case("storages: a shared folder is proven by its marker on each node, and one that is not mounted is found", lasts=50)
def shared_folder(clusters):
    m = Machines(clusters)
    c = m.c
    for i in (1, 2):
        m.mount(i, m.nas)
    c.essaim(1, "storage", "add", "vms", "--type", "dir", "--path", m.path, "--shared", as_json=False)
    m.become(3, {"n1": "fine", "n2": "fine", "n3": "not mounted"})
    with open(os.path.join(m.nas, ".essaim-storage")) as marker:
        expect(marker.read().strip() == c[2].ask("storage list")["declared"][0]["id"], "the marker holds its id")
    c.found(2, "STORAGE_NOT_MOUNTED", "n3", says=("vms",))
    why = {s["node"]: s["why"] for s in c.essaim(2, "storage", "show", "vms")["seen"]}
    expect("nothing is mounted on" in why["n3"] and why["n1"] == "", f"{why}")
    m.mount(3, m.nas)
    c.over(2, "STORAGE_NOT_MOUNTED")
    m.unmount(2)
    m.mount(2, m.other)  # something is there, but not the same
    m.become(1, {"n1": "fine", "n2": "not the same", "n3": "fine"})
    c.found(3, "STORAGE_NOT_SAME", "n2")
    m.unmount(2)
    os.rename(m.path, m.path + ".away")
    m.become(1, {"n1": "missing", "n2": "missing", "n3": "missing"})
    os.rename(m.path + ".away", m.path)
    m.become(1, {"n1": "fine", "n2": "not mounted", "n3": "fine"})
    c.essaim(1, "storage", "remove", "vms", as_json=False)
    c.refused(1, "storage", "add", "again", "--type", "dir", "--path", m.path, "--shared", "--nodes", "n1,n3", says=["--adopt"])
    c.essaim(3, "storage", "add", "again", "--type", "dir", "--path", m.path, "--shared", "--nodes", "n1,n3", "--adopt",
             as_json=False)
    wait_for(lambda: m.states(2, "again") == {"n1": "fine", "n3": "fine"}, "it is taken over", SEEN_S)


@case("storages: a folder whose file system hangs is found, and nothing else waits for it", lasts=40, alone=True)
def hanging_folder(clusters):
    m = Machines(clusters)
    c, image = m.c, os.path.join(m.c.folder, "disk")
    subprocess.run(["truncate", "-s", "32M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    try:
        m.within(2, "mount", "-o", "loop", image, m.path)
    except subprocess.CalledProcessError:
        raise Skip("no ext4 can be mounted from a loop device here") from None
    frozen = False
    try:
        c.essaim(1, "storage", "add", "vms", "--type", "dir", "--path", m.path, "--nodes", "n1,n2", as_json=False)
        m.become(3, {"n1": "fine", "n2": "fine"})
        m.within(2, "fsfreeze", "-f", m.path)
        frozen = True
        c.found(3, "STORAGE_STALE", "n2", says=("vms",))
        m.become(3, {"n1": "fine", "n2": "hangs"})
        c.put(2, "meanwhile", "1")
        expect(c.state_of(1, 2) == "reachable", "n2 is there")
        m.within(2, "fsfreeze", "-u", m.path)
        frozen = False
        m.become(3, {"n1": "fine", "n2": "fine"})
        c.over(3, "STORAGE_STALE")
    finally:
        if frozen:
            m.within(2, "fsfreeze", "-u", m.path)
        c[2].terminate()
