"""swarm.py: a cluster to measure: the tests' own, of the optimised daemons."""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "net"))

import lab  # noqa: E402
from cluster import Cluster, wait_for  # noqa: E402
from daemon import Refused  # noqa: E402


class Swarm(Cluster):
    def __enter__(self):
        try:
            return self.start().form()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *why):
        wrong = self.close()
        self.forget()
        if wrong and not why[0]:
            raise RuntimeError("; ".join(wrong))

    def wait_whole(self, limit=300):
        super().wait_whole(limit)

    def served(self, node, start, limit=30):
        """Seconds from `start` until a put through that node is done."""
        while time.monotonic() < start + limit:
            try:
                self[node].ask("kv put", {"key": "served", "value": "x"}, 10)
                return time.monotonic() - start
            except (Refused, OSError):
                time.sleep(0.002)
        return None

    def settle(self, seconds):
        """Whole again, and then quiet for a while: a trial must not begin in another's wake."""
        self.wait_whole()
        time.sleep(seconds)


__all__ = ["Swarm", "lab", "wait_for", "Refused"]
