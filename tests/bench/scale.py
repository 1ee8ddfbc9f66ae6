"""scale.py: what many daemons do: two hundred and a thousand at once, a hundred through one seed, a lossy
network, a watch on every node. run.py has the words.

Beside each figure stands the load of the machine at that moment: two cores shared with whatever else
runs there. A bench ends when its limit is over, whatever it has.
"""
import random
import threading
import time

from crowd import Crowd, Gate, Refused, load
from probe import said
from report import figure, talk
from swarm import Swarm
import daemon

SERF_BOOTSTRAP_S = 2.68  # 100 agents through one, ../peers of the measurements that came first
SERF_EVENT_S = 0.487     # 50 agents, 1 of 20 events missed


def here(bench, n, metric, values, target=None, digits=3, worst=False):
    """A figure, and how loaded the machine was."""
    return figure(bench, n, "default", metric, values, target, digits, worst, load=round(load(), 1))


def grow(bench, n, limit, level):
    """n blank daemons, all started at once, all joining at once; what that costs. Yields the crowd."""
    crowd = Crowd(n, level)
    start = time.monotonic()
    crowd.spawn()
    crowd.wait_answers()
    here(bench, n, "processes started until all answer, s", [time.monotonic() - start])
    token = crowd.found()
    start = time.monotonic()
    crowd.join_all(token)
    here(bench, n, "joins until the last is told that it is a member, s", [time.monotonic() - start])
    agreed = crowd.wait_all(n, limit=limit)
    if agreed is None:
        talk(f"not all agree: {crowd.counted()}")
    here(bench, n, f"joins until all agree on {n} reachable, s", [agreed and agreed - start], limit)
    here(bench, n, "CPU of one daemon until then, s", [crowd.cpu_s() / n])
    here(bench, n, "RSS of one daemon, MB", crowd.rss_mb(), 12.0, 1, worst=True)
    return crowd


def grow_paced(bench, n, limit, level):
    """The same as fast as the machine takes them: n daemons on two cores have work for minutes."""
    crowd, gate = Crowd(n, level), Gate()
    start = time.monotonic()
    crowd.spawn_paced(gate)
    crowd.wait_answers()
    here(bench, n, "processes started, some at a time, until all answer, s", [time.monotonic() - start])
    token = crowd.found()
    start = time.monotonic()
    crowd.join_paced(token, gate, told=lambda joined: joined % 100 == 1 and talk(
        f"{joined} have joined after {time.monotonic() - start:.0f} s, {crowd.cpu_s():.0f} s of CPU"))
    here(bench, n, "joins, some at a time, until the last is a member, s", [time.monotonic() - start])
    agreed = crowd.wait_all(n, limit=limit)
    if agreed is None:
        talk(f"not all agree: {crowd.counted()}")
    here(bench, n, f"joins until all agree on {n} reachable, s", [agreed and agreed - start], limit)
    here(bench, n, "CPU of one daemon until then, s", [crowd.cpu_s() / n])
    here(bench, n, "RSS of one daemon, MB", crowd.rss_mb(), 12.0, 1, worst=True)
    here(bench, n, "times the gate opened although the machine was busy", [gate.forced], None)
    return crowd


def quiet(bench, crowd, seconds):
    n = len(crowd.peers)
    before, start = crowd.cpu_s(), time.monotonic()
    time.sleep(seconds)
    here(bench, n, "CPU of a daemon at rest, ms/s", [(crowd.cpu_s() - before) * 1000 / n / (time.monotonic() - start)])


def return_of_all(bench, crowd, limit):
    """Power comes back: every process is new, every store knows all members."""
    n = len(crowd.peers)
    for peer in crowd.peers:
        peer.process.kill()
    for peer in crowd.peers:
        peer.process.wait()
    since, start = time.time(), time.monotonic()
    crowd.spawn()
    agreed = crowd.wait_all(n, limit=limit)
    if agreed is None:
        talk(f"not all agree: {crowd.counted()}")
    here(bench, n, f"all started at once until all agree on {n} reachable, s", [agreed and agreed - start], limit)
    here(bench, n, "CPU of one daemon until then, s", [crowd.cpu_s() / n])
    time.sleep(10)
    here(bench, n, "verdicts about the living in that time", [crowd.verdicts(since)], 0)


def some_leave_and_come_back(bench, crowd, count, limit):
    """serf 662: 150 of 200 stop cleanly and start again at once; some stay 'leaving' for ever there."""
    n = len(crowd.peers)
    going, stay = crowd.peers[n - count:], {peer.name for peer in crowd.peers[:n - count]}
    begun, start = time.time(), time.monotonic()
    for peer in going:
        peer.process.terminate()
    for peer in going:
        peer.process.wait()
    crowd.spawn(going)
    since = time.time()  # before, they were unreachable in truth
    agreed = crowd.wait_all(n, limit=limit)
    if agreed is None:
        talk(f"not all agree: {crowd.counted()}")
    here(bench, n, f"{count} stopped and started at once until all agree, s", [agreed and agreed - start], limit)
    time.sleep(10)
    meanwhile = crowd.verdicts(begun) - crowd.verdicts(begun, stay)  # about those who never stopped
    here(bench, n, "verdicts about the living in that time", [crowd.verdicts(since) + meanwhile], 0)
    here(bench, n, "members of whom somebody still thinks otherwise", [n - min(
        peer.status()["members"]["reachable"] for peer in crowd.peers)], 0)


