"""handshake.py: the initiator's side of a stream, written a second time from proto/handshake.c's
description, so that tests can do what no honest daemon does: stop half-way, or say garbage.

Run as a program (inside a node's namespace) it opens streams as told and holds them:
    handshake.py HOST PORT COUNT member CLUSTER SEED_FILE PEER_KEY   first message only, never more
    handshake.py HOST PORT COUNT join TOKEN                          whole, then one frame of garbage
It prints one line, "held N", when N second messages have come, and ends when its stdin does.
"""
import base64
import ctypes
import hashlib
import os
import socket
import struct
import sys

SIZE = 160
MEMBER, JOIN = 1, 2
sodium = ctypes.CDLL("libsodium.so.23")


def _bytes(function, size, *args):
    out = ctypes.create_string_buffer(size)
    if function(out, *args) != 0:
        raise ValueError(function.__name__)
    return out.raw


def keyed(key, data, size=32):
    return hashlib.blake2b(data, key=key, digest_size=size).digest()


def scalarmult(scalar, point):
    return _bytes(sodium.crypto_scalarmult, 32, scalar, point)


def authentication(shared, kind, cluster, identities=b""):
    return keyed(shared, b"essaim handshake 1\0" + bytes([kind]) + cluster + identities)


def first(kind, cluster, name, code_key):
    """(ephemeral secret, first message)"""
    secret = os.urandom(32)
    public = _bytes(sodium.crypto_scalarmult_base, 32, secret)
    head = b"ESM1" + bytes([kind, 0, 0, 0]) + struct.pack(">II", 1, 1) + cluster + name + public
    return secret, (head + keyed(code_key, head)).ljust(SIZE, b"\0")


def member_first(cluster, seed, peer_key):
    """What the owner of `seed` says to the owner of `peer_key`."""
    own, signing = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
    sodium.crypto_sign_ed25519_seed_keypair(own, signing, seed)
    scalar = _bytes(sodium.crypto_sign_ed25519_sk_to_curve25519, 32, signing)
    point = _bytes(sodium.crypto_sign_ed25519_pk_to_curve25519, 32, peer_key)
    key = authentication(scalarmult(scalar, point), MEMBER, cluster, own.raw + peer_key)
    return first(MEMBER, cluster, own.raw[:8], key)[1]


def token_parts(text):
    """(cluster, id, hash)"""
    raw = b"".join(base64.b32decode(part.upper() + "=" * (-len(part) % 8))
                   for part in text.split("-")[1:4])
    return raw[:16], raw[16:24], hashlib.blake2b(b"essaim token 1\0" + raw, digest_size=32).digest()


class JoinStream:
    """A whole handshake with a token; say() seals a frame."""

    def __init__(self, address, text):
        cluster, name, token_hash = token_parts(text)
        key = authentication(token_hash, JOIN, cluster)
        secret, message = first(JOIN, cluster, name, key)
        self.socket = connect(address, message)
        second = receive(self.socket)
        exchanges = scalarmult(secret, second[8:40]) + bytes(64)
        root = keyed(key, exchanges + message + second[:64])
        if keyed(root, b"second") != second[64:96]:
            raise ValueError("the second message's code")
        self.state = ctypes.create_string_buffer(64)
        sodium.crypto_secretstream_xchacha20poly1305_init_pull(
            self.state, keyed(root, b"header to responder", 24), keyed(root, b"key to responder"))

    def say(self, plain):
        length = struct.pack(">I", len(plain) + 17)
        sealed = ctypes.create_string_buffer(len(plain) + 17)
        sodium.crypto_secretstream_xchacha20poly1305_push(
            self.state, sealed, None, plain, ctypes.c_ulonglong(len(plain)), length,
            ctypes.c_ulonglong(4), ctypes.c_ubyte(0))
        self.socket.sendall(length + sealed.raw)


def connect(address, message):
    s = socket.create_connection(address, 5)
    s.sendall(message)
    return s


def receive(s):
    data = b""
    while len(data) < SIZE:
        part = s.recv(SIZE - len(data))
        if not part:
            raise ConnectionError("closed before the second message")
        data += part
    return data


def main():
    host, port, count, kind, *rest = sys.argv[1:]
    address, held = (host, int(port)), []
    if kind == "member":
        cluster, seed_file, peer_key = bytes.fromhex(rest[0]), rest[1], bytes.fromhex(rest[2])
        with open(seed_file, "rb") as seed:
            message = member_first(cluster, seed.read(32), peer_key)
    for _ in range(int(count)):
        try:
            if kind == "member":
                s = connect(address, message)
                receive(s)
                held.append(s)
            else:
                stream = JoinStream(address, rest[0])
                stream.say(b"\xff" * 8)
                held.append(stream)
        except OSError:
            pass
    print(f"held {len(held)}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
