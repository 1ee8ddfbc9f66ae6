"""release.py: daemons of releases before this one, built from the repository's history."""
import fcntl
import os
import shutil
import subprocess

import daemon
from case import Skip

# The last commit that speaks no later wire version than that.
COMMITS = {1: "d1ffd02415ff9f8232e6d4c26857d34002b5366c", 2: "19a7cfac12eced78acd5a87c6d608eff706d1c90"}
BUILD_LIMIT_S = 400


def _git(*words, **options):
    # The runner is root, the checkout often is not.
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", daemon.REPOSITORY, *words],
                          capture_output=True, timeout=60, **options)


def _unpack(commit, into):
    if not shutil.which("git"):
        raise Skip("there is no git to take the previous release from")
    archive = _git("archive", "--format=tar", commit)
    if archive.returncode != 0:
        raise Skip(f"commit {commit[:7]} is not here, a shallow clone? {archive.stderr.decode().strip()}")
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    subprocess.run(["tar", "-x", "-C", into], input=archive.stdout, check=True, timeout=60)


def _run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _build(folder, commit):
    source, build = os.path.join(folder, "source"), os.path.join(folder, "build")
    done = os.path.join(folder, "done")
    if os.path.exists(done) and open(done).read() == commit:
        return
    _unpack(commit, source)
    shutil.rmtree(build, ignore_errors=True)
    _run("meson", "setup", build, source, "-Dbuildtype=release", "-Db_ndebug=false")
    _run("ninja", "-C", build, "node/essaimd", "node/essaim")
    with open(done, "w") as out:
        out.write(commit)


def previous(wire=1):
    """(essaimd, essaim) of the last release of that wire version, built once and kept; skips if that cannot be."""
    folder = os.path.join(daemon.BUILD, f"release-wire-{wire}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:  # cases run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build(folder, COMMITS[wire])
    return tuple(os.path.join(folder, "build", "node", name) for name in ("essaimd", "essaim"))
