"""The cases: what is typed, what the daemon answers. Expectations are in expected/.

name: of the file; rule: the sentence that the case proves; argv; answers: verb -> steps (see
fake_daemon.py); stdin: bytes; terminal: on a pseudo-terminal; json: standard output must parse to
exactly this; wide: lines may be wider than 80 columns (data, not tables). Files are in the case's
own FOLDER: file: bytes of b before; written: (name, bytes) after; absent: a name not there after,
nor anything beside it. A list for stdin is one answer to each question on the terminal.
"""

import hashlib
import json


def done(result):
    return [{"code": 0, "result": result}]


def refused(code, what, why, hint=None):
    error = {"what": what, "why": why}
    if hint:
        error["hint"] = hint
    return [{"code": code, "error": error}]


CLUSTER = "3f9a1c5e7b2d4860a1b2c3d4e5f60718"
TOKEN = "essaim1-h6nbyxt3fvegbinswpkol5qhda-aaaaaaaaaaaaa-mfrggzdfmztwq2lknnwg23tpoa-4bqw6za"

STATUS = {
    "cluster": CLUSTER, "generation": 1, "node": "n1", "profile": "default",
    "master": {"name": "n2", "epoch": 7}, "lease_remaining_ms": 1234,
    "voters": {"total": 3, "reachable": 3, "needed": 2}, "members": {"total": 3, "reachable": 3},
    "dropped": {"short": 0, "stranger": 0}, "standing": "member", "self_master": False,
    "commit": 120, "applied": 120, "health": 0, "votes": True, "disk_failed": False,
    "quarantine_ms": 0, "version": "0.1.0", "uptime_s": 11520,
    "level": 2, "versions": {"0.1.0": 3}, "voters_wanted": 3, "voters_why": "3 of 3 members vote",
}

BLANK = {
    "cluster": None, "generation": 0, "node": "n1", "profile": None, "master": None,
    "lease_remaining_ms": 0, "voters": {"total": 0, "reachable": 0, "needed": 0},
    "members": {"total": 0, "reachable": 0}, "dropped": {}, "standing": "uninitialised",
    "self_master": False, "commit": 0, "applied": 0, "health": 0, "votes": False,
    "disk_failed": False, "quarantine_ms": 0, "version": "0.1.0", "uptime_s": 3,
}


def node(name, address, state="reachable", **more):
    row = {"name": name, "id": "0123456789abcdef", "address": address, "state": state,
           "role": "node", "voter": True, "master": False, "self": False, "incarnation": 3,
           "since_ms": 4000, "heard_ms": 120, "accusers": [], "wire": [1, 2], "version": "0.2.0"}
    row.update(more)
    return row


DECLARED = [{"name": "fast", "id": "01af0000000000000000000000000000", "type": "lvm", "shared": True, "path": "",
             "source": "", "vg": "vg0", "pool": "", "all_nodes": False, "nodes": ["n1", "n3"],
             "seen": [{"node": "n1", "state": "fine", "old": False, "size": 532676608000, "free": 465567744,
                       "uuid": "jTdXmIP3GLa5W2CRBbfDf79Ku5C79mf2", "why": ""},
                      {"node": "n3", "state": "missing", "old": True, "size": 0, "free": 0, "uuid": "",
                       "why": "there is no volume group 'vg0'"}]},
            {"name": "far", "id": "02af0000000000000000000000000000", "type": "nfs", "shared": True, "path": "/srv/far",
             "source": "nas:/far", "vg": "", "pool": "", "all_nodes": True, "nodes": [], "seen": []}]
STORAGES = {
    "declared": DECLARED,
    "nodes": [{"node": "n1", "lvm": "seen", "old": False, "since": None, "volumes": 12, "more": 0},
              {"node": "n2", "lvm": "none", "old": False, "since": None, "volumes": 0, "more": 0},
              {"node": "n3", "lvm": "stuck", "old": True, "since": "2026-03-01T12:00:00.000Z", "volumes": 3, "more": 0}],
    "storages": [{"node": "n1", "type": "lvm", "name": "vg0", "uuid": "jTdXmIP3GLa5W2CRBbfDf79Ku5C79mf2",
                  "size": 532676608000, "free": 465567744, "extent": 4194304, "devices": 2, "missing": 0,
                  "partial": False, "exported": False},
                 {"node": "n3", "type": "lvm", "name": "vg_with_a_rather_long_name_for_a_table",
                  "uuid": "akfyof43Lxnop4tZ20u0ImttIJTU0Rii", "size": 125829120, "free": 0, "extent": 4194304,
                  "devices": 2, "missing": 1, "partial": True, "exported": False}],
    "devices": [{"node": "n1", "path": "/dev/sda", "group": "vg0", "uuid": "Cz9CyDi5CeLtJID4vOIF7qVrYWsc1Jx7",
                 "size": 532676608000, "free": 0, "missing": False, "duplicate": True, "other": "/dev/sdb"},
                {"node": "n3", "path": "[unknown]", "group": "vg_with_a_rather_long_name_for_a_table",
                 "uuid": "E7crFoKpj14xyylruAONYeWocLkrjDL9", "size": 62914560, "free": 0, "missing": True,
                 "duplicate": False, "other": ""}],
}


def volume(node_name, name, **more):
    row = {"node": node_name, "storage": "vg0", "name": name, "uuid": "UbkBQNzsteaFMwU5ssSwTsqlZrxNKR0f",
           "kind": "linear", "size": 8388608, "active": True, "open": False, "sick": False, "data_percent": None,
           "metadata_percent": None, "origin": "", "pool": "", "tags": ""}
    row.update(more)
    return row


def made(name, node_name="n2", **more):
    row = {"storage": "fast", "name": name, "node": node_name, "size": 10485760, "seen_size": 12582912,
           "path": f"/dev/vg0/{name}", "tag": "essaim-7-0123456789abcdef", "origin": "", "sparse": False, "operation": 7,
           "there": "yes"}
    row.update(more)
    return row


MADE = [made("web"), made("snap", origin="web", there="not seen"),
        made("iso", "", storage="vms", path="/srv/vms/iso.raw", there="unseen")]
VOLUMES = {"recorded": MADE, "volumes": [volume("n1", "vm-101", open=True), volume("n1", "pool", kind="pool", data_percent=87.0),
                       volume("n2", "off", active=False), volume("n2", "snap", kind="snapshot", sick=True),
                       volume("n2", "who-knows", active=None, open=None)], "more": 7}


def drbd_side(node_name, role="Secondary", connection="Connected", disk="UpToDate", **more):
    row = {"node": node_name, "known": True, "role": role, "suspended": False, "connection": connection, "volumes": [
        {"volume": 0, "minor": 0, "disk": disk, "size": 33513472, "open": False, "backing": "/dev/vg0/r0",
         "replication": "Established", "peer_disk": "UpToDate", "out_of_sync": 0, "done_percent": None}]}
    row.update(more)
    return row


def drbd(name, verdict, sentence, sides, **more):
    row = {"name": name, "verdict": verdict, "sentence": sentence, "well": verdict == "fine", "about": "",
           "out_of_sync": 0, "options_differ": False, "peer": "", "done_percent": None, "sides": sides}
    row.update(more)
    return row


