"""The blocking client."""

import functools
import http.client
import os
import ssl
import threading
import time
import urllib.parse
from typing import Any, Callable, Optional

from .protocol import Answer, Ask, Patience, Pause, Stale, Unreachable, batch_steps, evaluate_steps, get_steps

DEFAULT_URL = "http://127.0.0.1:8000"


def place_of(url: Optional[str], token: Optional[str]):
    """The parts of the server's URL, and the headers that every request has."""
    parts = urllib.parse.urlsplit(url or os.environ.get("ATOLL_URL") or DEFAULT_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"no URL of a server: {url!r}; it is like {DEFAULT_URL}")
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    token = token or os.environ.get("ATOLL_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return parts, headers


@functools.lru_cache(maxsize=16)
def tls_for(cafile: Optional[str]) -> ssl.SSLContext:
    """One for all clients: to read the system's certificates takes tens of milliseconds, and some trainers make a client for
    every sample."""
    return ssl.create_default_context(cafile=cafile)


def lines_of(response):
    """Apart, so that what the caller of a batch raises is not taken for a fault of the connection."""
    try:
        yield from iter(response.readline, b"")
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise Unreachable(f"{type(fault).__name__}: {fault}") from fault


class Client:
    """Asks a server. Thread-safe; a thread that asks has a connection of its own, which is kept for the next question.

    url: default $ATOLL_URL, else http://127.0.0.1:8000. token: default $ATOLL_TOKEN. cafile: certificates to trust, for
    https. patience: how long faults of the server are tried again.
    """

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, *, cafile: Optional[str] = None,
                 patience: Optional[Patience] = None, sleep: Callable[[float], None] = time.sleep):
        self._parts, self._headers = place_of(url, token)
        self._tls = tls_for(cafile) if self._parts.scheme == "https" else None
        self._patience = patience or Patience()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._idle = []
        self._process = os.getpid()

    def evaluate(self, **request: Any) -> dict:
        """The job of one request: task, source or reply, level, scores, ... as POST /v1/evaluate takes them."""
        return self._run(evaluate_steps(request, self._patience))

    def batch(self, requests: list, on_result: Optional[Callable[[int, Any], None]] = None) -> list:
        """For each request its job, or the Refused or NoVerdict that stands in for it; none is raised. They are evaluated
        side by side; `on_result(index, result)` is called as they come."""
        return self._run(batch_steps(list(requests), self._patience, on_result))

    def tasks(self) -> list:
        return self._run(get_steps("/v1/tasks", self._patience))["tasks"]

    def task(self, name: str) -> dict:
        return self._run(get_steps("/v1/tasks/" + urllib.parse.quote(name, safe=""), self._patience))

    def devices(self) -> dict:
        return self._run(get_steps("/v1/devices", self._patience))

    def close(self):
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self, steps):
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    self._sleep(step.seconds)
                    step = steps.send(None)
                    continue
                try:
                    answer = self._ask(step)
                except Unreachable as fault:
                    step = steps.throw(fault)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value

    def _ask(self, ask: Ask) -> Answer:
        with self._lock:
            if self._process != os.getpid():  # a fork's parent goes on to use them
                self._idle, self._process = [], os.getpid()
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._ask_on(connection, ask)
            except Stale:
                pass  # since nobody had asked for long: asked again with a fresh one
        return self._ask_on(self._connect(ask.timeout), ask)

    def _connect(self, timeout: float):
        host, port = self._parts.hostname, self._parts.port
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _ask_on(self, connection, ask: Ask) -> Answer:
        try:
            connection.timeout = ask.timeout
            if connection.sock is not None:
                connection.sock.settimeout(ask.timeout)
            try:
                connection.request(ask.method, self._parts.path.rstrip("/") + ask.path, ask.body, self._headers)
                response = connection.getresponse()
            except (ConnectionResetError, BrokenPipeError) as fault:  # http.client's RemoteDisconnected is one
                connection.close()
                raise Stale(f"{type(fault).__name__}: {fault}") from fault
            body = b""
            if response.status == 200 and ask.on_line is not None:
                for line in lines_of(response):
                    ask.on_line(line)
            else:
                body = response.read()
            answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
            keep = not response.will_close
        except (OSError, http.client.HTTPException) as fault:
            connection.close()
            raise Unreachable(f"{type(fault).__name__}: {fault}") from fault
        except BaseException:
            connection.close()
            raise
        if keep:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return answer


@functools.lru_cache(maxsize=16)
def shared_client(url: Optional[str] = None, token: Optional[str] = None, patience_s: float = 600.0) -> Client:
    """One for all calls with these arguments: trainers call a reward function for every sample."""
    return Client(url, token, patience=Patience(total=patience_s))
