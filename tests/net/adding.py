"""`node add` against a real sshd. The other machine has programs of its own on its PATH: our build, and
an apt-get and a systemctl that write down what they were asked. Nothing of this machine's is touched.
"""
import hashlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

import daemon
import lab
from case import case, Skip
from cluster import Cluster, expect, wait_for

# "swarm", as root's password in a shadow file of the test's own.
SHADOW = "root:$6$essaim$TQJlTVWrQWzTSqo9lE6kVY/ONNht2BlKZ8iJGfuHzcKN0M5uPi3tw.piSfz/ONDrPrijY4AA059PlCZxDYNQs.:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n"
PORT = 22
LIMIT_S = 50


def write(path, text, mode=0o644):
    with open(path, "w") as out:
        out.write(text)
    os.chmod(path, mode)


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more).stdout


class Far:
    """A machine with sshd, to be added: its programs, its keys, what was asked of it."""

    def __init__(self, cluster, i, here=True, passwords=False):
        self.node, self.ip = cluster[i], cluster.network.ip(i)
        self.folder = os.path.join(cluster.folder, f"far{i}")
        self.bin = os.path.join(self.folder, "bin")
        self.asked = os.path.join(self.folder, "asked")
        os.makedirs(self.bin)
        write(self.asked, "")
        self.key = os.path.join(self.folder, "host_key")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        self.programs(here)
        self.log = open(os.path.join(self.folder, "sshd.log"), "a")
        self.sshd = self.serve(cluster, passwords)
        self.watch = threading.Thread(target=self.obey, daemon=True)
        self.over = False
        self.watch.start()

    def program(self, name, script):
        write(os.path.join(self.bin, name), "#!/bin/sh\n" + script, 0o755)

    def programs(self, here):
        note = f'printf "%s\\n" "${{0##*/}} $*" >>{self.asked}\n'
        kept = os.path.join(self.folder, "essaim")  # what is put in place when essaim is installed
        write(kept, f'#!/bin/sh\n{note}exec {daemon.ESSAIM} "$@"\n', 0o755)
        build = f"ln -sf {daemon.ESSAIMD} {self.bin}/essaimd && cp {kept} {self.bin}/essaim\n"
        self.program("systemctl", note + f"touch {self.folder}/start\n")
        self.program("apt-get", note + f'for word; do file=$word; done\nsha256sum <"$file" >{self.folder}/sum\n'
                     f'echo 9.9-1 >{self.folder}/version\n' + build)
        self.program("dpkg-query", f"cat {self.folder}/version\n")
        if here:
            subprocess.run(["sh", "-c", build], check=True)

    def serve(self, cluster, passwords):
        config, shadow = os.path.join(self.folder, "sshd.conf"), os.path.join(self.folder, "shadow")
        write(shadow, SHADOW, 0o600)
        write(config, f"ListenAddress {self.ip}:{PORT}\nHostKey {self.key}\n"
              f"AuthorizedKeysFile {self.folder}/authorized\nPermitRootLogin yes\nStrictModes no\nUsePAM no\n"
              f"PasswordAuthentication {'yes' if passwords else 'no'}\nKbdInteractiveAuthentication no\n"
              f"PidFile none\nPrintMotd no\nUseDNS no\nMaxStartups 100\nMaxAuthTries 20\n"
              f"SetEnv PATH={self.bin}:/usr/bin:/bin ESSAIM_SOCKET={self.node.socket}\n")
        script = 'mkdir -p /run/sshd; mount --bind "$1" /etc/shadow; exec /usr/sbin/sshd -D -e -f "$2"'
        namespace = cluster.network.namespace(self.node.index)
        process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", shadow,
                                    config], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                   preexec_fn=lambda: lab.enter_namespace(namespace))

        def listens():
            expect(process.poll() is None, f"sshd ended: {open(self.log.name).read()}")
            return "listening on" in open(self.log.name).read()
        wait_for(listens, "sshd listens")
        return process

    def obey(self):
        """systemctl start: the daemon is started by who also ends it."""
        while not self.over:
            if os.path.exists(os.path.join(self.folder, "start")):
                os.unlink(os.path.join(self.folder, "start"))
                self.node.start()
            time.sleep(0.05)

    def admit(self, public):
        write(os.path.join(self.folder, "authorized"), public)

    def known_line(self, key=None):
        return f"{self.ip} {' '.join(open((key or self.key) + '.pub').read().split()[:2])}\n"

    def fingerprint(self, key=None):
        return run("ssh-keygen", "-lf", (key or self.key) + ".pub").split()[1]

    def was_asked(self, what=""):
        return [line for line in open(self.asked).read().splitlines() if line.startswith(what)]

    def close(self):
        self.over = True
        self.watch.join()
        self.sshd.terminate()
        self.sshd.wait(10)
        self.log.close()