DRBDS = {"resources": [
    drbd("r0", "fine", "both sides are connected and up to date", [drbd_side("n1", "Primary"), drbd_side("n2")]),
    drbd("r1", "split-brain", "both sides were written while apart, and neither may be thrown away unasked",
         [drbd_side("n1", "Primary", "StandAlone"), drbd_side("n2", "Primary", "StandAlone")], out_of_sync=4096,
         options_differ=True, about="n2"),
    drbd("r2", "resyncing", "what one side lacks is being copied",
         [drbd_side("n1", "Primary"), drbd_side("n2", disk="Inconsistent")], out_of_sync=22605824, done_percent=32.0),
    drbd("r3", "unknown", "one side is not known", [drbd_side("n1", known=False)], peer="n9"),
]}

NODES = [
    node("n1", "192.0.2.1:7800", self=True, since_ms=11520000),
    node("n2", "192.0.2.2:7800", master=True, incarnation=12, since_ms=9000000),
    node("n3", "192.0.2.3:7800", since_ms=300),
]

SUFFERING = [
    node("n1", "192.0.2.1:7800", self=True, since_ms=11520000),
    node("n2", "192.0.2.2:7800", state="unreachable", since_ms=12000, heard_ms=14200, accusers=[
        {"name": "n1", "health": 0, "outcome": "silent"},
        {"name": "n3", "health": 2, "outcome": "refused"}]),
    node("n3", "[2001:db8:1234:5678:9abc:def0:1234:5678]:7800", state="suspect", heard_ms=2100,
         accusers=[{"name": "n1", "health": 0, "outcome": "host_up"}]),
    node("a-node-with-a-rather-long-name.rack-17.example", "203.0.113.117:17800", voter=False,
         state="unknown", heard_ms=-1, incarnation=0, since_ms=99000000),
    node("w1", "192.0.2.9:7800", role="witness", since_ms=300000000, wire=[1, 1], version="0.1.0"),
    node("gone", "192.0.2.8:7800", state="removed", voter=False, since_ms=90061000, wire=[0, 0], version=None),
]

SHOWN = dict(NODES[1], key="9f" * 32, clock={"offset_ms": -12, "error_ms": 1, "round_trip_ms": 2},
             facts={"version": {"value": "0.1.0", "version": 1, "age_ms": 61000},
                    "load": {"value": {"one_minute": 12, "cores": 2}, "version": 88, "age_ms": 900},
                    "address": {"value": "a value so long that it has to be wrapped inside its "
                                         "column, since cutting it would hide its end",
                                "version": 2, "age_ms": 7200000}})

MACHINE = {"host": {"uname": "n2", "kernel": "6.1.0-18-amd64", "version": "0.2.0", "virtualisation": "kvm",
                    "distribution": "Debian GNU/Linux 12", "cpus": 4, "memory_mib": 16000,
                    "booted": "2026-03-01T12:00:00.000Z", "ssh_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"},
           "usage": {"unknown": False, "unknown_since": None, "load_percent": 25, "memory_percent": 40,
                     "root_percent": 35, "data_percent": 5},
           "time": {"unknown": False, "unknown_since": None, "synchronised": True, "service": "chrony"},
           "dns": {"unknown": False, "unknown_since": None, "verdict": "ok"}}
UNKNOWN = {"unknown": True, "unknown_since": "2026-03-01T12:00:05.000Z"}
UNTOLD = dict(MACHINE, usage=UNKNOWN, time=UNKNOWN, dns=UNKNOWN)


def path(local, remote, state="up", **more):
    row = {"local": local + ":7800", "remote": remote + ":7800", "state": state, "used": False,
           "round_trip_ms": 0.4, "heard_ms": 900}
    row.update(more)
    return row


TWO_PATHS = dict(SHOWN, paths=[
    path("192.0.2.1", "192.0.2.2", "down", heard_ms=14000),
    path("192.0.2.1", "198.51.100.2", "unknown", round_trip_ms=None, heard_ms=None),
    path("198.51.100.1", "198.51.100.2", used=True),
    path("[2001:db8:1234:5678:9abc:def0:1234:1]", "[2001:db8:1234:5678:9abc:def0:1234:2]")])

SETTINGS = {
    "voters": {"value": "5", "set": True, "legal": "auto, 3, 5 or 7"},
    "voter-patience": {"value": "5m", "set": False, "legal": "a duration from 1s to 7d"},
    "profile": {"value": "default", "set": False, "legal": "default or lan"},
}


def voter(name, **more):
    return dict({"name": name, "witness": False, "reachable": True, "master": False, "health": 0}, **more)


SWARM = {
    "cluster": CLUSTER, "generation": 1, "hash": "c0ffee00" * 8, "level": 2, "profile": "default",
    "settings": SETTINGS, "voters": [voter("n1"), voter("n2", master=True), voter("w1", witness=True)],
    "voters_wanted": 3, "voters_why": "5 are wished, and there are members for 3", "generations": [],
}

SEIZED_SWARM = dict(SWARM, generation=3, voters=[voter("n1", master=True), voter("n3", reachable=False)],
                    voters_wanted=2, voters_why="n3 is unreachable, and nobody could take its place",
                    generations=[
    {"number": 2, "how": "seized", "by": "n1", "when": "2026-03-01T12:00:00.000Z", "dead": ["n2", "n4"],
     "hash": "beef0000" * 8},
    {"number": 3, "how": "restored", "by": "n1", "when": "2026-04-01T12:00:00.000Z", "dead": [],
     "hash": "c0ffee00" * 8}])

PLAN = {
    "plan": True, "cluster": CLUSTER, "generation": 1, "node": "n1", "commit": 120, "wait_ms": 3200,
    "dead": [{"name": "n2", "voter": True, "state": "unreachable", "heard_ms": 1830000},
             {"name": "n3", "voter": False, "state": "unknown", "heard_ms": -1}],
    "follow": ["n4", "w1"],
}
SEIZED = {"generation": 2, "hash": "c0ffee00" * 8, "followed": ["n4"], "removed": ["n2", "n3"]}

EVENTS = [
    {"time": "2026-03-01T12:00:00.123Z", "rule": "LEASE_TAKEN", "level": "notice", "subject": "n2",
     "other": None, "text": "n2 is master in epoch 7"},
    {"time": "2026-03-01T12:00:01.000Z", "rule": "SUSPECTED", "level": "warning", "subject": "n3",
     "other": "n1", "text": "n3 is suspect: accused by n1\x1b[31m"},
]

TOKENS = [
    {"id": "5f3a9c0b11d2e477", "role": "node", "expires": "2026-03-01T15:00:00Z", "uses_left": 1,
     "revoked": False},
    {"id": "00000000000000a7", "role": "node", "expires": "2026-03-01T12:30:00Z", "uses_left": 0,
     "revoked": False},
    {"id": "77aa9c0b11d2e400", "role": "witness", "expires": "2026-03-08T12:00:00Z",
     "uses_left": 12, "revoked": True},
]

KEYS = [{"key": "motd", "version": 3, "size": 12}, {"key": "web/config", "version": 1017, "size": 65536},
        {"key": "a/key/" + "long/" * 20, "version": 1, "size": 1536}]

NO_MASTER = refused(3, "cannot write 'motd'", "there is no master: 1 of 3 voters is reachable, 2 are needed",
                    "essaim status")
CHANGED = refused(1, "'motd' was not written", "it is at version 4, not 3", "essaim kv get motd --json")


def case(name, rule, argv, answers=None, **more):
    row = {"name": name, "rule": rule, "argv": argv.split() if isinstance(argv, str) else argv}
    if answers is not None:
        row["answers"] = answers
    row.update(more)
    return row


