#!/usr/bin/env python3
"""Runs an OpenEvolve-style evaluator for an Atoll task of kind "external".

    python3 openevolve_adapter.py EVALUATOR.py CANDIDATE

EVALUATOR.py defines evaluate(path), which returns a dict of metrics or an object with `metrics` and
`artifacts`. The answer is printed as one JSON line. The score is `combined_score`, else the mean of
the numeric metrics. What the evaluator prints goes to standard error.

Most such evaluators import the program that they judge, so evaluate() runs in a process of its own,
and its answer counts only through a private pipe, with a token that was made for this run: a
program that prints a forged answer and exits gives no answer. What stays open is inherent in
importing a program: it can look for the token in the evaluator's memory, or replace the functions
that measure it. Only an evaluator that starts the program as a process, and computes the score from
what that hands over, is safe from it.
"""

import asyncio
import importlib.util
import inspect
import json
import math
import os
import secrets
import select
import sys
import traceback


def load_evaluator(path):
    path = os.path.abspath(path)
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location("evaluator", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluator"] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "evaluate", None)):
        raise SystemExit(f"{path} defines no function evaluate(path)")
    return module.evaluate


def as_number(value):
    """A float, or None for what is no number. NumPy's scalars have item()."""
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def as_text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value, default=str)


def make_answer(result):
    metrics = getattr(result, "metrics", result)
    artifacts = getattr(result, "artifacts", None) or {}
    if not isinstance(metrics, dict):
        raise SystemExit(f"evaluate() returned {type(result).__name__}, not a dict of metrics")
    feedback = []
    numbers = {}
    for name, value in metrics.items():
        number = as_number(value)
        if number is None:
            feedback.append(f"{name}: {value}")
        elif not math.isfinite(number):
            feedback.append(f"{name} is not finite")
        else:
            numbers[str(name)] = number
    correct = metrics.get("correct")
    if not isinstance(correct, bool):
        correct = "error" not in metrics
    if "combined_score" in metrics:
        score = numbers.get("combined_score")
    else:
        score = sum(numbers.values()) / len(numbers) if numbers else None
    answer = {
        "correct": correct and score is not None,
        "metrics": numbers,
        "feedback": "\n".join(feedback),
        "artefacts": {str(name): as_text(value) for name, value in artifacts.items()},
    }
    if score is not None:
        answer["score"] = score
    return answer


async def wait_for(awaitable):
    return await awaitable


def evaluate_into(pipe, token, evaluator, candidate):
    """In the child: evaluates, and writes the token and the answer."""
    # Also what C code and child processes print must not mix with the answer.
    os.dup2(2, 1)
    result = load_evaluator(evaluator)(candidate)
    if inspect.isawaitable(result):
        result = asyncio.run(wait_for(result))
    sys.stdout.flush()
    with os.fdopen(pipe, "w", encoding="utf-8") as stream:
        stream.write(token + json.dumps(make_answer(result)))


def read_from(child, reader):
    """What the child wrote, and its status. Not to the pipe's end: a process that it left behind
    holds that open."""
    os.set_blocking(reader, False)
    written = b""
    status = None
    while True:
        if status is None:
            ended, status = os.waitpid(child, os.WNOHANG)
            status = status if ended else None
        try:
            chunk = os.read(reader, 1 << 16)
        except BlockingIOError:
            if status is not None:
                break
            select.select([reader], [], [], 0.1)
            continue
        if not chunk:
            break
        written += chunk
    os.close(reader)
    if status is None:
        status = os.waitpid(child, 0)[1]
    return written.decode("utf-8", "replace"), os.waitstatus_to_exitcode(status)


def evaluate_apart(evaluator, candidate):
    """The answer as JSON text. Forked: no argument and no environment variable tells the token."""
    token = secrets.token_hex(16)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            evaluate_into(writer, token, evaluator, candidate)
            status = 0
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writer)
    text, status = read_from(child, reader)
    if status != 0 or not text.startswith(token):
        raise SystemExit(f"the evaluator ended without an answer (exit status {status})")
    return text[len(token):]


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    # One line, and JSON: what the child writes is read again, not passed on.
    print(json.dumps(json.loads(evaluate_apart(sys.argv[1], sys.argv[2]))))


if __name__ == "__main__":
    main()