class Adding(Cluster):
    """n1 has founded; the others have an sshd. The user has a home and a key of their own."""

    def __init__(self, count, here=True, passwords=False):
        for program in ("/usr/sbin/sshd", "/usr/bin/ssh-keygen"):
            if not os.path.exists(program):
                raise Skip(f"{program} is not there: tools/install-deps")
        super().__init__(count)
        self.home = os.path.join(self.folder, "home")
        self.ssh = os.path.join(self.home, ".ssh")
        os.makedirs(self.ssh, 0o700)
        self.identity = os.path.join(self.ssh, "id_ed25519")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.identity)
        self.fars = {}
        self.terms = (here, passwords)

    def begin(self):
        self[1].start()
        self[1].ask("init", {"name": "n1", "profile": "default"}, 30)
        wait_for(self.master, "a master")
        for i in list(self.nodes)[1:]:
            self.fars[i] = Far(self, i, *self.terms)
            self.fars[i].admit(open(self.identity + ".pub").read())
        self.know(*self.fars.values())
        return self

    def know(self, *fars, text=""):
        write(os.path.join(self.ssh, "known_hosts"), text + "".join(far.known_line() for far in fars), 0o600)

    def known(self):
        path = os.path.join(self.ssh, "known_hosts")
        return open(path).read() if os.path.exists(path) else ""

    def words(self, args, where, env):
        kept = {k: v for k, v in daemon.SANITIZED.items() if k != "SSH_AUTH_SOCK"}
        namespace = self.network.namespace(1)
        return ([daemon.ESSAIM, "--socket", self[1].socket, "node", "add", where or f"root@{self.fars[2].ip}",
                 *map(str, args)], dict(env=kept | {"HOME": self.home, "RES_OPTIONS": "timeout:1 attempts:1"} | env,
                                        preexec_fn=lambda: lab.enter_namespace(namespace)))

    def add(self, *args, where=None, env={}):
        command, more = self.words(args, where, env)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, **more)

    def added(self, *args, **more):
        done = self.add(*args, "--json", **more)
        expect(done.returncode == 0, f"exit {done.returncode}: {done.stdout.decode()}{done.stderr.decode()}")
        return json.loads(done.stdout)

    def not_added(self, *args, says=(), code=1, **more):
        """It fails, says that, and nobody is a member by it; no token stays open."""
        before = self[1].ask("node list")
        done = self.add(*args, **more)
        talk = (done.stdout + done.stderr).decode()
        expect(done.returncode == code, f"exit {done.returncode}, not {code}: {talk}")
        for word in says:
            expect(word in talk, f"it does not say '{word}': {talk}")
        expect("\x1b" not in talk and "Sanitizer" not in talk, talk)
        expect(len(self[1].ask("node list")) == len(before), "nobody was added")
        expect(not self.open_tokens(), self[1].ask("token list"))
        return talk

    def open_tokens(self):
        return [t for t in self[1].ask("token list") if not t["revoked"] and t["uses_left"] > 0]

    def on_terminal(self, answers, *args, env={}):
        """(exit code, everything seen); each answer is typed at the next question."""
        command, more = self.words(args, None, env)
        master, slave = pty.openpty()
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, **more)
        os.close(slave)
        seen, answers, until = b"", list(answers), time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            seen += part
            if answers and re.search(rb"(to go on|Password of [^:]*|Passphrase of your key): $", seen):
                os.write(master, answers.pop(0).encode() + b"\n")
        os.close(master)
        return process.wait(10), seen.decode()

    def close(self):
        for far in self.fars.values():
            far.close()
        return super().close()


