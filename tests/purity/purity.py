#!/usr/bin/env python3
"""The rooms keep to themselves.  usage: purity.py SOURCE_ROOT BUILD_ROOT

1. What gossip and actions need from outside, less what proto and they themselves define, lies
   within mem*, the assertion handler and the hooks of sanitizers and stack protection; actions,
   which words things for people and reads what tools print, may also compare, format, sort and read
   JSON in memory.
   Neither defines a name that shadows one of libc's which it may not use: a linker takes the first.
2. What proto needs from outside is no clock, no I/O and no dice.
3. Who may include whom (ARCHITECTURE.md), checked on every #include.
4. This very test notices each of these when it is broken (planted examples).
"""
import os
import re
import subprocess
import sys

PURE = re.compile(r"^(_*mem(cpy|set|cmp|move|chr)(_chk)?|__assert_fail|__stack_chk_(fail|guard)"
                  r"|__(asan|ubsan|sanitizer|lsan)_\w+|_GLOBAL_OFFSET_TABLE_)$")
WORDING = re.compile(r"^(str(len|n?cmp|r?chr|str|c?spn)|(__)?v?snprintf(_chk)?|qsort|__isoc\w*"
                     r"|json_(loadb|delete|object_get|array_(get|size)|string_value))$")  # in actions: no state, no I/O
IMPURE = re.compile(r"^(time|clock|clock_gettime|gettimeofday|localtime\w*|gmtime\w*|sleep|usleep|nanosleep"
                    r"|rand\w*|random\w*|srand\w*|getrandom|getentropy|arc4random\w*|crypto_\w+_keygen"
                    r"|crypto_\w+(?<!_seed)_keypair|crypto_secretstream_\w+_init_push|f?open\w*|read|write|pread\w*|pwrite\w*"
                    r"|f(read|write|close|gets|puts|printf|flush)|v?printf|puts|putchar|perror|socket|send\w*"
                    r"|recv\w*|connect|accept\w*|bind|listen|getenv|pthread_\w+|syslog)$")

LIBC = {"send", "sendto", "recv", "read", "write", "open", "close", "time", "clock", "connect", "accept", "bind",
        "listen", "socket", "random", "rand", "puts", "syslog", "sleep"}
