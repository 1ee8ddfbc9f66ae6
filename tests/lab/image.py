"""image.py: kernel and root of the lab's machines, made of Debian packages and kept in a cache.

    packages --debootstrap--> tree --what is needed--> base.cpio   (cached: made once for these versions)
    our build, agent, init --> ours.cpio                           (made for each run)

Both archives go to the kernel as one initrd, so a machine has no disk but those a test gives it.
The cache is $ESSAIM_LAB_CACHE, else ~/.cache/essaim-lab; it can be removed at any time.
"""
import glob
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
KERNEL = "linux-image-cloud-amd64"
PACKAGES = ("lvm2", "thin-provisioning-tools", "drbd-utils", "kpartx", "iproute2", "nftables", "kmod", "udev",
            "fdisk", "xfsprogs", "e2fsprogs", "nfs-common")
PROGRAMS = ("/sbin/lvm", "/sbin/dmsetup", "/sbin/kpartx", "/sbin/thin_check", "/usr/sbin/thin_check",
            "/usr/sbin/drbdadm", "/usr/sbin/drbdsetup", "/usr/sbin/drbdmeta", "/lib/drbd/drbdadm-84",
            "/lib/drbd/drbdsetup-84", "/sbin/blkid", "/sbin/sfdisk", "/usr/sbin/nft", "/bin/ip",
            "/sbin/mkfs.ext4", "/sbin/resize2fs", "/sbin/e2fsck", "/sbin/mkfs.xfs", "/bin/findmnt", "/sbin/losetup")
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "dm-mod", "dm-snapshot", "dm-thin-pool",
           "dm-mirror", "loop", "drbd", "nf_tables", "ext4", "xfs")
# A whole Debian, for what only systemd and dpkg can show: what it has beside the packages above.
WHOLE = ("systemd", "systemd-sysv", "dbus", "libevent-core-2.1-7", "libevent-extra-2.1-7", "libsodium23",
         "libprotobuf-c1", "libsqlite3-0", "libjansson4", "libsmartcols1", "libinih1", "libsystemd0", "libssh-4")
WHOLE_MIB = 1200
AGENT_UNIT = """[Unit]
DefaultDependencies=no
After=systemd-udevd.service
[Service]
ExecStartPre=/bin/sh -c 'until [ -e /dev/virtio-ports/agent ]; do sleep 0.1; done'
ExecStart=/usr/local/bin/lab-agent /dev/virtio-ports/agent
[Install]
WantedBy=sysinit.target
"""
NETWORK = """[Match]
Name=eth0
[Network]
Address=10.9.0.1/24
"""
UNWANTED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
            "e2scrub_reap.service", "systemd-networkd-wait-online.service", "getty@tty1.service", "systemd-timesyncd.service")
LVM_TOOLS = ("pvs", "vgs", "lvs", "pvcreate", "vgcreate", "lvcreate", "vgchange", "lvchange", "lvremove",
             "lvextend", "lvrename", "vgremove", "pvremove", "vgs", "pvscan", "vgscan")
LVM_CONF = """devices { obtain_device_list_from_udev=0 external_device_info_source="none" use_devicesfile=0
	global_filter=[ "a|^/dev/vd|", "a|^/dev/drbd|", "r|.*|" ] }
activation { udev_sync=0 udev_rules=0 monitoring=0 }
global { use_lvmpolld=0 }
"""


class CannotBuild(Exception):
    """Why this machine cannot make the image: no root, no network, a package is missing."""