def new(clusters, count=2, **terms):
    made = Adding(count, **terms)
    clusters.append(made)
    return made.begin()


@case("adding: one command makes a machine a member; its token is on no command line and is used up")
def success(clusters):
    c = new(clusters)
    c[2].start()
    done = c.add("--timeout", "20s")
    talk = (done.stdout + done.stderr).decode()
    expect(done.returncode == 0, talk)
    titles = [line.split("  ")[0] for line in done.stderr.decode().splitlines() if not line.startswith(" ")]
    expect(titles == ["here", "connect", "host key", "log in", "look", "install", "daemon", "token", "join", "seen"],
           talk)
    expect(done.stdout.decode() == f"n2 is a member, at {c[2].address}\n", done.stdout)
    expect(c.fars[2].fingerprint() in talk and "clock the same" in talk, talk)
    wait_for(lambda: c[2].status().get("members") == {"total": 2, "reachable": 2}, "n2 sees both")
    asked = "\n".join(c.fars[2].was_asked())
    expect("join" in asked and "--token -" in asked and "essaim1-" not in asked, asked)
    expect(not c.fars[2].was_asked("apt-get") and not c.fars[2].was_asked("systemctl"), asked)
    expect([t["uses_left"] for t in c[1].ask("token list")] == [0], c[1].ask("token list"))
    c.not_added(says=("look:", "a member of this cluster already, as 'n2'", "nothing was changed", "essaim node show n2"))


@case("adding: a package is copied whole, installed and started, on a machine that has none")
def package(clusters):
    c = new(clusters, here=False)
    tree = os.path.join(c.folder, "tree")
    os.makedirs(os.path.join(tree, "DEBIAN"))
    write(os.path.join(tree, "payload"), "".join(hashlib.sha256(b"%d" % i).hexdigest() for i in range(40000)))
    for name in ("essaim", "other"):
        write(os.path.join(tree, "DEBIAN", "control"), f"Package: {name}\nVersion: 9.9-1\nArchitecture: "
              f"{run('dpkg', '--print-architecture').strip() if name == 'essaim' else 'all'}\n"
              "Maintainer: nobody <nobody@example.org>\nDescription: for a test\n")
        run("dpkg-deb", "-Znone", "-b", tree, os.path.join(c.folder, name + ".deb"))
    deb = os.path.join(c.folder, "essaim.deb")
    c.not_added("--no-install", says=("install:", "is not there", "--no-install", "nothing was changed"))
    c.not_added(says=("install:", "no package to install", "--package"))
    c.not_added("--package", os.path.join(c.folder, "other.deb"), says=("the package 'other', not 'essaim'",))
    c.not_added("--package", c.identity, says=("is no Debian package",))
    c.not_added("--package", "/nowhere", says=("cannot read '/nowhere'",))
    c.not_added("--package", deb, "--no-install", says=("only one of them",), code=2)
    expect(not c.fars[2].was_asked("apt-get"), "nothing was installed")
    code, seen = c.on_terminal([], "--package", deb, "--timeout", "20s")
    expect(code == 0 and "100 %" in seen and "n2 is a member" in seen, seen)
    sum_there = open(os.path.join(c.fars[2].folder, "sum")).read().split()[0]
    expect(sum_there == hashlib.sha256(open(deb, "rb").read()).hexdigest(), sum_there)
    words = c.fars[2].was_asked("apt-get")[0].split()
    expect("install" in words and "-y" in words and words[-1].endswith("/essaim.deb"), words)
    expect(not os.path.exists(os.path.dirname(words[-1])), "the copy is gone")
    expect(c.fars[2].was_asked("systemctl") == ["systemctl start essaimd"], c.fars[2].was_asked())