ROOMS = {  # a room: the rooms it may include from
    "proto": (), "gossip": ("proto",), "actions": ("proto",),
    "node": ("proto", "gossip", "actions"), "simulator": ("proto", "gossip", "actions"),
}
# For -EINVAL, snprintf, qsort and the reading of JSON in memory: what they may use is checked above.
SYSTEM_OF_ACTIONS = {"errno.h", "jansson.h", "stdarg.h", "stdio.h", "stdlib.h"}
SYSTEM_OF_PURE = {"assert.h", "limits.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}


def symbols(library, undefined):
    """Names that a static library defines, or needs from outside itself."""
    lines = subprocess.run(["nm", "-P", library], check=True, text=True, capture_output=True).stdout
    rows = [line.split() for line in lines.splitlines() if len(line.split()) >= 2 and line[0] != "["]
    defined = {row[0] for row in rows if row[1] not in "Uw"}
    return {row[0] for row in rows if row[1] in "Uw"} - defined if undefined else defined


def impure_needs(needed, offered, room="gossip"):
    return sorted(name for name in needed - offered
                  if not PURE.match(name) and not (room == "actions" and WORDING.match(name)))


def impure_uses(needed):
    return sorted(name for name in needed if IMPURE.match(name))


def shadows(defined):
    return impure_uses(name for name in defined if name in LIBC)


def check_symbols(build):
    library = lambda room, name: os.path.join(build, room, f"lib{name}.a")
    proto = library("proto", "essaim-proto")
    offered = symbols(proto, False)
    wrong = [f"proto uses {name}: no clock, no I/O, no dice there" for name in impure_uses(symbols(proto, True))]
    checked = 1
    for room in ("gossip", "actions"):
        path = library(room, f"essaim-{room}")
        needs = impure_needs(symbols(path, True), offered, room)
        wrong += [f"{room} needs {name} from outside: only proto and mem* are allowed" for name in needs]
        wrong += [f"{room} defines {name}, which libc does too" for name in shadows(symbols(path, False))]
        checked += 1
    return checked, wrong


def sources(root, room):
    for folder, _, names in os.walk(os.path.join(root, room)):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.join(folder, name)


def headers_of(root):
    """A header's name: the rooms that have one."""
    rooms = {}
    for room in ROOMS:
        for path in sources(root, room):
            if path.endswith(".h"):
                rooms.setdefault(os.path.basename(path), set()).add(room)
    return rooms


def wrong_include(room, file, bracket, name, headers):
    """One sentence if that include is not allowed, else None."""
    base = os.path.basename(name)
    if base.endswith("pb-c.h"):
        return None if room == "proto" and os.path.basename(file).startswith("codec") else \
            f"{file} includes {name}: only proto/codec* may"
    if name == "sodium.h":
        return None if room == "proto" else f"{file} includes sodium.h: only proto/ may"
    if bracket == "<":
        pure = room in ("gossip", "actions") and name not in SYSTEM_OF_PURE and \
            not (room == "actions" and name in SYSTEM_OF_ACTIONS)
        return f"{file} includes <{name}>: not in a pure room" if pure else None
    owners = headers.get(base, set())
    if not owners:
        return f"{file} includes \"{name}\", which no room has"
    if not owners & {room, *ROOMS[room]}:
        return f"{file} includes \"{name}\" of {', '.join(sorted(owners))}/"
    return None


def check_includes(root):
    headers, wrong, count = headers_of(root), [], 0
    for room in ROOMS:
        for path in sources(root, room):
            with open(path) as text:
                for line in text:
                    match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
                    if match:
                        count += 1
                        found = wrong_include(room, os.path.relpath(path, root), *match.groups(), headers)
                        wrong += [found] if found else []
    return count, wrong


# ---- every code of the doctor is made to happen ----

def codes_of(table):
    return re.findall(r"^\s*CODE\(\d+, ([A-Z_]+),", table, re.M)


def codes_found(case):
    """Codes that a case waits for: it fails unless real daemons find them."""
    return set(re.findall(r'\.found\(\s*[^,()]+,\s*"([A-Z_]+)"', case))


# A build machine has neither device-mapper nor DRBD: these can only be made in tests/lab, and so far are
# not. tests/unit/test_doctor_storage.c finds each verdict's code on hand-made patients.
NEEDS_KERNEL = re.compile(r"^(THIN_FULL|DRBD_[A-Z_]+)$")


def check_codes(root):
    with open(os.path.join(root, "actions", "doctor_codes.h")) as text:
        codes = codes_of(text.read())
    made, folder = set(), os.path.join(root, "tests", "net")
    for name in os.listdir(folder):
        if name.endswith(".py"):
            with open(os.path.join(folder, name)) as text:
                made |= codes_found(text.read())
    return len(codes), [f"no case of tests/net finds {code}" for code in codes
                        if code not in made and not NEEDS_KERNEL.match(code)] + (
        [] if codes else ["no code found in doctor_codes.h"])


def check_itself():
    """Planted breaches must be seen, and what is allowed must pass."""
    assert codes_of("\tCODE(1, A_B, CLOCK, X,\n\tCODE(2, C, DNS, X,") == ["A_B", "C"]
    assert codes_found('c.found(1, "A_B", "n2"); f = c.found(2, "C"); c.over(1, "D"); # E') == {"A_B", "C"}
    headers = {"gossip.h": {"gossip"}, "loop.h": {"node"}, "world.h": {"simulator"}, "codec.h": {"proto"}}
    assert impure_needs({"malloc", "memcpy", "codec_encode"}, {"codec_encode"}) == ["malloc"]
    assert impure_needs({"time", "__assert_fail", "__asan_init"}, set()) == ["time"]
    assert impure_needs({"printf", "malloc", "strcmp", "snprintf", "vsnprintf", "vprintf", "strdup", "__errno_location",
                         "json_loadb", "json_load_file"},
                        set(), "actions") == ["__errno_location", "json_load_file", "malloc", "printf", "strdup", "vprintf"]
    assert shadows({"send", "output_send", "sender"}) == ["send"]
    assert impure_uses({"clock_gettime", "randombytes_buf", "snprintf"}) == ["clock_gettime", "randombytes_buf"]
    for room, file, bracket, name in (
            ("gossip", "gossip/a.c", '"', "loop.h"), ("gossip", "gossip/a.c", "<", "stdio.h"),
            ("proto", "proto/a.c", '"', "gossip.h"), ("node", "node/a.c", '"', "world.h"),
            ("simulator", "simulator/a.c", '"', "loop.h"), ("gossip", "gossip/a.c", '"', "wire.pb-c.h"),
            ("proto", "proto/seal.c", '"', "wire.pb-c.h"), ("node", "node/a.c", "<", "sodium.h"),
            ("actions", "actions/a.c", "<", "unistd.h"), ("gossip", "gossip/a.c", "<", "stdarg.h"), ("actions", "actions/a.c", '"', "gossip.h")):
        assert wrong_include(room, file, bracket, name, headers), f"missed {name} in {file}"
    for room, file, bracket, name in (
            ("gossip", "gossip/a.c", '"', "codec.h"), ("node", "node/a.c", '"', "gossip.h"),
            ("proto", "proto/codec.c", '"', "wire.pb-c.h"), ("proto", "proto/seal.c", "<", "sodium.h")):
        assert not wrong_include(room, file, bracket, name, headers), f"refused {name} in {file}"


def main(root, build):
    check_itself()
    libraries, wrong = check_symbols(build)
    includes, more = check_includes(root)
    codes, missing = check_codes(root)
    more += missing
    for text in wrong + more:
        print(text)
    if not includes:
        print("no source found: nothing was checked")
    print(f"{libraries} libraries and {includes} includes and {codes} codes of the doctor checked, {len(wrong + more)} breaches")
    return 1 if wrong or more or not includes else 0


if len(sys.argv) != 3:
    sys.exit(__doc__)
sys.exit(main(*sys.argv[1:]))
