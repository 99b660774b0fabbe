"""What is asked and how answers are taken, without input and output: generators that yield Ask and Pause and get Answers, so
that the blocking and the asynchronous client behave alike and both can be tested without a clock."""

import json
import math
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

MOST_AT_ONCE = 4096  # requests of a batch, as the server allows
MOST_BYTES_AT_ONCE = 32 << 20
ANSWER_SECONDS = 150.0  # the server answers POST /v1/evaluate within 110 s
SILENT_SECONDS = 900.0  # between two lines of a batch


class AtollError(Exception):
    """What this package raises."""


class Refused(AtollError):
    """The request is wrong: asking again would not help. `code` is the server's, for programs."""

    def __init__(self, message: str, code: str = ""):
        super().__init__(message)
        self.code = code


class NoVerdict(AtollError):
    """A fault of the server, of the way to it, or of the task: there is no verdict, and so no reward."""


class Unreachable(Exception):
    """The connection failed; a driver throws it into the generator."""


class Stale(Unreachable):
    """The server had closed the connection before it said a word of the answer."""


@dataclass
class Patience:
    """For how long faults of the server are tried again, and how often. Seconds."""

    total: float = 600.0  # from the first failure since something succeeded to giving up; there are two tries at least
    first: float = 0.5  # before the second try; doubled each time
    most: float = 30.0
    random: Callable[[], float] = random.random  # in [0, 1)
    clock: Callable[[], float] = time.monotonic

    def delay(self, tries: int, retry_after: Optional[float]) -> float:
        """With jitter, so that a thousand clients that were turned away do not come back as one."""
        base = min(self.first * 2.0 ** min(tries, 30), self.most) if retry_after is None else retry_after
        return base * (0.5 + self.random())


@dataclass
class Ask:
    method: str
    path: str
    body: Optional[bytes] = None
    timeout: float = ANSWER_SECONDS  # for any one wait for bytes
    on_line: Optional[Callable[[bytes], None]] = None  # of an answer in lines, as they come


@dataclass
class Pause:
    seconds: float


@dataclass
class Answer:
    status: int
    headers: dict = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unreachable(f"an answer that is no JSON: {error}") from error

    def error(self) -> dict:
        """{"code", "message", ...} of a status that is no success, whoever wrote it."""
        try:
            found = json.loads(self.body)["error"]
            if isinstance(found, dict):
                return found
        except (ValueError, KeyError, TypeError):
            pass
        return {"code": "", "message": f"HTTP status {self.status}: {self.body[:200]!r}"}

    def retry_after(self) -> Optional[float]:
        try:
            return max(0.0, float(self.headers["retry-after"]))
        except (KeyError, ValueError):
            return None


def words_of(error: dict) -> str:
    parts = [str(error.get(key) or "") for key in ("where", "message", "hint")]
    return ": ".join(part for part in parts if part)


class Tries:
    """Counts what failed since something last succeeded."""

    def __init__(self, patience: Patience):
        self.patience = patience
        self.succeeded()

    def succeeded(self):
        self.count = 0
        self.until = None  # an answer may take longer than patience lasts

    def again(self, why: str, retry_after: Optional[float] = None):
        """Pauses; raises NoVerdict when patience is over."""
        delay = self.patience.delay(self.count, retry_after)
        self.count += 1
        now = self.patience.clock()
        if self.until is None:
            self.until = now + self.patience.total
        if self.count > 1 and now + delay > self.until:
            raise NoVerdict(f"no verdict after {self.count} tries: {why}")
        yield Pause(delay)


def is_for_later(answer: Answer, error: dict) -> bool:
    if error.get("code") == "task_fault":
        return False
    return answer.status in (408, 425, 429) or answer.status >= 500


def encoded(value: Any) -> bytes:
    return json.dumps(value, default=plain).encode()


