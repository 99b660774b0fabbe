"""What `atoll serve` is compared with: a small reward server on FastAPI and uvicorn.

Known answers: the same bookkeeping as ours (checks every field, hashes the request, looks its answer
up, gives the job an id, counts for Prometheus), and the same bytes for an answer. Unique candidates: one process for
each request (`atoll eval`, so the same compiler, flags, checks and measurements), as many at a time
as there are devices. Started by serve_benchmarks.py.
"""

import asyncio
import hashlib
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import uvicorn
from fastapi import FastAPI, HTTPException, Response
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ConfigDict


ANSWERS = Counter("answers", "HTTP requests answered", ["route", "status"])
ANSWER_SECONDS = Histogram("answer_seconds", "From a request to its answer")
JOBS = Counter("jobs", "Jobs ended", ["end"])
JOB_SECONDS = Histogram("job_seconds", "From a job's arrival to its end")


class Evaluation(BaseModel):
    model_config = ConfigDict(extra="forbid")
    task: str
    source: str | None = None
    reply: str | None = None
    kind: str = "cpu_cpp"
    device: str = "cpu"
    tune: dict[str, str | int] = {}
    flags: list[str] = []
    level: Literal["verify", "measure", "confirm"] = "measure"
    scores: list[str] | None = None
    profile: bool = False
    verdict: bool = True
    priority: int = 0
    deadline_s: int | None = None
    idempotency_key: str | None = None
    trajectory_id: str | None = None
    group_id: str | None = None
    turn: int | None = None

    def content(self):
        fields = (self.task, self.source, self.reply, self.kind, self.device, self.tune, self.flags,
                  self.level, self.scores, self.profile, self.verdict)
        return hashlib.sha256(repr(fields).encode()).digest()


class Known(BaseModel):
    request: Evaluation
    outcome: str
    answer: str  # what follows a job's id in its document


class Peer:
    def __init__(self, atoll, devices, sandbox):
        self.command = [atoll, "eval", "--json", "--sandbox", sandbox]
        self.answers = {}
        self.devices = asyncio.Semaphore(devices)

    async def evaluate(self, request):
        begin = time.monotonic()
        if (request.source is None) == (request.reply is None):
            raise HTTPException(422, "exactly one of 'source' and 'reply' is needed")
        job = "j" + secrets.token_hex(16)
        known = self.answers.get(request.content())
        outcome, answer = known or await self.run(request)
        JOBS.labels(outcome).inc()
        JOB_SECONDS.observe(time.monotonic() - begin)
        ANSWERS.labels("POST /v1/evaluate", "200").inc()
        ANSWER_SECONDS.observe(time.monotonic() - begin)
        return Response('{"id":"' + job + '",' + answer, media_type="application/json")

    async def run(self, request):
        async with self.devices:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "candidate.cpp"
                file.write_text(request.source)
                process = await asyncio.create_subprocess_exec(
                    *self.command, "--level", request.level, request.task, str(file),
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
                out, _ = await process.communicate()
        verdict = json.loads(out)[0]["verdict"]
        outcome = verdict["outcome"]
        return outcome, f'"state":"done","outcome":"{outcome}","verdict":{json.dumps(verdict)}}}'


def main():
    port, atoll, devices, sandbox = sys.argv[1:]
    app = FastAPI()
    peer = Peer(atoll, int(devices), sandbox)

    @app.post("/v1/evaluate")
    async def evaluate(request: Evaluation):
        return await peer.evaluate(request)

    @app.post("/known")
    async def know(known: Known):
        peer.answers[known.request.content()] = (known.outcome, known.answer)

    @app.get("/healthz")
    async def health():
        return {"status": "ok"}

    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


main()
