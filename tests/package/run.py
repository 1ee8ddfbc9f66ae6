#!/usr/bin/env python3
"""The Debian packages: built from what git has, clean, hardened, and what is in them works.

usage: run.py
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WANTED = ("dpkg-buildpackage", "dh", "lintian", "systemd-analyze")
EXPOSURE_MOST = 30  # of systemd-analyze security, in tenths
CASES = []
SKIPPED = 77


def case(sentence):
    def keep(function):
        CASES.append((sentence, function))
        return function
    return keep


def run(*command, cwd=None, limit=900, env=None):
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, timeout=limit,
                          stdin=subprocess.DEVNULL, env=env)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def copy_source(to):
    names = run("git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        source, target = os.path.join(ROOT, name), os.path.join(to, name)
        if not os.path.lexists(source):
            continue  # deleted and not committed yet
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


@case("both packages build from the sources, without a network")
def build(folder):
    source = os.path.join(folder, "essaim")
    copy_source(source)
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=source,
        env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck parallel=2 noautodbgsym"))
    debs = sorted(name.split("_")[0] for name in os.listdir(folder) if name.endswith(".deb"))
    assert debs == ["essaim", "essaim-sim"], debs


@case("lintian has nothing to say of them")
def lintian(folder):
    changes = [name for name in os.listdir(folder) if name.endswith(".changes")][0]
    # (a package of nobody's archive closes no bug report)
    said = run("lintian", "--fail-on", "none", "--suppress-tags", "initial-upload-closes-no-bugs",
               os.path.join(folder, changes))
    lines = [line for line in said.splitlines() if line[:2] in ("E:", "W:")]
    assert not lines, "\n".join(lines)


def unpacked(folder):
    there = os.path.join(folder, "unpacked")
    for name in os.listdir(folder):
        if name.endswith(".deb"):
            run("dpkg-deb", "-x", os.path.join(folder, name), there)
    return there


@case("they hold the programs, manual pages, completions, the unit and a first configuration")
def contents(folder):
    there = unpacked(folder)
    for path in ("usr/bin/essaim", "usr/sbin/essaimd", "usr/bin/essaim-sim",
                 "usr/libexec/essaim/essaim-hand", "usr/libexec/essaim/essaim-files", "lib/systemd/system/essaim-hand.service",
                 "lib/systemd/system/essaim-hand.socket", "usr/share/man/man8/essaim-hand.8.gz", "lib/systemd/system/essaimd.service",
                 "usr/share/man/man1/essaim.1.gz", "usr/share/man/man8/essaimd.8.gz",
                 "usr/share/man/man1/essaim-sim.1.gz", "usr/share/bash-completion/completions/essaim",
                 "usr/share/zsh/vendor-completions/_essaim", "usr/share/fish/vendor_completions.d/essaim.fish",
                 "usr/share/essaim/essaim.conf", "usr/lib/sysusers.d/essaim.conf"):
        assert os.path.exists(os.path.join(there, path)), f"{path} is not in the packages"
    with open(os.path.join(there, "usr/share/essaim/essaim.conf")) as source:
        text = source.read().replace("@NAME@", "rack1").replace("@LISTEN@", "192.0.2.1:7800")
    config = os.path.join(folder, "first.conf")
    with open(config, "w") as out:
        out.write(text)
    assert "name = rack1" in run(os.path.join(there, "usr/sbin/essaimd"), "--config", config, "--check-config")


def settings_of(unit):
    """Every KEY=VALUE of a unit, by key."""
    found = {}
    with open(unit) as lines:
        for line in lines:
            key, equals, value = line.strip().partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(key, []).append(value)
    return found


@case("each unit is exposed by at most 3.0 of 10")
def exposure(folder):
    for name in ("essaimd", "essaim-hand"):
        unit = os.path.join(folder, f"unpacked/lib/systemd/system/{name}.service")
        said = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MOST}", unit)
        print("    ", said.strip().splitlines()[-1].strip())


@case("only the hand is root, only the daemon has a network, and only the daemon reaches the hand")
def privileges(folder):
    units = os.path.join(folder, "unpacked/lib/systemd/system")
    daemon = settings_of(os.path.join(units, "essaimd.service"))
    hand = settings_of(os.path.join(units, "essaim-hand.service"))
    socket = settings_of(os.path.join(units, "essaim-hand.socket"))
    assert daemon["User"] == ["essaim"] and daemon["CapabilityBoundingSet"] == [""], daemon
    assert "User" not in hand and hand["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"], hand
    assert hand["IPAddressDeny"] == ["any"] and hand["NoNewPrivileges"] == ["yes"], hand
    assert "--user essaim" in hand["ExecStart"][0] and hand["ExecStart"][0].startswith("/usr/libexec/"), hand
    assert socket["SocketUser"] == ["essaim"] and socket["SocketMode"] == ["0600"], socket
    assert socket["ListenSequentialPacket"][0] in daemon["ExecStart"][0], (socket, daemon)


@case("the packaged daemon founds a cluster and answers the packaged command")
def works(folder):
    there = os.path.join(folder, "unpacked")
    socket = os.path.join(folder, "s")
    daemon = subprocess.Popen([os.path.join(there, "usr/sbin/essaimd"), "--name", "rack1", "--listen", "127.0.0.1:7819",
                               "--data", os.path.join(folder, "data"), "--socket", socket, "--http", "off"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not os.path.exists(socket) and time.monotonic() < until:
            time.sleep(0.05)
        essaim = os.path.join(there, "usr/bin/essaim")
        run(essaim, "--socket", socket, "init", "rack1")
        run(essaim, "--socket", socket, "kv", "put", "a", "b", "--timeout", "20s")
        assert run(essaim, "--socket", socket, "kv", "get", "a").strip() == "b"
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0


def main():
    missing = [name for name in WANTED if not shutil.which(name)]
    if missing:
        print(f"skipped: {', '.join(missing)} not installed (tools/install-deps)")
        return SKIPPED
    folder = tempfile.mkdtemp(prefix="essaim-package-")
    failed = 0
    for sentence, function in CASES:
        started = time.monotonic()
        try:
            function(folder)
            word = "ok"
        except Exception as failure:
            word, failed = "FAIL", failed + 1
            print(failure)
        print(f"{word:4} {time.monotonic() - started:6.1f} s  {sentence}", flush=True)
    shutil.rmtree(folder)
    print(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