def plain(value: Any) -> Any:
    """What data sets put into columns (numpy's arrays and scalars) as JSON can say it."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def with_key(request: dict) -> dict:
    """With a key of its own, so that asking again after a lost answer evaluates nothing twice."""
    return request if request.get("idempotency_key") else {**request, "idempotency_key": uuid.uuid4().hex}


def evaluate_steps(request: dict, patience: Patience):
    """Returns the job of one request, state "done". Raises Refused, NoVerdict."""
    body = encoded(with_key(request))
    tries = Tries(patience)
    while True:
        try:
            answer = yield Ask("POST", "/v1/evaluate", body)
            if answer.status == 200:
                return answer.json()
            if answer.status == 202:
                job = yield from follow_steps(answer.json()["id"])
                if job["state"] == "done":
                    return job
                why = told_of(job)
                raise_if_final(job)
            else:
                error = answer.error()
                why = words_of(error)
                raise_unless_for_later(answer, error, request)
            retry_after = answer.retry_after()
        except Unreachable as fault:
            why, retry_after = str(fault), None
        yield from tries.again(why, retry_after)


def raise_unless_for_later(answer: Answer, error: dict, request: dict):
    if answer.status == 504 and request.get("deadline_s"):
        raise NoVerdict(words_of(error))  # the deadline was the caller's own
    if not is_for_later(answer, error):
        kind = NoVerdict if answer.status >= 500 or answer.status == 409 else None
        raise NoVerdict(words_of(error)) if kind else Refused(words_of(error), error.get("code", ""))


def told_of(job: dict) -> str:
    return words_of(job.get("fault") or {"message": f"the job is {job.get('state')}: {job.get('reason', '')}"})


def raise_if_final(job: dict):
    """What another try would not mend: the task's own fault, and a job that somebody cancelled."""
    code = (job.get("fault") or {}).get("code")
    if job.get("state") == "cancelled" or code in ("invalid_argument", "not_found"):
        raise NoVerdict(told_of(job))


def follow_steps(job_id: str):
    """The job when it has ended. Raises Unreachable when it cannot be asked for."""
    while True:
        answer = yield Ask("GET", f"/v1/jobs/{job_id}?wait=60")
        if answer.status != 200:
            raise Unreachable(words_of(answer.error()))
        job = answer.json()
        if job.get("state") != "pending":
            return job