def both(name, rule, argv, verb, result, **more):
    """For people, and the same with --json, which prints the result unchanged."""
    return [case(name, rule, argv, {verb: done(result)}, **more),
            case(name + "-json", rule + " (as JSON)", argv + " --json", {verb: done(result)},
                 json=result, wide=True)]


CLOCKS = {
    "nodes": [
        {"name": "n1", "unknown": False, "synchronised": True, "service": "chrony", "max_error_ms": 200.0,
         "rate_ppm": 0.0, "stepped_ms": 0.0, "stepped": None},
        {"name": "n2", "unknown": False, "synchronised": False, "service": "", "max_error_ms": 0.0,
         "rate_ppm": -12.0, "stepped_ms": -3600000.0, "stepped": "2026-03-01T12:00:00.000Z"},
        {"name": "n3", "unknown": True, "synchronised": False, "service": "", "max_error_ms": 0.0,
         "rate_ppm": 0.0, "stepped_ms": 0.0, "stepped": None, "unknown_since": "2026-03-01T12:00:05.000Z"}],
    "offsets": [
        {"from": "n1", "to": "n2", "offset_ms": 3000.0, "error_ms": 2.0},
        {"from": "n2", "to": "n1", "offset_ms": -3000.0, "error_ms": 4.0},
        {"from": "n1", "to": "n3", "offset_ms": 0.0, "error_ms": 2.0}],
    "measured": [{"to": "n2", "offset_us": 3000123.0, "bound_us": 410.0}],
    "findings": [{"what": "the clock of n2 is off by 3 s (known to +- 2 ms)"}],
}

DNS = {
    "servers": [
        {"node": "n1", "server": "192.0.2.53", "verdict": "ok", "rcode": 0, "worst_ms": 0},
        {"node": "n1", "server": "2001:db8::53", "verdict": "dead", "rcode": 0, "worst_ms": 0},
        {"node": "n1", "server": "system", "verdict": "slow", "rcode": 0, "worst_ms": 2000}],
    "problems": [
        {"node": "n1", "about": "n2", "kind": "name", "server": "192.0.2.53", "verdict": "differs", "worst_ms": 0},
        {"node": "n1", "about": "n3", "kind": "address", "server": "192.0.2.53", "verdict": "slow", "worst_ms": 2000}],
    "unknown": [], "unknown_since": {},
}

SICK = {
    "findings": [
        {"code": "NAME_MISMATCH", "severity": "error", "area": "dns", "about": "n2", "where": ["n1", "n3"],
         "what": "on n1 the name n2 leads to 192.0.2.99",
         "why": "Whoever uses the name (ssh, migration, file shares) reaches another machine.",
         "command": "getent ahosts n2   # on n1, then mend DNS or /etc/hosts", "since": "2026-03-01T12:00:00.000Z"},
        {"code": "VOTERS_TWO", "severity": "info", "area": "quorum", "about": None, "where": ["n1"],
         "what": "two voters: when either dies there is no master",
         "why": "Two machines alone cannot tell a dead peer from a cut cable.",
         "command": "essaim token create --witness   # and join --witness on any small board",
         "since": "2026-03-01T12:00:00.000Z"}],
    "asked": 2, "silent": ["n3"],
}

OPERATION = {
    "operation": 12, "id": "fe7078558d3e8b3f-3-9", "noun": "hook", "verb": "run", "subject": "backup on n2",
    "who": "root", "from": "n1", "undoing": False, "step": 1, "targets": ["n2"],
    "locks": ["hook backup on n2"], "age_ms": 63000, "state": "running", "epoch": 7,
    "asked": "2026-03-01T12:00:00.000Z", "started": "2026-03-01T12:00:00.010Z",
    "deadline": "2026-03-01T13:00:00.000Z", "arguments": {"node": "n2", "name": "backup"}, "text": "",
    "phase": "run the hook", "steps": 1, "step_ms": 40000, "waits": "'n2' is asked how far it is",
}
AUDIT = [
    {"operation": 11, "id": "fe7078558d3e8b3f-3-8", "noun": "job", "verb": "add", "subject": "nightly", "who": "uid 1000",
     "from": "n1", "epoch": 7, "asked": "2026-03-01T11:00:00.000Z", "ended": "2026-03-01T11:00:00.000Z",
     "state": "done", "lasted_ms": 0, "arguments": {}, "text": ""},
    {"operation": 12, "id": "fe7078558d3e8b3f-3-9", "noun": "hook", "verb": "run", "subject": "backup on n2",
     "who": "root", "from": "n1", "epoch": 7, "asked": "2026-03-01T12:00:00.000Z", "ended": None, "state": "open",
     "lasted_ms": None, "arguments": {"node": "n2", "name": "backup"}, "text": ""},
]
JOB = {"name": "nightly", "noun": "hook", "verb": "run", "who": "root", "from": "n1",
       "arguments": {"node": "n2", "name": "backup"}, "every_ms": 86400000, "due": "2026-03-02T02:30:00.000Z",
       "runs": 3, "last": 10, "note": "'hook backup on n2' is locked by operation 9"}
STARTED = {"operation": 12, "id": "fe7078558d3e8b3f-3-9", "what": "hook run", "result": "started", "state": "queued",
           "text": ""}


def ended(result, text=""):
    return done({**STARTED, "result": result, "state": result, "text": text})


def progress(**more):
    return {"event": {"operation": 12, "state": "running", "undoing": False, "step": 1, "steps": 3, "phase": "copy",
                      "done_bytes": 1610612736, "total_bytes": 3221225472, "rate": 104857600, "left_ms": 15400,
                      "step_ms": 14000, "waits": "", **more}}


def point(check, state, what, command=""):
    return {"check": check, "state": state, "what": what, "command": command}


DOOR = {
    "checks": [
        point("address", "ok", "192.0.2.1:7800 takes TCP connections (2 ms)"),
        point("udp", "unknown", "nobody answers the packets of a node that is no member: its key is not known there"),
        point("token", "wrong", "the token is used up", "essaim token create   # on any member"),
        point("master", "wrong", "no master: n1 was just started and does not vote yet; clears by itself in 3 s",
              "essaim join 192.0.2.1:7800 --token TOKEN   # again, then")],
    "verdict": "token: the token is used up",
}
OPEN_DOOR = {"checks": [point("address", "ok", "192.0.2.1:7800 takes TCP connections (2 ms)")],
             "verdict": "nothing is wrong"}

TROUBLE = dict(STATUS, master=None, lease_remaining_ms=0,
               voters={"total": 3, "reachable": 1, "needed": 2}, members={"total": 5, "reachable": 2})


# A backup as the daemon gives it, and as the file holds it.
BACKUP_ROWS = [
    {"essaim_backup": 1, "cluster": CLUSTER, "generation": 1, "hash": "c0ffee00" * 8, "index": 120,
     "made": "2026-03-01T12:00:00.000Z", "node": "n1"},
    {"table": "setting", "key": "voters", "value": "5"},
    {"table": "member", "key": "n1", "id": "0123456789abcdef", "address": "192.0.2.1:7800", "role": "node"},
    {"table": "kv", "key": "motd", "version": 3, "changed_ns": 1772366400000000000, "value": "back at noon"},
]


def lines(rows):
    return [json.dumps(row, separators=(",", ":")).encode() for row in rows]


