"""As little as can be done with one json.loads a message: a bare socket, frames cut by hand, unchecked."""

from __future__ import annotations

import http.client
import json
import os
import socket
from base64 import b64encode

import measure
from measure import Job, Measured, Stopwatch


def websocket(job: Job, log: str) -> tuple[Stopwatch, int, int]:
    key = b64encode(os.urandom(16)).decode()
    with socket.create_connection(("127.0.0.1", job.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = f"GET /jobs/{log}/logs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        request += f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        sock.sendall(request.encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65_536)
        data = data.partition(b"\r\n\r\n")[2]
        recv, loads = sock.recv, json.loads
        lines = characters = 0
        watch = Stopwatch()
        while True:
            start, size = 0, len(data)
            while start + 4 <= size:
                length = data[start + 1]
                if length < 126:
                    begin = start + 2
                elif length == 126:
                    begin = start + 4
                    length = data[start + 2] << 8 | data[start + 3]
                else:
                    begin = start + 10
                    length = int.from_bytes(data[start + 2 : begin], "big")
                end = begin + length
                if end > size:
                    break
                if data[start] == 0x88:
                    return watch, lines, characters
                event = loads(data[begin:end])
                start = end
                if event["type"] == "log":
                    lines += 1
                    characters += len(event["message"])
            data = data[start:] + recv(65_536)


def ws(job: Job) -> Measured:
    websocket(job, measure.WARM_UP)
    watch, lines, characters = websocket(job, job.log)
    return measure.counted(watch, job, lines, characters)


def get_job(job: Job) -> Measured:
    connection = http.client.HTTPConnection("127.0.0.1", job.port)

    def call() -> object:
        connection.request("GET", "/jobs/raysubmit_1/", headers={"Authorization": job.token})
        return json.loads(connection.getresponse().read())

    return measure.repeated(job, call)


def tasks(job: Job) -> Measured:
    body = _tasks(job)
    return measure.repeated(job, lambda: json.loads(body), warm_up=2)


def tasks_memory(job: Job) -> Measured:
    body = _tasks(job)
    return measure.memory_of(lambda: json.loads(body))


def _tasks(job: Job) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", job.port)
    connection.request("GET", "/tasks/")
    return connection.getresponse().read()


if __name__ == "__main__":
    measure.main({"ws": ws, "get_job": get_job, "tasks": tasks, "tasks_memory": tasks_memory})