def batch_steps(requests: list, patience: Patience, on_result: Optional[Callable[[int, Any], None]] = None):
    """Returns a list with a job, a Refused or a NoVerdict for each request."""
    batch = Batch([with_key(request) for request in requests], on_result)
    tries = Tries(patience)
    size = MOST_AT_ONCE
    while batch.missing:
        part = batch.part(size)
        before = len(batch.missing)
        why, retry_after, answer = "the answer ended early", None, None
        try:
            answer = yield Ask("POST", "/v1/batch", part.body, SILENT_SECONDS, part.take)
            if answer.status != 200:
                error = answer.error()
                why, retry_after = words_of(error), answer.retry_after()
                if not is_for_later(answer, error):
                    batch.refuse(part, Refused(why, error.get("code", "")))
        except Unreachable as fault:
            why = str(fault)
        if len(batch.missing) < before:
            tries.succeeded()
        if answer is not None and answer.status == 200:
            size = min(MOST_AT_ONCE, 2 * size)  # there is room again
        if not part.left():
            continue
        if answer is not None and answer.status == 429:
            size = max(1, len(part.indices) // 2)  # a batch is taken as a whole or not at all
        try:
            yield from tries.again(part.why or why, part.retry_after or retry_after)
        except NoVerdict as fault:
            for index in list(batch.missing):
                batch.put(index, NoVerdict(str(fault)))
    return batch.results


class Batch:
    def __init__(self, requests: list, on_result):
        self.requests = requests
        self.results = [None] * len(requests)
        self.missing = dict.fromkeys(range(len(requests)))  # in order
        self.on_result = on_result

    def put(self, index: int, result: Any):
        if index in self.missing:
            del self.missing[index]
            self.results[index] = result
            if self.on_result:
                self.on_result(index, result)

    def part(self, size: int) -> "Part":
        indices, texts, total = [], [], 0
        for index in self.missing:
            text = encoded(self.requests[index])
            if indices and (len(indices) >= size or total + len(text) > MOST_BYTES_AT_ONCE):
                break
            indices.append(index)
            texts.append(text)
            total += len(text)
        return Part(self, indices, b'{"requests":[' + b",".join(texts) + b"]}")

    def refuse(self, part: "Part", why: Refused):
        for index in part.left():
            self.put(index, why)


class Part:
    """What is asked at once, and what was answered to it."""

    def __init__(self, batch: Batch, indices: list, body: bytes):
        self.batch = batch
        self.indices = indices
        self.body = body
        self.why = ""  # of what is to be asked again
        self.retry_after = None

    def left(self) -> list:
        return [index for index in self.indices if index in self.batch.missing]

    def take(self, line: bytes):
        if not line.strip():
            return  # the server is there, and nothing is ready
        try:
            told = json.loads(line)
            index = self.indices[told["index"]]
        except (ValueError, KeyError, IndexError, TypeError) as fault:
            raise Unreachable(f"a line that is none: {fault}") from fault
        if "error" in told:
            error = told["error"]
            if "retry_after_s" in error:
                self.why, self.retry_after = words_of(error), float(error["retry_after_s"])
            else:
                self.batch.put(index, Refused(words_of(error), error.get("code", "")))
        elif told["job"].get("state") == "done":
            self.batch.put(index, told["job"])
        else:
            self.take_fault(index, told["job"])

    def take_fault(self, index: int, job: dict):
        self.why = told_of(job)
        try:
            raise_if_final(job)
        except NoVerdict as fault:
            self.batch.put(index, fault)


def get_steps(path: str, patience: Patience, method: str = "GET"):
    """The JSON of a fact that the server tells."""
    tries = Tries(patience)
    while True:
        try:
            answer = yield Ask(method, path)
            if answer.status == 200:
                return answer.json()
            error = answer.error()
            if not is_for_later(answer, error):
                raise Refused(words_of(error), error.get("code", ""))
            why, retry_after = words_of(error), answer.retry_after()
        except Unreachable as fault:
            why, retry_after = str(fault), None
        yield from tries.again(why, retry_after)


def reward_of(job: dict, score: Optional[str] = None) -> float:
    """The score of that name; else the one that was asked for, and 1 for right and 0 for wrong where none was. Raises
    NoVerdict when it is no finite number."""
    scores = job.get("scores") or {}
    if score is None and len(scores) > 1:
        raise ValueError(f"which of the scores {', '.join(scores)}?")
    value = scores[score] if score else next(iter(scores.values()), float(bool(job.get("correct"))))
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NoVerdict(f"the score is no finite number: {value!r}")
    return float(value)


def sample(reply: str, *, label: Any = None, metadata: Any = None, prompt: Any = None, **fields: Any) -> dict:
    """The request for a model's reply. Which task it is for is said by `fields` (task="softmax"), or found by the server in
    metadata["atoll"], the label or the prompt, as its README says; score="light" is short for scores=["light"]."""
    # Half a character, which JSON cannot say, is the model's mistake and not the caller's. The whole verdict, which no trainer
    # looks at, would be ten times as long as the rest of the answer.
    request = {"reply": reply.encode("utf-8", "replace").decode(), "verdict": False, **fields}
    if "score" in request:
        score = request.pop("score")
        if score is not None:
            request["scores"] = [score]
    if "task" not in request:
        wish = metadata.get("atoll") if hasattr(metadata, "get") else None
        request["name_from"] = {"metadata": {"atoll": wish}, "label": label, "prompt": prompt}
    return request


def text_of(completion: Any) -> str:
    """What the model wrote: a text, or the messages of a chat of which it wrote those of the assistant."""
    if isinstance(completion, str):
        return completion
    texts = []
    for message in completion or []:
        if dict(message).get("role", "assistant") == "assistant":
            content = dict(message).get("content") or ""
            parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
            texts.extend(part for part in parts if part)
    return "\n".join(texts)