def checksum(rows):
    """As node/backup_lines.h has it: each line's BLAKE2b-256 hashed together with the sum so far."""
    total = bytes(32)
    for line in lines(rows):
        total = hashlib.blake2b(total + hashlib.blake2b(line, digest_size=32).digest(), digest_size=32).digest()
    return total.hex()


FOOT = {"rows": len(BACKUP_ROWS) - 1, "checksum": checksum(BACKUP_ROWS)}
BACKUP = b"".join(line + b"\n" for line in lines(BACKUP_ROWS + [FOOT]))
RESTORED = {"cluster": CLUSTER, "generation": 2}

CASES = [
    # ---- status ----
    *both("status", "status shows the cluster on one page", "status", "status", STATUS),
    case("bare", "a bare essaim is its status", "", {"status": done(STATUS)}),
    case("status-master", "status says that this node is the master itself", "status",
         {"status": done(dict(STATUS, node="n2", self_master=True))}),
    *both("status-blank", "status of a node without a cluster says how to get one", "status", "status", BLANK),
    case("status-joining", "a node that is joining has no cluster yet, and says so", "status",
         {"status": done(dict(BLANK, node="n4", standing="joining")), "node list": done([])}),
    case("status-no-master", "without enough voters status says how many are needed and who is missing",
         "status", {"status": done(TROUBLE), "node list": done(SUFFERING)}),
    case("status-no-master-no-list", "status does without the list of nodes", "status",
         {"status": done(TROUBLE), "node list": refused(1, "no", "no")}),
    case("status-election", "with enough voters but no master status says that an election is under way",
         "status", {"status": done(dict(STATUS, master=None)), "node list": done(NODES)}),
    case("status-trouble", "status names what is wrong with this node itself", "status",
         {"status": done(dict(STATUS, disk_failed=True, health=3, votes=False,
                              dropped={"short": 0, "stranger": 12, "clone": 2, "replay": 1}))}),
    case("status-quarantine", "status says how long the quarantine lasts", "status",
         {"status": done(dict(STATUS, votes=False, quarantine_ms=1500))}),
    case("status-removed", "a removed node is told how to come back", "status",
         {"status": done(dict(TROUBLE, standing="removed")), "node list": done(SUFFERING)}),
    case("status-voters", "with fewer voters than wanted status says why", "status", {"status": done(dict(
        STATUS, voters={"total": 3, "reachable": 3, "needed": 2}, voters_wanted=5,
        voters_why="5 are wished, and there are members for 3: let two more nodes join"))}),
    case("status-upgrade", "while versions differ status says how many run which", "status", {"status": done(dict(
        STATUS, level=1, versions={"0.1.0": 1, "0.2.0": 2}))}),
    case("status-old-generation", "a node that was left behind is told by whom, and how to come back", "status",
         {"status": done(dict(TROUBLE, standing="old generation", superseded_by="n1", rival=False)),
          "node list": done(SUFFERING)}),
    case("status-rival", "the loser of two seizures is told that it lost", "status",
         {"status": done(dict(TROUBLE, standing="old generation", superseded_by="n4", rival=True)),
          "node list": done(SUFFERING)}),
    case("status-consented", "a node that follows a seizure says whose", "status",
         {"status": done(dict(TROUBLE, votes=False, consented_to="n1")), "node list": done(NODES)}),
    # ---- init, join, leave ----
    *both("init", "init sends the name and the profile", "init n1", "init", {"cluster": CLUSTER, "node": "n1"}),
    case("init-lan", "init takes a profile", "init n1 --profile=lan",
         {"init": done({"cluster": CLUSTER, "node": "n1"})}),
    case("init-again", "a refusal is printed as what, why and what to try", "init n1",
         {"init": refused(1, "cannot found a cluster", "this node already belongs to one", "essaim status")}),
    *both("join", "join sends every address, the token and the name",
          "join 192.0.2.1 [2001:db8::2]:7801 --token %s --name n3" % TOKEN, "join",
          {"cluster": CLUSTER, "node": "n3"}),
    case("join-witness", "join --witness says so", "join 192.0.2.1 --witness --token " + TOKEN,
         {"join": done({"cluster": CLUSTER, "node": "w1"})}),
    case("join-refused", "a refused token says why", "join 192.0.2.1 --token " + TOKEN,
         {"join": refused(1, "192.0.2.1:7800 refused the token", "it was used already",
                          "essaim token create (on any member)")}),
    case("join-screen", "a join that fails shows why, point by point, before its error",
         "join 192.0.2.1 192.0.2.2 --name n3 --token " + TOKEN,
         {"join": refused(1, "'join' failed", "the token is used up", "essaim status"), "doctor auth": done(DOOR)}),
    case("join-screen-json", "as JSON the error of a join holds the points",
         "join 192.0.2.1 --json --token " + TOKEN,
         {"join": refused(1, "'join' failed", "the token is used up", "essaim status"), "doctor auth": done(DOOR)},
         json={"error": {"what": "'join' failed", "why": "the token is used up", "hint": "essaim status"},
               "code": 1, "doctor": DOOR}, wide=True),
    case("leave", "leave goes ahead without a terminal", "leave", {"leave": done({})}),
    case("leave-json", "a verb without a result prints an empty object as JSON", "leave --json",
         {"leave": done({})}, json={}),
    # ---- events, version ----
    case("events", "events prints a line for each, control characters made harmless", "events --lines 2",
         {"events": [{"event": e} for e in EVENTS] + done({})}, wide=True),
    case("events-json", "events as JSON prints one object per line and no final one",
         "events --follow --json", {"events": [{"event": e} for e in EVENTS] + done({})}, wide=True),
    *both("version", "version tells both programs and the wire range", "version", "version",
          {"version": "0.1.0", "wire_min": 1, "wire_max": 1}),
    # ---- token ----
    *both("token-create", "token create prints the token alone on standard output",
          "token create --expires 90m --uses 4", "token create",
          {"token": TOKEN, "expires": "2026-03-01T15:00:00Z"}, wide=True),
    case("token-create-witness", "token create --witness makes a token for a witness", "token create --witness",
         {"token create": done({"token": TOKEN, "expires": "2026-03-01T15:00:00Z"})}, wide=True),
    *both("token-list", "token list shows what is left of each", "token", "token list", TOKENS),
    case("token-list-empty", "no tokens is said in words", "token list", {"token list": done([])}),
    *both("token-revoke", "token revoke sends the id", "token revoke 5f3a9c0b11d2e477", "token revoke", {}),
    # ---- node ----
    *both("node-list", "node list shows every member", "node", "node list", NODES),
    *both("node-list-suffering", "node list says who accuses whom, and stays within 80 columns", "node list",
          "node list", SUFFERING),
    case("node-list-empty", "a node without a cluster lists no members", "node list", {"node list": done([])}),
    *both("node-show", "node show tells key, clock and facts", "node show n2", "node show", SHOWN),
    *both("node-show-machine", "node show tells what the machine is and how it is", "node show n2", "node show",
          dict(SHOWN, facts={}, **MACHINE)),
    *both("node-show-unknown", "node show tells what is not known, and since when", "node show n2", "node show",
          dict(SHOWN, facts={}, **UNTOLD)),
    *both("node-list-machines", "node list --wide tells of the machines what is known", "node list --wide", "node list",
          [dict(NODES[0], **MACHINE), dict(NODES[1], **UNTOLD), NODES[2]]),
    case("node-show-bare", "node show leaves out what it does not know", "node show n3",
         {"node show": done(dict(SUFFERING[1], key="00" * 32, clock=None, facts={}))}),
    case("node-show-missing", "an unknown node is refused by the daemon", "node show n9",
         {"node show": refused(1, "no node 'n9'", "the cluster has no such member", "essaim node list")}),
    *both("node-remove", "node remove goes ahead without a terminal", "node remove n3", "node remove", {}),
    *both("node-list-wide", "node list --wide shows the versions in 80 columns", "node list --wide", "node list",
          SUFFERING),
    *both("node-show-paths", "node show tells which paths work and which one is used", "node show n2", "node show",
          TWO_PATHS),
    case("node-show-clone", "node show tells where a second process with its key was", "node show n2",
         {"node show": done(dict(NODES[1], facts={}, clock=None, key="9f" * 32,
                                 clone={"address": "203.0.113.9:7800", "ago_ms": 4000}))}),
    case("node-list-rekeyed", "a key that a member had before is left out of the short list", "node list",
         {"node list": done([NODES[0], dict(NODES[1], state="removed", successor="fedcba9876543210"), NODES[1]])}),
    case("node-list-rekeyed-wide", "and stands in the wide one", "node list --wide",
         {"node list": done([NODES[0], dict(NODES[1], state="removed", successor="fedcba9876543210"), NODES[1]])}),
    case("node-list-clone", "node list raises the alarm, too", "node list",
         {"node list": done([NODES[0], dict(NODES[1], clone={"address": "203.0.113.9:7800", "ago_ms": 4000})])}),
    case("status-clone", "and status names whose key it is", "status", {"status": done(dict(STATUS, clones=["n2"]))}),
    *both("node-rekey", "node rekey tells both ids", "node rekey", "node rekey",
          {"old_id": "0123456789abcdef", "new_id": "fedcba9876543210"}),
    *both("node-reset", "node reset goes ahead without a terminal", "node reset --yes", "node reset", {}),
    # ---- master ----
    *both("master-show", "master show tells the epoch and the lease", "master", "master show",
          {"name": "n2", "epoch": 7, "lease_remaining_ms": 980}),
    case("master-none", "master show exits with 3 without a master", "master show",
         {"master show": refused(3, "there is no master", "1 of 3 voters is reachable, 2 are needed",
                                 "essaim status")}),
    *both("master-transfer", "master transfer names the heir, and says how long nobody was master",
          "master transfer n2", "master transfer", {"name": "n2", "epoch": 8, "gap_ms": 3.25}),
    case("master-transfer-any", "master transfer without a name leaves the choice to the master",
         "master transfer", {"master transfer": done({"name": "n3", "epoch": 9, "gap_ms": None})}),
    case("master-transfer-refused", "a hand-over that cannot be says why not", "master transfer w1",
         {"master transfer": refused(1, "'master transfer' was refused", "'w1' is a witness: it never is master",
                                     "essaim cluster show")}),
    case("seize-script", "a script gives the names of the dead twice", "master seize --dead n2,n3 --confirm n2,n3",
         {"master seize": [{"code": 0, "result": PLAN}, {"progress": {"text": "waits out its own lease"}}] +
          done(SEIZED)}),
    case("seize-json", "the same as JSON, without the plan", "master seize --confirm n2,n3 --json",
         {"master seize": [{"code": 0, "result": PLAN}] + done(SEIZED)}, json=SEIZED, wide=True),
    case("seize-nobody", "without a terminal and without --confirm nothing is seized", "master seize",
         {"master seize": [{"code": 0, "result": PLAN}]}),
    case("seize-nobody-json", "nor with --json", "master seize --json",
         {"master seize": [{"code": 0, "result": PLAN}]}, wide=True),
    case("seize-quorum", "what the daemon refuses at once is not even asked", "master seize --dead n2",
         {"master seize": refused(1, "'master seize' was refused",
                                  "a majority is reachable: 2 of 3 voters; an election is under way",
                                  "essaim status")}, terminal=True, wide=True),
    case("seize-typed", "on a terminal it tells what will happen and asks for each name and the cluster",
         "master seize", {"master seize": [{"code": 0, "result": PLAN}] + done(SEIZED)},
         terminal=True, stdin=[b"n2\n", b"n3\n", b"3f9a1c5e\n"]),
    case("seize-mistyped", "another name stops it before anything is sent", "master seize",
         {"master seize": [{"code": 0, "result": PLAN}] + done(SEIZED)},
         terminal=True, stdin=[b"n2\n", b"n4\n"], wide=True),
    case("seize-wrong-cluster", "so do other digits", "master seize",
         {"master seize": [{"code": 0, "result": PLAN}] + done(SEIZED)},
         terminal=True, stdin=[b"n2\n", b"n3\n", b"yes\n"], wide=True),
    case("seize-bad-list", "names have commas between them, and none is empty", "master seize --dead n2,,n3"),
    # ---- cluster ----
    *both("cluster-show", "cluster show tells voters and why, and the settings", "cluster", "cluster show", SWARM),
    *both("cluster-show-seized", "cluster show tells who founded each later generation, and without whom",
          "cluster show", "cluster show", SEIZED_SWARM),
    *both("cluster-set", "cluster set sends the name and the value", "cluster set voters 5", "cluster set",
          {"name": "voters", "value": "5"}),
    case("cluster-set-refused", "a value that is not legal is refused with what is", "cluster set voters 4",
         {"cluster set": refused(2, "'cluster set' is not understood", "'4' is not legal for 'voters': auto, 3, 5 or 7",
                                 "essaim help cluster set")}),
    case("cluster-backup", "cluster backup writes every row, and tells what it wrote", "cluster backup FOLDER/b",
         {"cluster backup": [{"event": {"row": r}} for r in BACKUP_ROWS] + done(FOOT)}, written=("b", BACKUP)),
    case("cluster-backup-json", "the same as JSON", "cluster backup FOLDER/b --json",
         {"cluster backup": [{"event": {"row": r}} for r in BACKUP_ROWS] + done(FOOT)}, written=("b", BACKUP),
         wide=True),
    case("cluster-backup-sum", "a backup that is not what the daemon summed is not kept",
         "cluster backup FOLDER/b", {"cluster backup": [{"event": {"row": r}} for r in BACKUP_ROWS] +
                                     done({"rows": 3, "checksum": "00" * 32})}, absent="b"),
    case("cluster-backup-lost", "a backup that breaks off is not kept", "cluster backup FOLDER/b",
         {"cluster backup": [{"event": {"row": BACKUP_ROWS[0]}}, "close"]}, absent="b"),
    case("cluster-backup-nowhere", "a file that cannot be written says why", "cluster backup FOLDER/no/b",
         {"cluster backup": done({})}),
    case("cluster-restore", "cluster restore checks the file, then sends every line",
         "cluster restore FOLDER/b --name n9", {"cluster restore": ["upload"] + done(RESTORED)}, file=BACKUP),
    case("cluster-restore-json", "the same as JSON", "cluster restore FOLDER/b --name n9 --json",
         {"cluster restore": ["upload"] + done(RESTORED)}, file=BACKUP, json=RESTORED, wide=True),
    case("cluster-restore-typed", "on a terminal it tells what is in the file and asks for the node's name",
         "cluster restore FOLDER/b --name n9", {"cluster restore": ["upload"] + done(RESTORED)}, file=BACKUP,
         terminal=True, stdin=b"n9\n", wide=True),
    case("cluster-restore-damaged", "a damaged file is refused before anything is sent",
         "cluster restore FOLDER/b", {}, file=BACKUP.replace(b"noon", b"none")),
    case("cluster-restore-cut", "a file that was cut off is refused", "cluster restore FOLDER/b", {},
         file=BACKUP[:BACKUP.rindex(b"{")]),
    case("cluster-restore-other", "a file that is no backup is refused", "cluster restore FOLDER/b", {},
         file=b"{\"hello\": 1}\n"),
    case("cluster-restore-newer", "a backup of a later format is refused as such", "cluster restore FOLDER/b", {},
         file=BACKUP.replace(b'"essaim_backup":1', b'"essaim_backup":2')),
    case("cluster-restore-empty", "so is an empty file", "cluster restore FOLDER/b", {}, file=b""),
    case("cluster-restore-missing", "and one that is not there", "cluster restore FOLDER/b", {}),
    case("cluster-restore-refused", "a node that is not blank refuses before the lines are read",
         "cluster restore FOLDER/b", {"cluster restore": refused(
             1, "this node already has a cluster", "it is 'n1', and member", "essaim leave")}, file=BACKUP),
    # ---- kv ----
    *both("kv-get", "kv get prints the value and nothing else", "kv get motd", "kv get",
          {"key": "motd", "value": "back at noon", "version": 3}),
    case("kv-get-binary", "kv get prints bytes that are no text as they are", "kv get blob",
         {"kv get": done({"key": "blob", "value_base64": "/wABgGE=", "version": 1})}),
    case("kv-get-nul", "kv get prints a NUL inside a text", "kv get nul",
         {"kv get": done({"key": "nul", "value": "a\x00b", "version": 1})}),
    case("kv-get-local", "kv get --local asks for the local copy", "kv get motd --local --json",
         {"kv get": done({"key": "motd", "value": "x", "version": 3, "age_ms": 12})}),
    case("kv-get-missing", "a missing key exits with 1", "kv get nix",
         {"kv get": refused(1, "no key 'nix'", "nothing was ever put there, or it was deleted", "essaim kv list")}),
    *both("kv-put", "kv put is silent without a terminal", "kv put motd hello --if-version 2", "kv put",
          {"key": "motd", "version": 3}),
    case("kv-put-stdin", "a value of - is read from standard input, byte for byte", "kv put motd -",
         {"kv put": done({"key": "motd", "version": 4})}, stdin="première ligne\nsecond line\n".encode()),
    case("kv-put-binary", "bytes that are no UTF-8 travel as base64", "kv put blob -",
         {"kv put": done({"key": "blob", "version": 1})}, stdin=b"\xff\x00\x01\x80a"),
    case("kv-put-control", "control characters travel as base64: JSON would blow them up", "kv put blob -",
         {"kv put": done({"key": "blob", "version": 1})}, stdin=b"a\x01b"),
    case("kv-put-empty", "an empty value is a value", ["kv", "put", "motd", ""],
         {"kv put": done({"key": "motd", "version": 1})}),
    case("kv-put-largest", "a value of 64 KiB fits", "kv put big -",
         {"kv put": done({"key": "big", "version": 1})}, stdin=b"x" * 65536),
    case("kv-put-too-large", "a larger value is refused before anything is sent", "kv put big -",
         {"kv put": done({})}, stdin=b"x" * 65537),
    case("kv-put-dashes", "behind -- nothing is an option", "kv put -- --key --json",
         {"kv put": done({"key": "--key", "version": 1})}),
    case("kv-put-changed", "a lost race exits with 1", "kv put motd x --if-version 3", {"kv put": CHANGED}),
    case("kv-put-no-master", "without a master a write exits with 3", "kv put motd x", {"kv put": NO_MASTER}),
    case("kv-put-unknown", "an unknown outcome exits with 4", "kv put motd x",
         {"kv put": refused(4, "the outcome is unknown", "the master was lost while it wrote")}),
    *both("kv-delete", "kv delete takes a version", "kv delete motd --if-version 3", "kv delete", {"key": "motd"}),
    *both("kv-list", "kv list wraps long keys", "kv list a/", "kv list", KEYS),
    case("kv-list-bare", "a bare kv is its list, also with an option", "kv --local", {"kv list": done([])}),
    case("kv-watch", "kv watch prints each change", "kv watch web/", {"kv watch": [
        {"event": {"key": "web/a", "version": 1, "value": "one\ntwo", "index": 5}},
        {"event": {"key": "web/a", "version": 1, "value": None, "index": 6}},
        {"event": {"key": "web/b", "version": 2, "value_base64": "/wA=", "index": 7}}] + done({})}),
    case("kv-watch-json", "kv watch as JSON prints one object per line", "kv watch --json", {"kv watch": [
        {"event": {"key": "a", "version": 1, "value": "x", "index": 5}},
        {"event": {"key": "a", "version": 1, "value": None, "index": 6}}] + done({})}),
    # ---- operations ----
    *both("op-list", "op list shows what is open and its locks", "op", "op list", [OPERATION]),
    case("op-list-none", "no open operation is said", "op list", {"op list": done([])}),
    *both("op-show", "op show tells who asked, where it runs, its locks and their end", "op show 12", "op show", OPERATION),
    case("op-show-ended", "op show of one that ended says how", "op show 11",
         {"op show": done({**AUDIT[0], "state": "failed", "text": "the disk is full"})}),
    case("op-show-no-number", "what is no number is refused before anybody is asked", "op show twelve"),
    *both("audit", "audit lists who did what", "audit --lines 2", "audit", AUDIT),
    case("op-wait", "op wait is silent without a terminal, and ends as the operation does", "op wait 12",
         {"op wait": [progress()] + ended("done")}),
    case("op-wait-json", "op wait as JSON tells each progress and the end in a line", "op wait 12 --json",
         {"op wait": [progress()] + ended("done")}, wide=True),
    case("op-wait-terminal", "on a terminal op wait draws a bar that fits", "op wait 12",
         {"op wait": [progress(), progress(step=2, phase="undo", undoing=True, waits="n2 is away")] + ended("done")},
         terminal=True),
    case("op-wait-failed", "an operation that failed exits with 1 and names itself", "op wait 12",
         {"op wait": ended("failed", "copy: the disk is full")}),
    case("op-wait-undone", "one of which nothing is left exits with 1", "op wait 12",
         {"op wait": ended("undone", "root cancelled it")}),
    case("op-wait-unknown", "one of which nobody knows exits with 4", "op wait 12",
         {"op wait": ended("unknown", "n2 is no member any more")}),
    case("op-wait-missing", "one that never was is refused", "op wait 99",
         {"op wait": refused(1, "'operation 99' was refused", "there is no operation 99", "essaim audit")}),
    case("op-cancel", "op cancel is silent", "op cancel 12", {"op cancel": done(STARTED)}),
    case("hook-run", "an operation is started, then waited for", "hook run n2 backup",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("hook-run-detach", "--detach prints its number and does not wait", "hook run n2 backup --detach --queue",
         {"op start": done(STARTED)}),
    case("hook-run-dry", "--dry-run only says what would be done", "hook run n2 backup --dry-run",
         {"op start": done({**STARTED, "operation": 0, "text": "run backup on n2"})}),
    case("hook-run-locked", "a locked thing names the owner", "hook run n2 backup",
         {"op start": refused(1, "'hook run' was refused", "'hook backup on n2' is locked by operation 9, hook run, of "
                              "root from n1", "essaim op wait 9")}),
    *both("storage-show", "storage show says what is declared, what is seen, and why", "storage show fast", "storage show",
          DECLARED[0]),
    case("storage-add", "a storage is declared by an operation, silently", "storage add vms --type nfs --path /srv/vms "
         "--source nas:/vms --nodes n1,n2", {"op start": done(STARTED), "op wait": ended("done")}),
    case("storage-add-unknown-node", "a mistyped node is refused with those that are near", "storage add fast --type lvm "
         "--vg vg0 --nodes n11", {"op start": refused(1, "'storage add' was refused", "no member is called 'n11' (did you "
                                                      "mean 'n1' or 'n2'?): essaim node list shows them", "essaim op list")}),
    case("storage-add-type", "a type that is none is refused, with those that are", "storage add fast --type raid"),
    case("storage-set", "what is declared is changed by an operation", "storage set iso --shared yes",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("storage-remove-in-use", "a storage with volumes is not forgotten", "storage remove vms",
         {"op start": refused(1, "'storage remove' was refused", "the volume 'vms/web' is recorded on it: essaim volume "
                              "list --storage vms", "essaim op list")}),
    *both("volume-show", "volume show has the exact size, and what it is a snapshot of", "volume show fast/snap", "volume show",
          MADE[1]),
    case("volume-show-unknown", "a volume that was not made here is not shown", "volume show fast/wbe",
         {"volume show": refused(1, "there is no such volume", "none that was made here is called 'fast/wbe'",
                                 "essaim volume list")}),
    case("volume-create", "a volume is made by an operation, silently", "volume create fast/web 10M --node n2 --inactive",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("volume-create-room", "missing room is said with how much, and what would make it", "volume create fast/web 1G",
         {"op start": done(STARTED), "op wait": ended("undone", text="create the volume: 'vg0' has too little room: 1073741824 "
          "bytes are needed, 67108864 are free, 1006632960 are missing. With another disk of at least 1010827264 bytes: "
          "pvcreate /dev/DISK; vgextend vg0 /dev/DISK")}),
    case("volume-create-no-size", "a volume needs a size", "volume create fast/web"),
    case("volume-extend", "a volume is extended by an operation", "volume extend fast/web +5G",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("volume-rename", "a volume is renamed by an operation", "volume rename fast/web shop",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("volume-snapshot", "a snapshot is made by an operation", "volume snapshot fast/web monday --room 2G",
         {"op start": done(STARTED), "op wait": ended("done")}),
    case("volume-remove-in-use", "a volume in use is not removed, and by what is said", "volume remove fast/web",
         {"op start": done(STARTED), "op wait": ended("undone", text="see who uses it: it is in use: mounted at /srv/web")}),
    *both("job-list", "job list shows what runs next", "job", "job list", [JOB]),
    *both("job-show", "job show tells why the last run was refused", "job show nightly", "job show", JOB),
    case("job-add", "behind -- stand the words of an operation",
         "job add nightly --every 24h --at 2026-03-02T02:30Z -- hook run n2 backup --queue", {"job add": done(STARTED)}),
    case("job-add-no-time", "a job without a time is refused", "job add nightly -- hook run n2 backup"),
    case("job-add-no-operation", "what is no operation cannot be a job", "job add nightly --every 1h -- kv put a b"),
    case("job-add-bad-time", "a time that is none is refused, with those that are",
         "job add nightly --at noon -- hook run n2 backup"),
    case("job-run", "job run prints the operation's number", "job run nightly", {"job run": done(STARTED)}),
    case("job-remove", "job remove is silent", "job remove nightly", {"job remove": done({})}),
    # ---- errors of the world ----
    case("no-socket", "a missing socket says how to start the daemon", "status"),
    case("no-socket-json", "with --json errors go to standard output", "status --json", wide=True),
    case("dead-socket", "a socket that nobody listens on says so", "node list", dead_socket=True),
    case("long-socket", "a path too long for a socket is refused", ["status", "--socket", "/" + "x" * 120]),
    case("timeout-read", "a read that gets no answer failed", "node list --timeout 50ms", {"node list": ["hold"]}),
    case("timeout-write", "a write that gets no answer has an unknown outcome", "kv put a b --timeout 50ms",
         {"kv put": ["hold"]}),
    case("timeout-write-json", "an unknown outcome as JSON", "init n1 --timeout 50ms --json", {"init": ["hold"]},
         wide=True),
    case("closed-read", "a connection closed before the answer failed a read", "node list", {"node list": ["close"]}),
    case("closed-write", "a connection closed before the answer leaves a write unknown", "token create",
         {"token create": ["close"]}),
    case("garbage", "an answer that is no JSON is called malformed", "node list",
         {"node list": [b"\x00\x00\x00\x03abc"]}),
    case("oversized", "an answer that is too long is called malformed", "node list",
         {"node list": [b"\x7f\xff\xff\xff{}"]}),
    case("no-code", "a final frame without a code is called malformed", "kv put a b", {"kv put": [{"result": {}}]}),
    case("full", "a daemon that is full answers before it reads", "kv put a b", {
        "(refuse before reading)": {"code": 1, "error": {
            "what": "too many commands at once", "why": "64 are running", "hint": "essaim status"}}}),
    case("progress", "progress is not for programs", "kv put a b", {
        "kv put": [{"progress": {"text": "waiting for a master"}}] + done({"key": "a", "version": 1})}),
    # ---- errors of usage ----
    case("unknown-noun", "a mistyped noun gets the nearest one", "nodes"),
    case("unknown-verb", "a mistyped verb gets the nearest one", "kv lst"),
    case("verb-without-noun", "a verb without its noun gets the noun", "put a b"),
    case("unknown-far", "a word that resembles nothing gets the help command", "frobnicate"),
    case("unknown-option", "a mistyped option gets the nearest one", "events --folow"),
    case("unknown-option-far", "an unknown option is answered with those there are", "kv put a b --force"),
    case("missing-argument", "a missing argument shows the command's form", "kv put a"),
    case("missing-token", "join needs a token", "join 192.0.2.1"),
    case("extra-argument", "a word too many is refused", "kv get a b"),
    case("bad-duration", "a duration needs a unit", "token create --expires 3"),
    case("bad-timeout", "a time limit of nothing is refused", "status --timeout 0s"),
    case("bad-number", "a number is a number", "kv put a b --if-version x"),
    case("negative-number", "a version is not negative", "kv put a b --if-version -1"),
    case("bad-choice", "a choice is one of its words", "init n1 --profile wan"),
    case("missing-value", "an option without its value is refused", "kv put a b --if-version"),
    case("flag-with-value", "a flag takes no value", "kv get a --local=yes"),
    case("no-utf8", "an argument that is no UTF-8 is refused", ["kv", "put", "a", "\udcff"]),
    case("usage-json", "errors of usage come as JSON, too", "kv lst --json", wide=True),
    # ---- on a terminal ----
    case("terminal-put", "on a terminal kv put tells the version", "kv put a b",
         {"kv put": done({"key": "a", "version": 8})}, terminal=True),
    case("terminal-get", "on a terminal kv get ends the line", "kv get a",
         {"kv get": done({"key": "a", "value": "b", "version": 8})}, terminal=True),
    case("terminal-init", "on a terminal init says what comes next", "init n1",
         {"init": done({"cluster": CLUSTER, "node": "n1"})}, terminal=True),
    case("terminal-token", "on a terminal token create says how to use it", "token create",
         {"token create": done({"token": TOKEN, "expires": "2026-03-01T15:00:00Z"})}, terminal=True, wide=True),
    case("confirm", "node remove goes ahead once the name was typed", "node remove n3",
         {"node remove": done({})}, terminal=True, stdin=b"n3\n"),
    case("confirm-wrong", "another name stops it before anything is sent", "node remove n3",
         {"node remove": done({})}, terminal=True, stdin=b"n2\n"),
    case("confirm-leave", "leave asks for this node's own name", "leave",
         {"status": done(STATUS), "leave": done({})}, terminal=True, stdin=b"n1\n"),
    case("confirm-reset-blind", "without a name to ask for, a yes will do", "node reset",
         {"status": done(dict(BLANK, node="")), "node reset": done({})}, terminal=True, stdin=b"yes\n"),
    case("confirm-yes", "--yes does not ask", "node remove n3 --yes", {"node remove": done({})}, terminal=True),
    # ---- facts and the doctor ----
    *both("clock", "clock compares all and tells who keeps them", "clock", "clock show", CLOCKS),
    case("clock-blank", "clock says when nothing is known yet", "clock show",
         {"clock show": done({"nodes": [], "offsets": [], "measured": [], "findings": []})}),
    *both("storage", "storage list shows each node's groups, what is old, missing or twice", "storage list", "storage list", STORAGES),
    case("storage-none", "a cluster without storages says so", "storage", {"storage list": done({"declared": [], "nodes": [], "storages": [], "devices": []})}),
    *both("volume", "volume list shows volumes, how full they are and whether they are in use", "volume list", "volume list", VOLUMES),
    *both("drbd", "drbd list has a verdict from both sides", "drbd list", "drbd list", DRBDS),
    case("drbd-show", "drbd show has each side's own view", "drbd show r1", {"drbd show": done({"resources": DRBDS["resources"][1:2]})}),
    case("drbd-show-unknown", "an unknown resource is refused", "drbd show r9", {"drbd show": refused(1, "there is no such resource", "no node has a DRBD resource 'r9'", "essaim drbd list")}),
    case("dns-unknown", "dns tells whose name service is not known, and since when", "dns", {"dns show": done({
        "servers": [{"node": "n1", "server": "system", "verdict": "unknown", "rcode": 0, "worst_ms": 0}],
        "problems": [], "unknown": ["n1"], "unknown_since": {"n1": "2026-03-01T12:00:05.000Z"}})}),
    *both("dns", "dns judges each server and shows names that lead elsewhere", "dns", "dns show", DNS),
    case("dns-show", "show is the default", "dns show", {"dns show": done({"servers": [], "problems": [], "unknown": ["n3"]})}),
    *both("doctor", "doctor shows what is wrong and exits with 1 if it is an error", "doctor", "doctor examine", SICK),
    case("doctor-examine", "nothing wrong is said, and exits with 0", "doctor examine",
         {"doctor examine": done({"findings": [], "asked": 3, "silent": []})}),
    case("doctor-area", "a word after doctor is an area", "doctor dns --node n2 --ignore VOTERS_TWO,NTP_UNSYNCED",
         {"doctor examine": done({"findings": [], "asked": 2, "silent": ["n3"]})}),
    case("doctor-no-area", "an unknown area is told, with those there are", "doctor weather"),
    case("doctor-no-code", "an unknown code is told, with what may be meant", "doctor --ignore NTP_UNSYNCD"),
    *both("doctor-auth", "doctor auth shows point by point what is wrong, and exits with 1",
          "doctor auth 192.0.2.1 --token " + TOKEN, "doctor auth", DOOR),
    case("doctor-auth-well", "doctor auth exits with 0 while nothing is wrong",
         "doctor auth 192.0.2.1 --name n3", {"doctor auth": done(OPEN_DOOR)}),
    case("doctor-explain", "explain teaches a code", "doctor explain NAME_MISMATCH"),
    case("doctor-explain-unknown", "explain of an unknown code suggests one", "doctor explain NAME_MISMATCHED"),
    case("doctor-explain-all", "explain alone lists all codes", "doctor explain"),
    # ---- node add: what needs no other machine (the rest: tests/net/adding.py) ----
    case("node-add-dry-run", "node add --dry-run prints the steps and does nothing", "node add root@n2 --no-install --dry-run"),
    case("node-add-dry-run-json", "the same as JSON", "node add root@[2001:db8::7]:2222 --no-install --dry-run --json", wide=True),
    case("node-add-no-account", "a target without an account is refused", "node add n2"),
    case("node-add-bad-port", "a port is a port", "node add root@n2:99999"),
    case("node-add-bad-host", "a host is a host", "node add root@n2;id"),
    case("node-add-bad-key", "a host key is a fingerprint", "node add root@n2 --host-key aa:bb"),
    case("node-add-both", "a package that must not be installed is refused",
         "node add root@n2 --no-install --package FOLDER/b", file=b"none"),
    case("node-add-no-package", "a file that is no package is refused before anything is asked",
         "node add root@n2 --package FOLDER/b", file=b"none"),
    case("node-add-blank", "a node without a cluster cannot add one", "node add root@n2 --no-install", {"status": done(BLANK)}),
    case("node-add-blank-json", "the same as JSON", "node add root@n2 --no-install --json", {"status": done(BLANK)}, wide=True),
    case("node-add-stopped", "without a daemon here nothing is begun", "node add root@n2 --no-install"),
    case("join-token-stdin", "a token is read from standard input", "join 192.0.2.1 --token -",
         {"join": done({"cluster": CLUSTER, "node": "n2"})}, stdin=TOKEN.encode() + b"\n", wide=True),
    case("join-token-stdin-empty", "no token there is said", "join 192.0.2.1 --token -", {}),
    case("join-token-stdin-long", "what is no token is not sent", "join 192.0.2.1 --token -", {}, stdin=b"x" * 500),
    # ---- help ----
    case("help", "help shows everything on one screen", "help"),
    case("help-noun", "help of a noun shows its verbs", "help kv"),
    case("help-verb", "help of a verb teaches it", "help kv put"),
    case("help-node-add", "help of node add says what it does and needs", "help node add"),
    case("help-seize", "help of seize says what it costs", "help master seize"),
    case("help-settings", "help of set lists the settings", "help cluster set"),
    case("help-option", "--help anywhere does nothing but explain", "kv put --help a"),
    case("help-unknown", "help for an unknown word suggests one", "help kv gett"),
    case("version-option", "--version asks nobody", "--version"),
]

# What was typed (the last word is being typed) and what Tab offers.
COMPLETIONS = [
    (["ma"], ["master"]),
    (["kv", "p"], ["put"]),
    (["--json", "kv", "p"], ["put"]),
    (["token", "create", "--ex"], ["--expires"]),
    (["init", "n1", "--profile", ""], ["default", "lan"]),
    (["status", "--js"], ["--json"]),
    (["help", "node", "re"], ["remove", "rekey", "reset"]),
    (["node", "show", ""], []),
    (["cluster", "set", "voter"], ["voters", "voter-patience"]),
    (["cluster", "re"], ["restore"]),
    (["master", "seize", "--de"], ["--dead"]),
]
