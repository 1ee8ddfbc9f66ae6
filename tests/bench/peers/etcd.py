#!/usr/bin/env python3
"""etcd, heartbeat 100 ms and election 1000 ms: fail-over to a put through another, puts, cost.

Puts go through its JSON gateway over kept connections, from a process inside the member's
namespace. The client is Python in both roles, so its own share is in every figure.
"""
import base64
import concurrent.futures
import http.client
import json
import random
import socket
import threading
import time

from peer import LONG, Peers, figure, lab


def command(peers, i):
    url = lambda k, port: f"http://{peers.network.ip(k)}:{port}"
    everyone = ",".join(f"m{k}={url(k, 2380)}" for k in range(1, peers.count + 1))
    return ["etcd", "--name", f"m{i}", "--data-dir", f"{peers.folder}/m{i}",
            "--listen-peer-urls", url(i, 2380), "--initial-advertise-peer-urls", url(i, 2380),
            "--listen-client-urls", url(i, 2379), "--advertise-client-urls", url(i, 2379),
            "--initial-cluster", everyone, "--initial-cluster-state", "new",
            "--heartbeat-interval", "100", "--election-timeout", "1000"]


def connect(peers, i, timeout):
    """A connection that begins inside the member's namespace; made in a thread of its own, because
    a namespace belongs to a thread."""
    made = []

    def inside():
        lab.enter_namespace(peers.network.namespace(i))
        connection = http.client.HTTPConnection(peers.network.ip(i), 2379, timeout=timeout)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.append(connection)
        except OSError:
            pass
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if not made:
        raise OSError(f"m{i} does not answer")
    return made[0]


def call(connection, path, body):
    connection.request("POST", path, json.dumps(body))
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise OSError(data[:100])
    return json.loads(data)


def encode(text):
    return base64.b64encode(text.encode()).decode()


def put(connection, key="k"):
    return call(connection, "/v3/kv/put", {"key": encode(key), "value": encode("v" * 64)})


def leader(peers):
    ids, led = {}, None
    for i in peers.processes:
        try:
            status = call(connect(peers, i, 2), "/v3/maintenance/status", {})
            ids[status["header"]["member_id"]] = i
            led = status.get("leader", led)
        except (OSError, http.client.HTTPException):
            pass
    return ids.get(led)


def wait_leader(peers, seconds):
    until = time.monotonic() + 60
    while not leader(peers) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(seconds)
    return leader(peers)


def failover(peers, how):
    """A new put every 20 ms through a survivor, until one is done: a waiting one may wait too long."""
    old = wait_leader(peers, 3 + random.random())
    writer = next(i for i in peers.processes if i != old)
    done, started = threading.Event(), time.monotonic()
    moments = []

    def attempt():
        try:
            put(connect(peers, writer, 10))
            moments.append(time.monotonic())
            done.set()
        except (OSError, http.client.HTTPException):
            pass
    peers.kill(old) if how == "SIGKILL" else peers.network.isolate(old)
    while not done.is_set() and time.monotonic() < started + 20:
        threading.Thread(target=attempt, daemon=True).start()
        done.wait(0.02)
    peers.start(old) if how == "SIGKILL" else peers.network.heal()
    return min(moments) - started if moments else None


def latencies(peers, i, count):
    connection, took = connect(peers, i, 10), []
    for k in range(count):
        start = time.monotonic()
        put(connection, f"k{k % 100}")
        took.append((time.monotonic() - start) * 1000)
    return took


def measure(n):
    peers = Peers("etcd", n, command)
    for i in range(1, n + 1):
        peers.start(i)
    led = wait_leader(peers, 10)
    peers.cost(30)
    other = next(i for i in peers.processes if i != led)
    count = 2000 if LONG else 800
    figure("etcd", n, "", "put through the leader, p50, ms", latencies(peers, led, count))
    figure("etcd", n, "", "put through another, p50, ms", latencies(peers, other, count))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        list(pool.map(lambda _: latencies(peers, led, 250), range(8)))
        figure("etcd", n, "", "puts/s of 8 clients through the leader", [2000 / (time.monotonic() - start)], digits=0)
    for how in ("SIGKILL", "link cut"):
        figure("etcd", n, "", f"{how} of the leader to a put through another, s",
               [failover(peers, how) for _ in range(15 if LONG else 5)])
    peers.close()


lab.enter(3600)
for size in (3, 5):
    measure(size)