def some_die(bench, crowd, count, limit):
    n = len(crowd.peers)
    victims = random.sample(crowd.peers[1:], count)
    names = {peer.name for peer in victims}
    since = time.time()
    for peer in victims:
        peer.process.kill()
    alive = [peer for peer in crowd.peers if peer not in victims]
    crowd.wait_all(n - count, alive, limit)
    took = last_word(alive, names, since)
    if took is None:
        talk(f"not all know: {crowd.counted()}")
    here(bench, n, f"{count} killed at once until all know, s", [took], 5.0)
    time.sleep(10)
    here(bench, n, "verdicts about the living in that time", [crowd.verdicts(since, names)], 0)


def last_word(peers, names, since):
    """When the last of them spoke its verdict about the last of those, by their own logs."""
    last = since
    for peer in peers:
        known = {}
        for at, _, subject in peer.said({"UNREACHABLE"}, since):
            known.setdefault(subject, at)
        if not names <= set(known):
            return None
        last = max([last] + [known[name] for name in names])
    return last - since


def scale200():
    with grow("scale200", 200, 120, "warning") as crowd:
        time.sleep(10)
        here("scale200", 200, "verdicts about the living in that time", [crowd.verdicts()], 0)
        quiet("scale200", crowd, 10)
        return_of_all("scale200", crowd, 120)
        some_leave_and_come_back("scale200", crowd, 150, 120)
        some_die("scale200", crowd, 10, 60)


def storm():
    """200 ask one member at once: most are told to ask again later, and nobody's answer is lost."""
    with Crowd(200, "info") as crowd:
        crowd.spawn()
        crowd.wait_answers()
        token = crowd.found()
        start = time.monotonic()
        crowd.join_all(token, crowd.first, in_flight=200)
        agreed = crowd.wait_all(200, limit=60)
        told = sum(1 for peer in crowd.peers if peer.said({"JOIN_WAITS"}))
        failed = sum(len(peer.said({"JOIN_FAILED"})) for peer in crowd.peers)
        here("storm", 200, "joins at once to one member until all agree, s", [agreed and agreed - start], 60)
        here("storm", 200, "joiners told to ask again later", [told], ">= 1")
        here("storm", 200, "joins that failed", [failed], 0)
        here("storm", 200, "verdicts about the living", [crowd.verdicts()], 0)


def scale_paced(n, limit):
    bench = f"scale{n}"
    with grow_paced(bench, n, limit, "warning") as crowd:
        time.sleep(10)
        here(bench, n, "verdicts about the living in that time", [crowd.verdicts()], 0)
        quiet(bench, crowd, 10)
        some_die(bench, crowd, 10, 40)
        here(bench, n, "RSS of one daemon at the end, MB", crowd.rss_mb(), 12.0, 1, worst=True)


def scale300():
    scale_paced(300, 60)


def scale600():
    scale_paced(600, 120)


def scale1000():
    scale_paced(1000, 600)


def bootstrap(trials=3):
    took, whole, wrong = [], [], []
    for _ in range(trials):
        with Crowd(100, "warning") as crowd:
            start = time.monotonic()
            crowd.spawn()
            crowd.wait_answers()
            token = crowd.found()
            joined = time.monotonic()
            crowd.join_all(token, crowd.first)
            agreed = crowd.wait_all(100, limit=60, gap=0.005)
            took.append(agreed and agreed - joined)
            whole.append(agreed and agreed - start)
            wrong.append(crowd.verdicts())
    here("bootstrap", 100, f"100 through one seed, first join until all agree, s (serf {SERF_BOOTSTRAP_S})", took, 1.0)
    here("bootstrap", 100, "the same from the start of the processes, s", whole)
    here("bootstrap", 100, "verdicts about the living", wrong, 0)


def loss(seconds=600, percent=5):
    """Every link loses that much, both ways: no verdict about anybody."""
    with Swarm(50) as s:
        s.settle(10)
        s.network.lose(percent)
        since = time.time()
        time.sleep(seconds)
        for rule, target in (("UNREACHABLE", 0), ("SUSPECT", None), ("LAPSED", None)):
            told = sum(len(said(node, {rule}, since)) for node in s)
            here("loss", 50, f"{rule} lines of all in {seconds} s with {percent} % loss", [told], target, 0)
        s.network.lose(0)


class Watcher(threading.Thread):
    """`kv watch` on one node: when each event came."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.seen, self.ready = node, {}, threading.Event()
        self.start()

    def run(self):
        try:
            for frame in daemon.frames(self.node.socket, "kv watch", {"prefix": "bench/"}, 3600):
                at = time.monotonic()
                event = frame.get("event", {})
                if "key" in event:
                    self.seen.setdefault(event["key"], at)
                self.ready.set()
        except (OSError, ConnectionError, Refused):
            pass


def watch(events=200):
    with Swarm(50) as s:
        s.settle(10)
        watchers = [Watcher(node) for node in s]
        time.sleep(1)
        put = {}
        for i in range(events):
            key = f"bench/{i}"
            put[key] = time.monotonic()
            s[random.choice(list(s.nodes))].ask("kv put", {"key": key, "value": "x"}, 10)
            time.sleep(0.05)
        time.sleep(3)
        last = [max((w.seen[key] - at for w in watchers if key in w.seen), default=None) for key, at in put.items()]
        missed = sum(key not in w.seen for key in put for w in watchers)
        here("watch", 50, f"a put until the last of 50 watches shows it, s (serf {SERF_EVENT_S})", last, 0.25)
        here("watch", 50, f"watch events missed of {events} on each of 50", [missed], 0, 0)