@case("adding: a machine that shows another key, or one that nobody knows, is refused; a typed yes is kept")
def host_keys(clusters):
    c = new(clusters)
    c[2].start()
    far = c.fars[2]
    other = os.path.join(c.folder, "other_key")
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other)
    theirs, wrong = far.fingerprint(), far.fingerprint(other)
    c.not_added("--host-key", wrong, says=("host key:", theirs, wrong, "nothing was changed"))
    c.know()
    c.not_added(says=("host key:", theirs, "nobody is at a terminal", "--host-key " + theirs))
    expect(c.known() == "", "nothing was kept")
    c.know(text=far.known_line(other))
    c.not_added(says=("host key:", "has changed", theirs, wrong, "known_hosts"))
    c.know()
    code, seen = c.on_terminal(["no"])
    expect(code == 1 and theirs in seen and "was not confirmed" in seen and c.known() == "", seen)
    expect(c.fars[2].was_asked() == [], "nobody logged in so far")
    code, seen = c.on_terminal(["yes"])
    expect(code == 0 and "n2 is a member" in seen, seen)
    expect(far.known_line().split()[2] in c.known(), c.known())


@case("adding: --host-key is enough for a script, and --identity for a key from elsewhere")
def host_key_option(clusters):
    c = new(clusters)
    c[2].start()
    far = c.fars[2]
    c.know(text=far.known_line(c.identity))  # an old record
    elsewhere = os.path.join(c.folder, "elsewhere")
    shutil.move(c.identity, elsewhere)
    c.not_added("--host-key", far.fingerprint(), "--identity", "/nowhere", says=("log in:", "cannot read '/nowhere'"))
    c.not_added("--host-key", far.fingerprint(), "--identity", far.asked, says=("is no private key",))
    found = c.added("--host-key", far.fingerprint(), "--identity", elsewhere, "--name", "pi", "--witness", "--timeout", "20s")
    expect(found["node"] == "pi" and found["host_key"] == far.fingerprint() and found["installed"] is False, found)
    expect([r["role"] for r in c[1].ask("node list") if r["name"] == "pi"] == ["witness"], c[1].ask("node list"))


