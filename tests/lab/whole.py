"""whole.py: a Debian with systemd in a machine: what only a real boot shows of package, units and privileges."""
import glob
import importlib.util
import json
import os
import tempfile

from case import case
from site_of import expect, wait_for

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXPOSURE_MOST = 30  # in tenths, as in tests/package


def package():
    """The bytes of essaim_*.deb, built from this tree as the package suite does."""
    spec = importlib.util.spec_from_file_location("package_run", os.path.join(TESTS, "package", "run.py"))
    suite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite)
    with tempfile.TemporaryDirectory(prefix="essaim-lab-deb-") as folder:
        suite.build(folder)
        with open(glob.glob(os.path.join(folder, "essaim_*.deb"))[0], "rb") as deb:
            return deb.read()


def cluster_of_one(machine):
    machine.put("/root/essaim.deb", package())
    machine.sh("DEBIAN_FRONTEND=noninteractive dpkg -i /root/essaim.deb", limit=300)
    machine.sh("sed -e s/@NAME@/a/ -e s/@LISTEN@/10.9.0.1:7800/ /usr/share/essaim/essaim.conf >/etc/essaim/essaim.conf; "
               "systemctl restart essaimd", limit=120)
    wait_for(lambda: machine.try_("essaim version")[0] == 0, "the daemon of the package answers")
    machine.sh("essaim init a && essaim kv put who a --timeout 30s", limit=60)


def users_of(machine, program):
    """Who runs it, by /proc: the tools of the package have no say in it."""
    return set(machine.sh(f"for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" = {program} ] && "
                          "stat -c %U $p; done; true").split())


def looks_through_the_hand(machine):
    """Within both sandboxes: LVM, DRBD and the kernel's log are read, and a shared folder is marked, as root."""
    ask = lambda: json.loads(machine.sh("essaim --json storage list"))
    wait_for(lambda: ask()["nodes"] and ask()["nodes"][0]["lvm"] == "seen", "its LVM is seen")
    machine.sh("modprobe drbd")
    reader = "/usr/libexec/essaim/essaim-kernel-log"  # begun when DRBD's events have told what there is
    wait_for(lambda: users_of(machine, reader) == {"root"}, "DRBD's events came, and the kernel's log is read")
    machine.sh("mkdir -p /srv/vms && essaim storage add vms --type dir --path /srv/vms --shared --timeout 30s", limit=60)
    wait_for(lambda: [s["state"] for s in ask()["declared"][0]["seen"]] == ["fine"], "the folder is seen, with its marker")
    expect(machine.sh("stat -c %U /srv/vms/.essaim-storage").strip() == "root", "the hand made it")


@case("the package, installed on a real Debian: hand as root, daemon not, hardened, up again after a boot and a kill")
def installed(new_site):
    site = new_site(count=1, whole=True).boot()
    a = site["a"]
    expect(a.sh("cat /proc/1/comm").strip() == "systemd", "the first process is systemd")
    cluster_of_one(a)
    expect(users_of(a, "/usr/sbin/essaimd") == {"essaim"}, f"essaimd runs as {users_of(a, '/usr/sbin/essaimd')}")
    expect(users_of(a, "/usr/libexec/essaim/essaim-hand") == {"root"}, "the hand is root")
    looks_through_the_hand(a)
    for unit in ("essaimd.service", "essaim-hand.service"):
        a.sh(f"systemd-analyze security --threshold={EXPOSURE_MOST} {unit}", limit=120)
    before = a.sh("systemctl show -P MainPID essaimd").strip()
    a.sh(f"kill -KILL {before}")
    wait_for(lambda: a.sh("systemctl show -P MainPID essaimd").strip() not in ("0", before), "systemd starts it again")
    a.sh("sync")
    a.power_off()
    a.power_on()
    a.wait_up()
    wait_for(lambda: a.try_("essaim kv get who --timeout 5s")[1].strip() == "a", "the member is back after the boot", 180)
    order = a.sh("systemctl show -P ActiveEnterTimestampMonotonic essaim-hand.socket essaimd.service").split()
    expect(int(order[0]) <= int(order[1]), f"the hand's socket is there before the daemon: {order}")
