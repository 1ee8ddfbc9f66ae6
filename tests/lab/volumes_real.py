"""volumes_real.py: what of the volumes' verbs needs a real device-mapper: activation, snapshots, thin pools, mounts."""
from case import case
from site_of import expect, wait_for


def lvs(machine):
    said = machine.sh("lvs --noheadings --units b --nosuffix --separator , -o lv_name,lv_size,origin,pool_lv vg0")
    rows = [line.strip().split(",") for line in said.splitlines() if line.count(",") == 3]  # not its warnings
    return {name: (int(size), origin, pool) for name, size, origin, pool in rows}


@case("volumes on a real device-mapper: active, extended while in use, snapshots, thin; in use is said by what")
def volumes(new_site):
    site = new_site(count=2).boot()
    a = site["a"]
    a.sh("modprobe dm_snapshot; modprobe dm_thin_pool; pvcreate -q /dev/vda && vgcreate -q vg0 /dev/vda")
    pooled = a.try_("lvcreate -q -y --type thin-pool -L 16M -Zn -n pool vg0")[0] == 0
    site.form()
    wait_for(lambda: site.status("b").get("level") == 3, "the level is 3")
    essaim = lambda words, limit=120: site.essaim("b", words, limit=limit)
    refused = lambda words: str(site.essaim("b", words, limit=120, check=False))
    essaim("storage add fast --type lvm --vg vg0 --nodes a")
    essaim("volume create fast/web 8M")
    expect(a.sh("blockdev --getsize64 /dev/vg0/web").strip() == str(8 << 20), "its device is there")
    a.sh("sleep 300 </dev/vg0/web & echo $! >/run/user.pid")
    for words in ("volume remove fast/web", "volume rename fast/web shop"):
        text = refused(words)
        expect("it is in use" in text, f"{words}: {text}")
    essaim("volume extend fast/web 12M")
    expect(a.sh("blockdev --getsize64 /dev/vg0/web").strip() == str(12 << 20), "it grows while it is used")
    a.sh("kill $(cat /run/user.pid)")
    essaim("volume snapshot fast/web monday --room 4M")
    expect(lvs(a)["monday"][:2] == (4 << 20, "web"), f"the snapshot, with its room: {lvs(a)}")
    text = refused("volume remove fast/web")
    expect("its snapshots would go with it (monday)" in text, text)
    for name in ("monday", "web"):
        essaim(f"volume remove fast/{name}")
    expect("web" not in lvs(a) and "monday" not in lvs(a), "both are gone")
    expect(pooled, "there is a thin pool")
    essaim("storage add thin --type lvm-thin --vg vg0 --pool pool --nodes a")
    essaim("volume create thin/disk 64M")
    essaim("volume snapshot thin/disk before")
    essaim("volume extend thin/disk 80M")
    seen = lvs(a)
    expect(seen["disk"] == (80 << 20, "", "pool") and seen["before"] == (64 << 20, "disk", "pool"), f"{seen}")
    essaim("volume remove thin/disk")
    expect("before" in lvs(a) and "disk" not in lvs(a), "the snapshot stands by itself")
