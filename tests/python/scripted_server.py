"""A server that answers as a test says."""

import json
import socket
import threading

DROP = object()  # in an answer's pieces: the connection ends there


def answer(status, body=b"", headers=(), chunks=None):
    """The bytes of an answer, in pieces; `chunks` are lines of a body whose length nobody knows."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", "Content-Type: application/json", *headers]
    if chunks is None:
        return [("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])).encode() + body]
    pieces = ["\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()]
    for chunk in chunks:
        if chunk is DROP:
            return [*pieces, DROP]
        text = chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode() + b"\n"
        pieces.append(b"%x\r\n%s\r\n" % (len(text), text))
    return [*pieces, b"0\r\n\r\n"]


def job(reward=1.5, **more):
    return {"id": "j1", "state": "done", "outcome": "passed", "correct": True, "scores": {"speedup": reward},
            "feedback": "well done", "timing": {"total_s": 0.25}, **more}


class ScriptedServer:
    """`script(number, method, path, body)` returns the pieces of an answer; the requests stand in `seen`."""

    def __init__(self, script):
        self.script = script
        self.seen = []
        self.connections = 0
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            while True:
                line = stream.readline()
                if not line:
                    return
                method, path, _ = line.decode().split(" ")
                headers = {}
                for line in iter(stream.readline, b"\r\n"):
                    name, _, value = line.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                body = json.loads(body) if body else None
                with self._lock:
                    number = len(self.seen)
                    self.seen.append((method, path, body, headers))
                for piece in self.script(number, method, path, body):
                    if piece is DROP:
                        return
                    connection.sendall(piece)
                if headers.get("connection") == "close":
                    return
