"""handover.py: what a hand-over costs: the gap without a master, and what a writer feels of it."""
import threading
import time

from report import figure
from swarm import Refused, Swarm, wait_for


class Writer(threading.Thread):
    """Puts one after the other; keeps when each began and how long it took."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.took, self.ended = node, [], threading.Event()
        self.start()

    def run(self):
        while not self.ended.is_set():
            began = time.monotonic()
            try:
                self.node.ask("kv put", {"key": "handover", "value": "x"}, 10)
            except (Refused, OSError):
                self.took.append((began, None))
                continue
            self.took.append((began, (time.monotonic() - began) * 1000))

    def longest(self, since, until):
        """The longest put under way in that time, ms; None if one failed."""
        took = [ms for began, ms in self.took if ms is None or began + ms / 1000 >= since and began <= until]
        return None if None in took or not took else max(took)


def transfer(s):
    """(gap in ms by the old master's own clock, when it was asked, when it was answered)"""
    name, _ = wait_for(s.agree, "all agree on a master")
    heir = next(n for n in s if n.name != name)
    asked = time.monotonic()
    done = heir.ask("master transfer", {"to": heir.name})
    return done["gap_ms"], asked, time.monotonic()


def handover(count=100):
    """The floor of the gap is a message and a write on two disks: about what a put takes."""
    with Swarm(3) as s:
        s.settle(3)
        writer = Writer(s[3])
        time.sleep(3)
        quiet = [ms for _, ms in writer.took if ms is not None]
        figure("handover", 3, "default", "put without a hand-over, ms", quiet)
        gaps, longest = [], []
        for _ in range(count):
            gap, asked, answered = transfer(s)
            time.sleep(0.05)
            gaps.append(gap)
            longest.append(writer.longest(asked, answered + 0.05))
        writer.ended.set()
        writer.join()
        figure("handover", 3, "default", "gap of authority, as the old master saw it, ms", gaps, 50)
        figure("handover", 3, "default", "longest put around a hand-over, ms", longest, 50)
