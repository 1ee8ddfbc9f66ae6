"""What the daemons say of the machine's storage, against the tools' own truth: LVM on loop devices.

There is no device-mapper on a build machine: volumes are made as metadata only, which LVM reports like
any others, but for active and open. The tools are run by the hand, in a mount namespace where /etc/lvm is
ours.
"""
import fcntl
import json
import os
import subprocess

import daemon
from case import case, Skip
from cluster import expect, new, wait_for

LVM = "/sbin/lvm"
SEEN_S = 30


class Disks:
    """Loop devices of our own, and a configuration under which LVM sees no others."""

    def __init__(self, cluster, count, megabytes=64):
        if not os.path.exists(LVM):
            raise Skip("lvm2 is not installed: tools/install-deps")
        self.folder, self.devices, self.images = cluster.folder, [], []
        for i in range(count):
            image = os.path.join(self.folder, f"disk{i}.img")
            subprocess.run(["truncate", "-s", f"{megabytes}M", image], check=True)
            self.images.append(image)
            self.attach(image)
        self.system = os.path.join(self.folder, "lvm")
        os.makedirs(self.system, exist_ok=True)
        self.configure()

    def attach(self, image):
        done = subprocess.run(["losetup", "--find", "--show", image], text=True, capture_output=True)
        if done.returncode != 0:
            self.detach()
            raise Skip(f"no loop device to be had: {done.stderr.strip()}")
        self.devices.append(done.stdout.strip())

    def configure(self):
        accept = ",".join(f'"a|^{d}$|"' for d in self.devices)
        with open(os.path.join(self.system, "lvm.conf"), "w") as out:
            out.write(f'devices {{ filter=[{accept},"r|.*|"] obtain_device_list_from_udev=0 use_devicesfile=0 }}\n'
                      "activation { udev_sync=0 udev_rules=0 monitoring=0 }\nglobal { activation=0 }\n")

    def belong_to(self, node, hand=daemon.HAND):
        """That node's machine has these disks; its daemon is started by a hand."""
        node.observes = True
        node.before = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                       'mount --bind "$1" /etc/lvm; shift; exec "$@"', "sh", self.system, hand, "--"]

    def lvm(self, *words):
        done = subprocess.run([LVM, *words], text=True, capture_output=True, timeout=60,
                              env=os.environ | {"LVM_SYSTEM_DIR": self.system, "LVM_SUPPRESS_FD_WARNINGS": "1", "LC_ALL": "C"})
        expect(done.returncode == 0, f"lvm {' '.join(words)}: {done.stderr}")
        return done.stdout

    def create(self, group, name, extents, tag="t"):
        self.lvm("lvcreate", "-y", "-an", "-Zn", "-l", str(extents), "-n", name, "--addtag", tag, group)

    def report(self, command, fields):
        """The tool's own truth, by another of its commands than the daemon uses."""
        out = self.lvm(command, "--reportformat", "json", "--units", "b", "--nosuffix", "-o", fields)
        return json.loads(out)["report"][0][command[:-1]]

    def found(self, viewer, code):
        """Waits until that node's doctor knows that finding about n1, whose disks these are."""
        wait_for(lambda: any(f["code"] == code and f["about"] == "n1"
                             for f in viewer.ask("doctor examine")["findings"]), f"{viewer.name} knows {code}", SEEN_S)

    def detach(self):
        for device in self.devices:
            subprocess.run(["losetup", "--detach", device], capture_output=True)
        self.devices = []


def truth(disks):
    return sorted((v["vg_name"], v["lv_name"], v["lv_uuid"].replace("-", ""), int(v["lv_size"]), v["lv_tags"])
                  for v in disks.report("lvs", "vg_name,lv_name,lv_uuid,lv_size,lv_tags"))


def said(cluster, viewer, of):
    answer = cluster[viewer].ask("volume list", {"node": cluster[of].name})
    return sorted((v["storage"], v["name"], v["uuid"], v["size"], v["tags"]) for v in answer["volumes"])


def observed(clusters, count, disks, hand=daemon.HAND, environment=None):
    """A cluster whose node 1 has those disks; the others' machines have no storage that is looked at."""
    cluster = new(clusters, count)
    made = Disks(cluster, disks)
    try:
        made.belong_to(cluster[1], hand)
        cluster[1].start(environment)
        cluster.start(*range(2, count + 1))
        cluster.form()
    except BaseException:
        made.detach()
        raise
    return cluster, made


