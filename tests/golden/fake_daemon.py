"""A daemon that answers canned frames: enough of the control protocol to drive `essaim`.

One connection at a time, in a thread of the test runner; frames as in node/control_frame.h.
"""

import json
import os
import socket
import struct
import threading
import time


class FakeDaemon:
    """Listens on a Unix socket in `folder` and answers each request by its verb.

    `answers` maps a verb to a list of steps, of which each request takes those up to a final frame: a dict is sent as a frame, bytes are sent raw, a
    number is a pause in seconds, an Event is waited for, "upload" takes frames up to the one with a
    checksum (their number is kept with the request), "close" ends the connection early, "hold" keeps it open and
    silent until the client goes away. What was asked is kept in `requests`.
    """

    def __init__(self, folder, answers):
        self.path = os.path.join(folder, "control.sock")
        self.answers = {verb: list(steps) if isinstance(steps, list) else steps for verb, steps in answers.items()}
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.listener.settimeout(0.05)
        self.stopping = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.listener.close()
        os.unlink(self.path)

    def serve(self):
        while not self.stopping:
            try:
                connection, _ = self.listener.accept()
            except socket.timeout:
                continue
            with connection:
                connection.settimeout(20)
                self.answer(connection)

    def answer(self, connection):
        if "(refuse before reading)" in self.answers:
            send(connection, self.answers["(refuse before reading)"])
            return
        request = read_frame(connection)
        if request is None:
            return
        self.requests.append(request)
        steps = self.answers.get(request["verb"], [])
        try:
            while steps:
                step = steps.pop(0)
                if not self.take(connection, step) or (isinstance(step, dict) and "code" in step):
                    return
        except (BrokenPipeError, ConnectionResetError):
            return

    def take(self, connection, step):
        """Carries out one step; False ends the connection."""
        if step == "close":
            return False
        if step == "upload":
            self.requests[-1]["uploaded"] = read_upload(connection)
            return True
        if step == "hold":
            connection.recv(1)
            return False
        if isinstance(step, threading.Event):
            step.wait(20)
        elif isinstance(step, (int, float)):
            time.sleep(step)
        elif isinstance(step, bytes):
            connection.sendall(step)
        else:
            send(connection, step)
        return True


def send(connection, frame):
    text = json.dumps(frame).encode()
    connection.sendall(struct.pack(">I", len(text)) + text)


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


def read_upload(connection):
    count = 0
    while True:
        frame = read_frame(connection)
        if frame is None:
            return count
        count += 1
        if "checksum" in frame:
            return count


def read_frame(connection):
    head = read_exactly(connection, 4)
    if head is None:
        return None
    body = read_exactly(connection, struct.unpack(">I", head)[0])
    return None if body is None else json.loads(body)
