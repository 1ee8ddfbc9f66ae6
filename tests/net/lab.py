"""lab.py: a private network of N machines, each a network namespace behind one router.

    lab ns:   v1   v2   v3 ...      routes 10.88.x.y and fd88::i; cuts happen here, in the
              |    |    |           wire: no ICMP, no local error
    node ns: eth0 eth0 eth0         one address each, everything through the router

With several networks each node has eth1, eth2 … too, w1.1, w1.2 … on the lab's side, and addresses
10.89.x.y, fd89::i and so on; a packet leaves by the network of the address it goes to.

Routed, not bridged: the kernel's table of neighbours is one for all namespaces (1,024 entries), and
fifty nodes on one segment would need 2,450. Everything lives in network, mount and pid namespaces
of its own: nothing can leave, and all of it ends with the process that entered it.
"""
import ctypes
import os
import shutil
import subprocess
import sys

CLONE_NEWNET = 0x40000000
ROUTER, ROUTER6 = "169.254.1.1", "fe80::1"
_libc = ctypes.CDLL(None, use_errno=True)


def enter(limit_s):
    """Runs the calling script again inside fresh namespaces, for at most limit_s."""
    if os.environ.get("ESSAIM_LAB") == "1":
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.mkdir("/run/netns")
        run("ip", "link", "set", "lo", "up")
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            with open(f"/proc/sys/net/{switch}", "w") as out:
                out.write("1")
        os.environ["ESSAIM_LAB"] = "entered"  # for scripts that this one starts
    if os.environ.get("ESSAIM_LAB") == "entered":
        return
    command = ["timeout", "-k", "5", str(limit_s), "unshare", "-n", "-m", "-p", "--fork", "--kill-child",
               "--mount-proc", "env", "ESSAIM_LAB=1", sys.executable] + sys.argv
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            sys.exit("cannot make network namespaces: not root, and no sudo. Run it as root")
        kept = [f"{name}={os.environ[name]}" for name in ("ESSAIM_BUILD",) if name in os.environ]
        command = ["sudo", "-n", "env"] + kept + command
    os.execvp(command[0], command)


def run(*command, text=None):
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def enter_namespace(path):
    """For preexec_fn: moves the child into a network namespace, and nothing else."""
    fd = os.open(path, os.O_RDONLY)
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


