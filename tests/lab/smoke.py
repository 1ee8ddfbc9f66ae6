"""smoke.py: two machines, our daemons, one DRBD pair: that the lab itself is real."""
from case import case
from site_of import drbd_resource, expect, wait_for


def make_backing(site):
    site.both("pvcreate -q /dev/vda && vgcreate -q vg_back /dev/vda && "
              "lvcreate -q -an -Zn -L 32M -n r0 vg_back && vgchange -q -ay vg_back && modprobe drbd")


def make_pair(site):
    """r0 on a and b: both sides' disks equal, a Primary."""
    make_backing(site)
    for machine in site:
        machine.put("/etc/drbd.d/r0.res", drbd_resource())
    site.both("drbdadm create-md --force r0 && drbdadm up r0")
    wait_for(lambda: "Connected" in site["a"].try_("drbdadm cstate r0")[1], "the pair is connected")
    site["a"].sh("drbdadm primary --force r0")
    wait_for(lambda: "UpToDate/UpToDate" in site["a"].try_("drbdadm dstate r0")[1], "the first sync is done")


@case("two machines form a cluster and mirror a device, and see each other's end")
def smoke(new_site):
    site = new_site(count=2).boot()
    make_pair(site)
    site["a"].sh("echo mirrored | dd of=/dev/drbd0 bs=512 conv=notrunc,fsync && drbdadm secondary r0")
    site["b"].sh("drbdadm primary r0")
    expect(site["b"].sh("head -c 8 /dev/drbd0") == "mirrored", "what a wrote is read on b")
    site.form()
    first = site.status("a")["master"]
    other = "b" if first["name"] == "a" else "a"
    expect(site.essaim(other, "kv put lab real")["version"] >= 1, "a write goes through")
    site[first["name"]].power_off()
    wait_for(lambda: any(row["name"] == first["name"] and row["state"] == "unreachable"
                         for row in site.essaim(other, "node list")), "the one left sees that the other is gone")
