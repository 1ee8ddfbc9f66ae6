"""release.py: the daemons of the release before this one, built from the repository's history."""
import os
import shutil
import subprocess

import daemon
from case import Skip

# The last commit that speaks wire version 1 and nothing else.
COMMIT = "d1ffd02415ff9f8232e6d4c26857d34002b5366c"
FOLDER = os.path.join(daemon.BUILD, "previous-release")
BUILD_LIMIT_S = 400


def _git(*words, **options):
    # The runner is root, the checkout often is not.
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", daemon.REPOSITORY, *words],
                          capture_output=True, timeout=60, **options)


def _unpack(into):
    if not shutil.which("git"):
        raise Skip("there is no git to take the previous release from")
    archive = _git("archive", "--format=tar", COMMIT)
    if archive.returncode != 0:
        raise Skip(f"commit {COMMIT[:7]} is not here, a shallow clone? {archive.stderr.decode().strip()}")
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    subprocess.run(["tar", "-x", "-C", into], input=archive.stdout, check=True, timeout=60)


def _run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def previous():
    """(essaimd, essaim) of that commit, built once and kept; skips if that cannot be."""
    source, build = os.path.join(FOLDER, "source"), os.path.join(FOLDER, "build")
    essaimd, essaim = (os.path.join(build, "node", name) for name in ("essaimd", "essaim"))
    done = os.path.join(FOLDER, "done")
    if os.path.exists(done) and open(done).read() == COMMIT:
        return essaimd, essaim
    _unpack(source)
    shutil.rmtree(build, ignore_errors=True)
    _run("meson", "setup", build, source, "-Dbuildtype=release", "-Db_ndebug=false")
    _run("ninja", "-C", build, "node/essaimd", "node/essaim")
    with open(done, "w") as out:
        out.write(COMMIT)
    return essaimd, essaim