class Lab:
    def __init__(self, count, networks=1):
        self.count, self.networks = count, networks
        for i in range(1, count + 1):
            self._add(i)
            for net in range(1, networks):
                self._add_network(i, net)
        self._install_cuts()

    def _device(self, i, net):
        return f"v{i}" if net == 0 else f"w{i}.{net}"

    def _devices(self):
        return ", ".join(self._device(i, net) for i in range(1, self.count + 1)
                         for net in range(self.networks))

    def _add_network(self, i, net):
        """Another way into the lab; what goes to the addresses in that network takes it."""
        device, inside, ip, ip6 = self._device(i, net), f"eth{net}", self.ip(i, 4, net), self.ip(i, 6, net)
        run("ip", "link", "add", device, "type", "veth", "peer", "name", inside, "netns", f"n{i}")
        run("ip", "-batch", "-", text=f"addr add {ROUTER} dev {device}\naddr add {ROUTER6}/64 dev {device} nodad\n"
            f"link set {device} up\nroute add {ip} dev {device}\nroute add {ip6} dev {device}\n")
        run("ip", "-n", f"n{i}", "-batch", "-", text=f"addr add {ip}/32 dev {inside}\n"
            f"addr add {ip6}/128 dev {inside} nodad\nlink set {inside} up\n"
            f"route add 10.{88 + net}.0.0/16 via {ROUTER} dev {inside} onlink src {ip}\n"
            f"route add fd{88 + net}::/16 via {ROUTER6} dev {inside} src {ip6}\n")

    def _add(self, i):
        run("ip", "netns", "add", f"n{i}")
        run("ip", "link", "add", f"v{i}", "type", "veth", "peer", "name", "eth0", "netns", f"n{i}")
        run("ip", "-batch", "-", text=f"addr add {ROUTER} dev v{i}\naddr add {ROUTER6}/64 dev v{i} nodad\n"
            f"link set v{i} up\nroute add {self.ip(i)} dev v{i}\nroute add {self.ip(i, 6)} dev v{i}\n")
        run("ip", "-n", f"n{i}", "-batch", "-", text=f"link set lo up\n"
            f"addr add {self.ip(i)}/32 dev eth0\naddr add {self.ip(i, 6)}/128 dev eth0 nodad\n"
            f"link set eth0 up\nroute add default via {ROUTER} dev eth0 onlink src {self.ip(i)}\n"
            f"route add default via {ROUTER6} dev eth0 src {self.ip(i, 6)}\n")

    def _install_cuts(self):
        rules = "\n".join(
            f"{f} saddr . {f} daddr @pairs_{f} drop; {f} saddr @alone_{f} drop; {f} daddr @alone_{f} drop"
            for f in ("ip", "ip6"))
        sets = "\n".join(
            f"set pairs_{f} {{ typeof {f} saddr . {f} daddr; }}\nset alone_{f} {{ typeof {f} saddr; }}"
            for f in ("ip", "ip6"))
        # Only what daemons say is cut: neighbour discovery goes on, as on a switch that drops.
        run("nft", "-f", "-", text=f"""table netdev lab {{
            {sets}
            chain cut {{
                type filter hook ingress devices = {{ {self._devices()} }} priority 0; policy accept;
                meta l4proto != {{ tcp, udp }} accept
                {rules}
            }}
        }}""")

    def ip(self, i, family=4, net=0):
        return f"10.{88 + net}.{i // 250}.{i % 250}" if family == 4 else f"fd{88 + net}::{i:x}"

    def namespace(self, i):
        return f"/run/netns/n{i}"

    def cut(self, a, b, one_way=False):
        """Drops what a sends to b, and what b sends to a unless one_way."""
        for family, name in ((4, "ip"), (6, "ip6")):
            x, y = self.ip(a, family), self.ip(b, family)
            pairs = f"{x} . {y}" if one_way else f"{x} . {y}, {y} . {x}"
            run("nft", "add", "element", "netdev", "lab", f"pairs_{name}", f"{{ {pairs} }}")

    def isolate(self, i):
        """Unplugs node i: one transaction, so that the moment of the cut is sharp."""
        run("nft", "-f", "-", text=f"add element netdev lab alone_ip {{ {self.ip(i)} }}\n"
            f"add element netdev lab alone_ip6 {{ {self.ip(i, 6)} }}\n")

    def unplug(self, i, net):
        """Drops whatever goes to or comes from that node's address in one network."""
        run("nft", "-f", "-", text=f"add element netdev lab alone_ip {{ {self.ip(i, 4, net)} }}\n"
            f"add element netdev lab alone_ip6 {{ {self.ip(i, 6, net)} }}\n")

    def link(self, i, net, up):
        """The interface itself: the kernel knows, and says so to who sends."""
        run("ip", "-n", f"n{i}", "link", "set", f"eth{net}", "up" if up else "down")
        if up:  # routes went with it
            inside, ip, ip6 = f"eth{net}", self.ip(i, 4, net), self.ip(i, 6, net)
            to, to6 = ("default", "default") if net == 0 else (f"10.{88 + net}.0.0/16", f"fd{88 + net}::/16")
            run("ip", "-n", f"n{i}", "-batch", "-", text=f"addr replace {ip6}/128 dev {inside} nodad\n"
                f"route replace {to} via {ROUTER} dev {inside} onlink src {ip}\n"
                f"route replace {to6} via {ROUTER6} dev {inside} src {ip6}\n")

    def heal(self):
        run("nft", "-f", "-", text="".join(f"flush set netdev lab {kind}_{f}\n"
            for kind in ("pairs", "alone") for f in ("ip", "ip6")))

    def lose(self, percent):
        """Drops that share of all packets, by dice, at every node's own way into the network."""
        subprocess.run(["nft", "delete", "table", "netdev", "loss"], capture_output=True)
        if percent == 0:
            return
        run("nft", "-f", "-", text=f"""table netdev loss {{
            chain lose {{
                type filter hook ingress devices = {{ {self._devices()} }} priority 1; policy accept;
                meta l4proto != {{ tcp, udp }} accept
                numgen random mod 100 < {percent} drop
            }}
        }}""")

    def bytes_in(self, i):
        """IP bytes that reached node i so far (what its veth carried, less Ethernet headers)."""
        for line in open("/proc/net/dev"):
            name, _, rest = line.partition(":")
            if name.strip() == f"v{i}":
                fields = rest.split()
                return int(fields[8]) - 14 * int(fields[9])
        raise RuntimeError(f"no device v{i}")

    def close(self):
        """Each device by name: those of a deleted namespace would linger for a moment."""
        self.lose(0)
        subprocess.run(["nft", "delete", "table", "netdev", "lab"], capture_output=True)
        for i in range(1, self.count + 1):
            for net in range(self.networks):
                subprocess.run(["ip", "link", "del", self._device(i, net)], capture_output=True)
            subprocess.run(["ip", "netns", "del", f"n{i}"], capture_output=True)