@case("adding: who is not let in is told what was tried; a password is typed, and an agent answers")
def log_in(clusters):
    c = new(clusters, 3, passwords=True)
    c[2].start()
    far = c.fars[2]
    far.admit("")
    talk = c.not_added(says=("log in:", "'root' was not let in", "keys passwords", "SSH_AUTH_SOCK is not set",
                             "the keys in ~/.ssh", "nobody is there to type it", "nothing was changed", "ssh-copy-id"))
    expect("swarm" not in talk, talk)
    code, seen = c.on_terminal(["wrong", "", "x"])
    expect(code == 1 and "tried: no agent" in seen and "a password" in seen, seen)
    code, seen = c.on_terminal(["wrong", "swarm"])
    expect(code == 0 and "by a password" in seen and "swarm" not in seen, seen)
    agent = os.path.join(c.folder, "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: os.path.exists(agent), "the agent")
        run("ssh-add", c.identity, env=dict(os.environ, SSH_AUTH_SOCK=agent))
        os.unlink(c.identity)
        c[3].start()
        found = c.added("--timeout", "20s", where=f"root@{c.fars[3].ip}", env={"SSH_AUTH_SOCK": agent})
        expect(found["node"] == "n3", found)
    finally:
        process.terminate()
        process.wait()


class Listener:
    """Takes connections on a port of node i and says what it is told to, or nothing."""

    def __init__(self, c, i, port, says):
        code = ("import socket,sys,time\ns=socket.socket()\ns.setsockopt(1,2,1)\ns.bind((sys.argv[1],int(sys.argv[2])))\n"
                "s.listen()\nprint('ready',flush=True)\nkept=[]\nwhile True:\n c,_=s.accept()\n"
                " c.sendall(sys.argv[3].encode())\n kept.append(c)\n")
        namespace = c.network.namespace(i)
        self.process = subprocess.Popen(["python3", "-c", code, c.network.ip(i), str(port), says], text=True,
                                        stdout=subprocess.PIPE, preexec_fn=lambda: lab.enter_namespace(namespace))
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@case("adding: a shut port, an address without an answer, a wrong name and a host that hangs are told apart")
def roads(clusters):
    c = new(clusters)
    ip = c.fars[2].ip
    c.not_added(where=f"root@{ip}:23", says=("connect:", "nobody listens on that port", "nothing was changed"))
    c.not_added("--timeout", "2s", where="root@no.such.host.invalid", says=("connect:", "has no address"))
    c.network.isolate(2)
    c.not_added("--timeout", "1s", says=("connect:", "no answer"))
    c.network.heal()
    with Listener(c, 2, 24, ""):
        c.not_added("--timeout", "1s", where=f"root@{ip}:24", says=("connect:", "says nothing for 1 s", "hangs"))
    with Listener(c, 2, 25, "220 mail \x1b[31m ESMTP\r\n" * 3000):
        c.not_added("--timeout", "1s", where=f"root@{ip}:25", says=("connect:", "no ssh"))
    for bad in ("nobody", "@h", "root@", "root@h:0", "root@[::1", "root@h;id", "-x@h"):
        c.not_added(where=bad, says=("is no target",), code=2)
    done = c.add("--dry-run", where="root@nowhere.invalid")
    expect(done.returncode == 0 and b"revoke it if that fails" in done.stdout, done)
    c[1].terminate()
    done = c.add()
    expect(done.returncode == 1 and b"here: cannot reach the daemon" in done.stderr, done)
    expect(c.fars[2].was_asked() == [], "nobody logged in")


@case("adding: a machine of another cluster is left alone, and a taken name is told")
def members(clusters):
    c = new(clusters, 3)
    c[2].start()
    c[2].ask("init", {"name": "x2", "profile": "default"}, 30)
    c.not_added(says=("look:", "belongs to another cluster already", "'x2'", "nothing was changed", "essaim leave"))
    expect(c[2].status()["standing"] == "member" and not c.fars[2].was_asked("systemctl"), "it was left alone")
    c[3].start()
    c.not_added("--name", "n1", where=f"root@{c.fars[3].ip}", says=("daemon:", "called 'n1' already", "--name"))
    expect(c[1].ask("token list") == [], "no token was made for it")


@case("adding: if the join fails or is interrupted, its token is revoked and the cause is shown")
def join_fails(clusters):
    c = new(clusters)
    c[2].start()
    talk = c.not_added("--timeout", "1s", "--through", f"{c.network.ip(1)}:7999",
                       says=("join:", "the token is revoked", "refuses TCP"))
    expect([t["revoked"] for t in c[1].ask("token list")] == [True], (talk, c[1].ask("token list")))
    done = c.add("--json", "--timeout", "1s", "--through", f"{c.network.ip(1)}:7999")
    expect(json.loads(done.stdout)["doctor"]["verdict"].startswith("address: "), done.stdout)
    command, more = c.words(["--timeout", "30s", "--through", f"{c.network.ip(1)}:7999"], None, {})
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, **more)
    wait_for(lambda: len(c.fars[2].was_asked("essaim --json --timeout 30000ms join")) == 1, "the join began")
    process.send_signal(signal.SIGINT)
    talk = process.communicate(timeout=LIMIT_S)[0]
    expect(process.returncode == 1 and "interrupted" in talk and "the token is revoked" in talk, talk)
    expect(len(c[1].ask("token list")) == 3 and not c.open_tokens(), c[1].ask("token list"))
    wait_for(lambda: c[2].status().get("standing") == "uninitialised", "n2 gave up")
    expect(c[1].status()["members"]["total"] == 1, "nobody joined")


@case("adding: what the other machine prints is bounded and made harmless, and a daemon that fails is told")
def far_words(clusters):
    c = new(clusters)
    far = c.fars[2]
    far.program("systemctl", "printf 'no unit \\033[2J here\\n' >&2; exit 5\n")
    c.not_added(says=("daemon:", "cannot be started", "exit code 10", "\\x1b[2J here", "journalctl"))
    far.program("essaim", "head -c 30000000 /dev/zero | tr '\\0' x\n")
    c.not_added(says=("look:", "is not understood"))
    far.program("essaim", 'echo \'{"version":"\\u001b[31m","wire_min":9,"wire_max":9,"standing":"uninitialised"}\'\n')
    c.not_added(says=("daemon:", "wire versions 9 to 9", "\\x1b[31m"))
    far.program("date", "exec sleep 60\n")
    c.not_added("--timeout", "1s", says=("look:", "did not end within 1 s", "nothing was changed"))
    far.program("id", "echo 1000\n")
    c.not_added(says=("look:", "only root may install"))
