"""The cases: what is typed, what the daemon answers. Expectations are in expected/.

name: of the file; rule: the sentence that the case proves; argv; answers: verb -> steps (see
fake_daemon.py); stdin: bytes; terminal: on a pseudo-terminal; json: standard output must parse to
exactly this; wide: lines may be wider than 80 columns (data, not tables).
"""


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
           "since_ms": 4000, "heard_ms": 120, "accusers": [], "wire": [1, 1]}
    row.update(more)
    return row


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
    node("w1", "192.0.2.9:7800", role="witness", since_ms=300000000),
    node("gone", "192.0.2.8:7800", state="removed", voter=False, since_ms=90061000),
]

SHOWN = dict(NODES[1], key="9f" * 32, clock={"offset_ms": -12, "error_ms": 1, "round_trip_ms": 2},
             facts={"version": {"value": "0.1.0", "version": 1, "age_ms": 61000},
                    "load": {"value": {"one_minute": 12, "cores": 2}, "version": 88, "age_ms": 900},
                    "address": {"value": "a value so long that it has to be wrapped inside its "
                                         "column, since cutting it would hide its end",
                                "version": 2, "age_ms": 7200000}})

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


TROUBLE = dict(STATUS, master=None, lease_remaining_ms=0,
               voters={"total": 3, "reachable": 1, "needed": 2}, members={"total": 5, "reachable": 2})

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
    # ---- init, join, leave ----
    *both("init", "init sends the name and the profile", "init n1", "init", {"cluster": CLUSTER, "node": "n1"}),
    case("init-lan", "init takes a profile", "init n1 --profile=lan",
         {"init": done({"cluster": CLUSTER, "node": "n1"})}),
    case("init-again", "a refusal is printed as what, why and what to try", "init n1",
         {"init": refused(1, "cannot found a cluster", "this node already belongs to one", "essaim status")}),
    *both("join", "join sends every address, the token and the name",
          "join 192.0.2.1 [2001:db8::2]:7801 --token %s --name n3" % TOKEN, "join",
          {"cluster": CLUSTER, "node": "n3"}),
    case("join-refused", "a refused token says why", "join 192.0.2.1 --token " + TOKEN,
         {"join": refused(1, "192.0.2.1:7800 refused the token", "it was used already",
                          "essaim token create (on any member)")}),
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
    *both("token-list", "token list shows what is left of each", "token", "token list", TOKENS),
    case("token-list-empty", "no tokens is said in words", "token list", {"token list": done([])}),
    *both("token-revoke", "token revoke sends the id", "token revoke 5f3a9c0b11d2e477", "token revoke", {}),
    # ---- node ----
    *both("node-list", "node list shows every member", "node", "node list", NODES),
    *both("node-list-suffering", "node list says who accuses whom, and stays within 80 columns", "node list",
          "node list", SUFFERING),
    case("node-list-empty", "a node without a cluster lists no members", "node list", {"node list": done([])}),
    *both("node-show", "node show tells key, clock and facts", "node show n2", "node show", SHOWN),
    case("node-show-bare", "node show leaves out what it does not know", "node show n3",
         {"node show": done(dict(SUFFERING[1], key="00" * 32, clock=None, facts={}))}),
    case("node-show-missing", "an unknown node is refused by the daemon", "node show n9",
         {"node show": refused(1, "no node 'n9'", "the cluster has no such member", "essaim node list")}),
    *both("node-remove", "node remove goes ahead without a terminal", "node remove n3", "node remove", {}),
    *both("node-reset", "node reset goes ahead without a terminal", "node reset --yes", "node reset", {}),
    # ---- master ----
    *both("master-show", "master show tells the epoch and the lease", "master", "master show",
          {"name": "n2", "epoch": 7, "lease_remaining_ms": 980}),
    case("master-none", "master show exits with 3 without a master", "master show",
         {"master show": refused(3, "there is no master", "1 of 3 voters is reachable, 2 are needed",
                                 "essaim status")}),
    *both("master-transfer", "master transfer names the heir", "master transfer n2", "master transfer", {}),
    case("master-transfer-any", "master transfer without a name leaves the choice to the master",
         "master transfer", {"master transfer": done({})}),
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
    # ---- help ----
    case("help", "help shows everything on one screen", "help"),
    case("help-noun", "help of a noun shows its verbs", "help kv"),
    case("help-verb", "help of a verb teaches it", "help kv put"),
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
    (["help", "node", "re"], ["remove", "reset"]),
    (["node", "show", ""], []),
]