@case("inventory: what any node says of a node's volumes is what that node's own tools say", alone=True)
def volumes_as_the_tools_say(clusters):
    cluster, disks = observed(clusters, 2, 2)
    try:
        disks.lvm("pvcreate", *disks.devices)
        disks.lvm("vgcreate", "vga", *disks.devices)
        for i in range(12):
            disks.create("vga", f"vol{i}", 1 + i % 2, f"tag{i}")
        want = truth(disks)
        expect(len(want) == 12, f"the tool sees 12 volumes, not {len(want)}")
        for viewer in (1, 2):
            wait_for(lambda: said(cluster, viewer, 1) == want, f"n{viewer} knows n1's volumes", SEEN_S)
        groups = lambda: cluster[2].ask("storage list")["storages"]
        free = int(disks.report("vgs", "vg_free")[0]["vg_free"])
        wait_for(lambda: groups() and groups()[0]["free"] == free, "n2 knows the group's room", 5)
        group = groups()[0]
        own = disks.report("vgs", "vg_name,vg_uuid,vg_size,vg_free,vg_extent_size")[0]
        expect((group["name"], group["uuid"], group["size"], group["free"], group["extent"]) ==
               (own["vg_name"], own["vg_uuid"].replace("-", ""), int(own["vg_size"]), int(own["vg_free"]),
                int(own["vg_extent_size"])), f"the group is {own}, not {group}")
        # A change is seen at once, not only when the timer comes round.
        disks.lvm("lvremove", "-y", "vga/vol3")
        disks.lvm("lvextend", "-l", "3", "vga/vol4")
        disks.lvm("lvrename", "vga", "vol5", "other")
        want = truth(disks)
        wait_for(lambda: said(cluster, 2, 1) == want, "n2 knows the change", 5)
        expect("vga/other" in cluster.essaim(2, "volume", "list", as_json=False), "the table shows it")
    finally:
        disks.detach()


@case("inventory: a missing device and a device that is there twice are told of", alone=True)
def missing_and_twice(clusters):
    cluster, disks = observed(clusters, 2, 2)
    try:
        disks.lvm("pvcreate", *disks.devices)
        disks.lvm("vgcreate", "vgb", *disks.devices)
        devices = lambda: {d["path"]: d for d in cluster[2].ask("storage list")["devices"]}
        wait_for(lambda: set(devices()) == set(disks.devices), "both devices are seen", SEEN_S)
        copy = disks.images[0] + ".copy"
        subprocess.run(["cp", disks.images[0], copy], check=True)
        disks.attach(copy)
        disks.configure()
        wait_for(lambda: any(d["duplicate"] for d in devices().values()), "the copy is found", SEEN_S)
        disks.found(cluster[2], "VG_DUPLICATE_PV")
        expect(any(d["other"] in disks.devices for d in devices().values()), "and where it is")
        for device in disks.devices[1:]:
            subprocess.run(["losetup", "--detach", device], check=True)
        wait_for(lambda: any(d["missing"] for d in devices().values()), "one is missing", SEEN_S)
        disks.found(cluster[2], "VG_MISSING_PV")
        expect(cluster[2].ask("storage list")["storages"][0]["missing"] == 1, "the group says so")
    finally:
        disks.detach()


@case("inventory: an LVM command that not even dies is a state with an age, and costs nothing else", lasts=45, alone=True)
def stuck_lvm(clusters):
    withheld = os.path.join(os.path.dirname(daemon.HAND_HELD), f"unkillable.{os.getpid()}")
    cluster, disks = observed(clusters, 3, 1, daemon.HAND_HELD, {"ESSAIM_HAND_UNKILLABLE": withheld})
    try:
        disks.lvm("pvcreate", *disks.devices)
        disks.lvm("vgcreate", "vgc", *disks.devices)
        node = lambda: {n["node"]: n for n in cluster[2].ask("storage list")["nodes"]}.get("n1", {})
        wait_for(lambda: node().get("lvm") == "seen", "n1's LVM is seen", SEEN_S)
        epoch = cluster.essaim(2, "status")["master"]["epoch"]
        # Whoever holds the group's lock makes each report wait, and no blow of the hand lands.
        open(withheld, "w").close()
        lock = open(os.path.join("/run/lock/lvm", "V_vgc"), "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        disks.configure()
        try:
            wait_for(lambda: node().get("lvm") == "stuck" and node()["since"], "n1 says that its LVM is stuck", 90)
            told = cluster.found(2, "LVM_STUCK", "n1", says=("does not answer since",))
            expect(told["severity"] == "error", f"{told}")
            expect("LVM hangs since" in cluster.essaim(2, "storage", "list", as_json=False), "the list says so too")
            expect(cluster[1].status()["hand"]["lvm_stuck_ms"] >= 10000, "the hand tells its age")
            expect(cluster[2].ask("storage list")["storages"][0]["name"] == "vgc", "what was seen last stays")
            expect(cluster.essaim(2, "status")["master"]["epoch"] == epoch, "the master stayed")
            cluster.put(1, "meanwhile", "1")
        finally:
            lock.close()
        wait_for(lambda: node().get("lvm") == "seen", "n1's LVM is seen again", 30)
        cluster.over(2, "LVM_STUCK")
    finally:
        disks.detach()
        if os.path.exists(withheld):
            os.remove(withheld)


@case("inventory: a daemon without a hand looks at nothing and says so", alone=True)
def without_hand(clusters):
    cluster = new(clusters, 2)
    cluster[1].observes = True
    cluster.start().form()
    lvm = lambda i: {n["node"]: n["lvm"] for n in cluster[i].ask("storage list")["nodes"]}
    wait_for(lambda: lvm(2) == {"n1": "blind"}, "n2 knows that n1 is blind", SEEN_S)
    text = " ".join(cluster.essaim(2, "storage", "list", as_json=False).split())
    expect("n1: nobody looks there, its daemon has no hand" in text, text)
    expect(not {"LVM_STUCK", "HAND_GONE"} & cluster.codes(2), "that is no fault")
