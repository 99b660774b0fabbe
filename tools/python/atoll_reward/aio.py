"""The asynchronous client, on asyncio's own streams."""

import asyncio
import urllib.parse
from typing import Any, Callable, Optional

from .client import place_of, tls_for
from .protocol import Answer, Ask, Patience, Pause, Unreachable, batch_steps, evaluate_steps, get_steps


class AsyncClient:
    """As Client, for coroutines; to be used in one event loop. A question that is cancelled takes its evaluation with it,
    unless others wait for the same one."""

    def __init__(self, url: Optional[str] = None, token: Optional[str] = None, *, cafile: Optional[str] = None,
                 patience: Optional[Patience] = None, sleep: Callable[[float], Any] = asyncio.sleep):
        self._parts, self._headers = place_of(url, token)
        self._tls = tls_for(cafile) if self._parts.scheme == "https" else None
        self._patience = patience or Patience()
        self._sleep = sleep

    async def evaluate(self, **request: Any) -> dict:
        return await self._run(evaluate_steps(request, self._patience))

    async def batch(self, requests: list, on_result: Optional[Callable[[int, Any], None]] = None) -> list:
        return await self._run(batch_steps(list(requests), self._patience, on_result))

    async def tasks(self) -> list:
        return (await self._run(get_steps("/v1/tasks", self._patience)))["tasks"]

    async def task(self, name: str) -> dict:
        return await self._run(get_steps("/v1/tasks/" + urllib.parse.quote(name, safe=""), self._patience))

    async def devices(self) -> dict:
        return await self._run(get_steps("/v1/devices", self._patience))

    async def _run(self, steps):
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    await self._sleep(step.seconds)
                    step = steps.send(None)
                    continue
                try:
                    answer = await self._ask(step)
                except Unreachable as fault:
                    step = steps.throw(fault)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value

    async def _ask(self, ask: Ask) -> Answer:
        writer = None
        try:
            port = self._parts.port or (443 if self._tls else 80)
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(self._parts.hostname, port, ssl=self._tls), ask.timeout)
            writer.write(self._head_of(ask) + (ask.body or b""))
            await asyncio.wait_for(writer.drain(), ask.timeout)
            return await Reading(reader, ask).answer()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as fault:
            raise Unreachable(f"{type(fault).__name__}: {fault}") from fault
        finally:
            if writer is not None:
                writer.close()

    def _head_of(self, ask: Ask) -> bytes:
        lines = [f"{ask.method} {self._parts.path.rstrip('/')}{ask.path} HTTP/1.1", f"Host: {self._parts.netloc}",
                 "Connection: close", *(f"{name}: {value}" for name, value in self._headers.items())]
        if ask.body is not None:
            lines.append(f"Content-Length: {len(ask.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def number(text, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError as fault:
        raise Unreachable(f"no answer of HTTP: {text[:80]!r}") from fault


class Reading:
    """One answer of HTTP/1.1. Unreachable for what is none."""

    def __init__(self, reader: asyncio.StreamReader, ask: Ask):
        self.reader = reader
        self.ask = ask
        self.rest = b""  # of a line that is not whole yet

    async def answer(self) -> Answer:
        head = (await self._wait(self.reader.readuntil(b"\r\n\r\n"))).decode("latin-1").split("\r\n")
        version, _, rest = head[0].partition(" ")
        if not version.startswith("HTTP/1."):
            raise Unreachable(f"no answer of HTTP: {head[0][:80]!r}")
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        answer = Answer(number(rest[:3]), headers)
        by_line = answer.status == 200 and self.ask.on_line is not None
        pieces = []
        async for piece in self._pieces(headers):
            self._tell_lines(piece) if by_line else pieces.append(piece)
        if by_line and self.rest:
            raise Unreachable("the answer ended within a line")
        answer.body = b"".join(pieces)
        return answer

    async def _pieces(self, headers: dict):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = number((await self._wait(self.reader.readuntil(b"\r\n"))).split(b";")[0].strip(), 16)
                piece = await self._wait(self.reader.readexactly(size + 2))
                if size == 0:
                    return
                yield piece[:-2]
        elif "content-length" in headers:
            yield await self._wait(self.reader.readexactly(number(headers["content-length"])))
        else:
            while True:
                piece = await self._wait(self.reader.read(1 << 16))
                if not piece:
                    return
                yield piece

    def _tell_lines(self, piece: bytes):
        lines = (self.rest + piece).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            self.ask.on_line(line)

    async def _wait(self, reading):
        return await asyncio.wait_for(reading, self.ask.timeout)