def run(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise CannotBuild(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def cache_folder():
    return os.environ.get("ESSAIM_LAB_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "essaim-lab")


def candidate(package):
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", package))
    if not found or found.group(1) == "(none)":
        raise CannotBuild(f"apt knows no package '{package}': run apt-get update")
    return found.group(1)


def fingerprint():
    """Changes when the recipe or a version does."""
    with open(os.path.join(HERE, "image.py"), "rb") as recipe:
        text = recipe.read()
    versions = " ".join(f"{p}={candidate(p)}" for p in (KERNEL, *PACKAGES))
    return hashlib.sha256(text + versions.encode()).hexdigest()[:16]


def copy_into(tree, root, path):
    """A file of `root` with the libraries it needs, at the same places in `tree`."""
    if not os.path.exists(root + path):
        return
    needed = re.findall(r"(/\S+)", run("chroot", root, "ldd", path)) if root else ldd(path)
    for one in [path] + needed:
        target = tree + one
        if not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(root + one, target)


def ldd(path):
    done = subprocess.run(["ldd", path], capture_output=True, text=True)
    return re.findall(r"(/\S+)", done.stdout) if done.returncode == 0 else []  # static: none


def pack(tree, target):
    """A compressed cpio archive, put in place only when it is whole."""
    names = run("find", ".", "-print", cwd=tree).splitlines()
    made = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input="\n".join(names).encode() + b"\n",
                          capture_output=True, cwd=tree)
    if made.returncode != 0:
        raise CannotBuild(f"cpio: {made.stderr.decode()[-300:]}")
    with gzip.open(target + ".part", "wb", compresslevel=1) as out:
        out.write(made.stdout)
    os.rename(target + ".part", target)


def kernel_tree(work):
    real = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", KERNEL)).group(1)
    run("apt-get", "download", real, cwd=work)
    tree = os.path.join(work, "kernel")
    run("dpkg", "-x", glob.glob(os.path.join(work, "linux-image-*.deb"))[0], tree)
    version = os.listdir(os.path.join(tree, "lib", "modules"))[0]
    run("depmod", "-b", tree, version)
    return tree, version


def copy_modules(tree, kernel, version):
    wanted = []
    for module in MODULES:
        listed = run("modprobe", "-d", kernel, "-S", version, "--show-depends", module)
        wanted += re.findall(r"^insmod (\S+)", listed, re.M)
    for path in wanted:
        target = tree + path[len(kernel):]
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(path, target)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy2(os.path.join(kernel, "lib/modules", version, name), os.path.join(tree, "lib/modules", version))
    run("depmod", "-b", tree, version)


def fill_base(tree, root):
    for program in PROGRAMS:
        copy_into(tree, root, program)
    for folder in ("/bin", "/sbin", "/etc/lvm", "/var/lib/drbd", "/etc/drbd.d"):
        os.makedirs(tree + folder, exist_ok=True)
    shutil.copy2("/bin/busybox", tree + "/bin/busybox")
    os.symlink("busybox", tree + "/bin/sh")
    for tool in LVM_TOOLS:
        if not os.path.lexists(f"{tree}/sbin/{tool}"):
            os.symlink("lvm", f"{tree}/sbin/{tool}")
    for tool in ("drbdadm", "drbdsetup", "drbdmeta"):  # the kernel calls /sbin/drbdadm
        os.symlink(f"../usr/sbin/{tool}", f"{tree}/sbin/{tool}")
    shutil.copytree(root + "/usr/lib/drbd", tree + "/usr/lib/drbd", dirs_exist_ok=True, symlinks=True)
    shutil.copy2(root + "/etc/drbd.conf", tree + "/etc/drbd.conf")
    written = {"/etc/lvm/lvm.conf": LVM_CONF, "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nessaim:x:990:990::/:/bin/sh\n",
               "/etc/group": "root:x:0:\nessaim:x:990:\n",
               "/etc/drbd.d/global_common.conf": "global { usage-count no; }\ncommon { }\n"}
    for path, text in written.items():
        with open(tree + path, "w") as out:
            out.write(text)


def build_base(folder, say):
    """base.cpio and vmlinuz in `folder`."""
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        say("the lab's image is not in the cache: debootstrap, about a minute")
        root, tree = os.path.join(work, "root"), os.path.join(work, "tree")
        run("debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), "bookworm", root)
        say("kernel")
        kernel, version = kernel_tree(work)
        fill_base(tree, root)
        copy_modules(tree, kernel, version)
        os.makedirs(folder, exist_ok=True)
        pack(tree, os.path.join(folder, "base.cpio"))
        shutil.copy2(os.path.join(kernel, "boot", f"vmlinuz-{version}"), os.path.join(folder, "vmlinuz"))


def base(say=print):
    """(kernel, base.cpio); built unless the cache has them. CannotBuild tells why not."""
    for tool in ("debootstrap", "cpio", "modprobe", "qemu-system-x86_64", "busybox"):
        if not shutil.which(tool):
            raise CannotBuild(f"'{tool}' is missing: run tools/install-deps")
    os.makedirs(cache_folder(), exist_ok=True)
    folder = os.path.join(cache_folder(), fingerprint())
    paths = os.path.join(folder, "vmlinuz"), os.path.join(folder, "base.cpio")
    if not all(os.path.exists(p) for p in paths):
        build_base(folder, say)
    return paths


def build_whole(path, say):
    """A disk with a Debian that boots into systemd and runs the agent."""
    with tempfile.TemporaryDirectory(dir=cache_folder()) as work:
        say("the whole Debian is not in the cache: debootstrap, about two minutes")
        root = os.path.join(work, "root")
        run("debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES + WHOLE), "bookworm", root)
        written = {"etc/systemd/system/lab-agent.service": AGENT_UNIT, "etc/systemd/network/10-lab.network": NETWORK,
                   "etc/fstab": "/dev/vda / ext4 defaults,noatime 0 0\n"}
        for name, text in written.items():
            with open(os.path.join(root, name), "w") as out:
                out.write(text)
        run("chroot", root, "systemctl", "enable", "lab-agent.service", "systemd-networkd.service")
        run("chroot", root, "systemctl", "mask", *UNWANTED)
        shutil.rmtree(os.path.join(root, "var/cache/apt/archives"), ignore_errors=True)
        os.makedirs(os.path.join(root, "usr/lib/modules"), exist_ok=True)
        with open(path + ".part", "wb") as out:
            out.truncate(WHOLE_MIB << 20)
        run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", root, path + ".part")
        os.rename(path + ".part", path)


def whole(say=print):
    """The disk of a whole Debian, from the cache; the caller copies it before it boots."""
    kernel, _ = base(say)
    path = os.path.join(os.path.dirname(kernel), "whole.img")
    if not os.path.exists(path):
        build_whole(path, say)
    return path


def ours(build, target):
    """What the run itself brings: daemons, command line, agent, init."""
    with tempfile.TemporaryDirectory() as tree:
        for program in ("essaimd", "essaim", "hand/essaim-hand", "hand/essaim-files", "hand/essaim-kernel-log"):
            path = os.path.join(build, "node", program)
            for one in ldd(path):
                copy_into_host(tree, one)
            copy_into_host(tree, path, "/usr/sbin/" + os.path.basename(program))
        copy_into_host(tree, os.path.join(build, "tests", "lab-agent"), "/bin/lab-agent")
        copy_into_host(tree, os.path.join(HERE, "init.sh"), "/init")
        os.chmod(tree + "/init", 0o755)
        pack(tree, target)


def copy_into_host(tree, path, to=None):
    target = tree + (to or path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(path, target)
