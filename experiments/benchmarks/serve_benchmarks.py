#!/usr/bin/env python3
"""How fast `atoll serve` is, beside a reward server on FastAPI and uvicorn: ratios of one run.

    tools/build release atoll bench_serve
    python3 -m venv VENV && VENV/bin/pip install fastapi uvicorn uvloop httptools prometheus_client
    experiments/benchmarks/serve_benchmarks.py --peer-python VENV/bin/python

Prints a table for each part (Markdown); to be run on an otherwise idle machine. The load generator
(bench_serve) and this script share the machine's cores with the servers.
"""

import argparse
import contextlib
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from serve_programs import ROOT, Atoll, Peer, load, load_average, unique_candidates  # noqa: E402

QUEUED_JOBS = 10_000
QUEUED_BYTES = 8 << 10
LOGGED_PARTS = 5
LOGGED_REPLIES = 50_000


def requests_a_second(arguments, folder):
    """Known answers: closed loops, then an offered rate."""
    print("\n### Known answers\n")
    print("| request | server | requests/s (median of "
          f"{arguments.repeats}; least to most) | times FastAPI | p99 ms at 1,024 connections, "
          "5,000 offered/s | answered/s there | bytes an answer |")
    print("|---|---|---|---|---|---|---|")
    with Atoll(arguments, folder) as atoll, Peer(arguments, folder) as peer:
        for name, request in known_requests(atoll).items():
            body = Path(folder) / f"{name}.jsonl"
            body.write_text(json.dumps(request) + "\n")
            make_known(atoll, peer, request)
            many = ("--connections", 64)
            deep = ("--connections", 8, "--depth", 64)
            wide = ("--connections", 1024, "--rate", 5000)
            rows = {
                "FastAPI + uvicorn, HTTP": (peer.http, many, wide),
                "atoll, HTTP keep-alive": (atoll.http, many, wide),
                "atoll, lines on TCP, pipelined": (atoll.tcp, deep, wide),
                "atoll, lines on a Unix socket, pipelined": ("unix:" + atoll.unix, deep, wide),
            }
            speeds = {row: [] for row in rows}
            for _ in range(arguments.repeats):
                for row, (address, closed, _) in rows.items():
                    speeds[row].append(load(arguments, address, body, *closed, "--seconds",
                                            arguments.seconds))
            slow = statistics.median(one["per_second"] for one in speeds["FastAPI + uvicorn, HTTP"])
            for row, (address, _, offered) in rows.items():
                rate = [one["per_second"] for one in speeds[row]]
                middle = statistics.median(rate)
                late = load(arguments, address, body, *offered, "--seconds", arguments.seconds)
                print(f"| {name} | {row} | {middle:,.0f} ({min(rate):,.0f} to {max(rate):,.0f}) | "
                      f"{middle / slow:.1f} | {late['p99_ms']:.2f} | {late['per_second']:,.0f} | "
                      f"{speeds[row][0]['bytes_per_answer']:,.0f} |", flush=True)


def known_requests(atoll):
    starter = atoll.ask("GET", "/v1/tasks/softmax")[1]["kinds"][0]["starters"][0]["source"]
    return {
        "trivial (a reply without code)": {
            "task": "softmax", "reply": "I do not know how.", "level": "verify"},
        "cached (a starter of 2.7 KB; the whole verdict)": {
            "task": "softmax", "source": starter, "level": "verify"},
        "cached (the same; without the verdict)": {
            "task": "softmax", "source": starter, "level": "verify", "verdict": False},
    }


def make_known(atoll, peer, request):
    for _ in range(3):  # evaluated; from the evaluator's cache; ready
        status, job = atoll.ask("POST", "/v1/evaluate", request)
        assert status == 200 and job["state"] == "done", job
    text = json.dumps({key: value for key, value in job.items() if key != "id"},
                      separators=(",", ":"))
    status, _ = peer.ask("POST", "/known", {"request": request, "outcome": job["outcome"],
                                            "answer": text[1:]})
    assert status == 200


def overhead(arguments, folder):
    """Of jobs that are evaluated, one at a time: all that is neither compiling nor the device. The
    server's clock begins when it has read a request and ends when the answer is made."""
    print("\n### Server overhead per uncached job\n")
    print("| level | jobs | client's wall time, median ms | compiling | on the device | the rest, by "
          "the server's clock: median ms (p90) | by the client's |")
    print("|---|---|---|---|---|---|---|")
    with Atoll(arguments, folder) as atoll:
        connection = atoll.connect()
        for level in ("verify", "measure"):
            walls, compiles, devices, inside, rests = [], [], [], [], []
            for request in unique_candidates(atoll, arguments.overhead_jobs, level):
                body = json.dumps(request)
                before = atoll.device()["busy_s"]
                begin = time.perf_counter()
                connection.request("POST", "/v1/evaluate", body)
                response = connection.getresponse()
                text = response.read()
                wall = time.perf_counter() - begin
                busy = atoll.device()["busy_s"] - before
                timing = json.loads(text)["timing"]
                compiled = timing["stages"].get("compile", 0)
                walls.append(1000 * wall)
                compiles.append(1000 * compiled)
                devices.append(1000 * busy)
                inside.append(1000 * (timing["total_s"] - compiled - busy))
                rests.append(1000 * (wall - compiled - busy))
            middle = statistics.median
            late = [sorted(one)[int(0.9 * len(one))] for one in (inside, rests)]
            print(f"| {level} | {len(walls)} | {middle(walls):.1f} | {middle(compiles):.1f} | "
                  f"{middle(devices):.1f} | {middle(inside):.2f} ({late[0]:.2f}) | "
                  f"{middle(rests):.2f} ({late[1]:.2f}) |", flush=True)


def batch(server, requests, on_result=lambda _: None):
    """Results as they come; every candidate gets a verdict, or the benchmark ends."""
    connection = server.connect()
    connection.request("POST", "/v1/batch", json.dumps({"requests": requests}))
    response = connection.getresponse()
    results = []
    while line := response.readline():
        results.append(json.loads(line))
        if results[-1].get("job", {}).get("state") != "done":
            raise SystemExit(f"no verdict: {line[:1000]}")
        on_result(results)
    return results


class Seen(Exception):
    """Enough of a batch has been answered."""


def queued_jobs(arguments, folder):
    """How busy the devices are while there is a queue, which is given up after a while."""
    print(f"\n### {arguments.queued} unique jobs queued at once\n")
    print("| tasks | seconds looked at | verdicts meanwhile | compiling, seconds of each | on the "
          "device, seconds of each | busy share of the devices |\n|---|---|---|---|---|---|")
    for tasks in (None, "matmul"):
        with Atoll(arguments, folder) as atoll:
            requests = unique_candidates(atoll, arguments.queued, "measure", tasks)
            looked = []

            def look(results):
                now = time.monotonic()
                if not looked or now - looked[0][0] >= arguments.queued_seconds:
                    looked.append((now, atoll.device()["busy_s"], len(results)))
                if len(looked) == 2:
                    compiled = [one["job"]["timing"]["stages"].get("compile", 0)
                                for one in results]
                    raise Seen(statistics.mean(compiled))

            try:
                batch(atoll, requests, look)
                raise SystemExit("the queue was empty too soon: give more --queued jobs")
            except Seen as seen:
                (first, busy_first, before), (last, busy_last, after) = looked
                busy = busy_last - busy_first
                share = busy / (last - first) / arguments.devices
                print(f"| {tasks or 'all CPU tasks in turn'} | {last - first:.1f} | "
                      f"{after - before} | {seen.args[0]:.3f} | {busy / (after - before):.3f} | "
                      f"{100 * share:.1f} % |", flush=True)


def memory(arguments, folder):
    print("\n### Resident memory\n\n| state | server, MB | with its workers, MB |\n|---|---|---|")
    with Atoll(arguments, folder) as atoll:
        time.sleep(2)
        row = "| {} | {:.1f} | {:.1f} |"
        print(row.format("idle, all tasks served", atoll.resident_mb(), atoll.resident_mb(True)))
        text = unique_candidates(atoll, 1, "measure")[0]["source"]
        credits = 500
        with contextlib.ExitStack() as stack:
            for client in range(QUEUED_JOBS // credits):
                one = stack.enter_context(socket.socket(socket.AF_UNIX))
                one.connect(atoll.unix)
                lines = []
                for i in range(credits):
                    source = f"int number_{client}_{i}();\n" + text
                    source += "//" + "x" * (QUEUED_BYTES - len(source) - 2)
                    lines.append(json.dumps({"op": "evaluate", "id": str(i), "request": {
                        "task": "softmax", "source": source, "scores": ["light"]}}))
                one.sendall("\n".join(lines).encode() + b"\n")
            most = 0
            for _ in range(100):
                most = max(most, atoll.ask("GET", "/v1/devices")[1]["jobs_pending"])
                if most >= QUEUED_JOBS - 50:
                    break
                time.sleep(0.1)
            print(row.format(f"{most:,} jobs of {QUEUED_BYTES >> 10} KiB queued",
                             atoll.resident_mb(), atoll.resident_mb(True)), flush=True)


def unique(arguments, folder):
    print(f"\n### {arguments.candidates} unique candidates of all CPU tasks\n")
    print("| server | seconds per 1,024 candidates | times as long | busy share of the devices |")
    print("|---|---|---|---|")
    with Atoll(arguments, folder) as atoll:
        requests = unique_candidates(atoll, arguments.candidates, "measure")
        before = atoll.device()["busy_s"]
        begin = time.monotonic()
        results = batch(atoll, requests)
        ours = time.monotonic() - begin
        share = (atoll.device()["busy_s"] - before) / ours / arguments.devices
        outcomes = {requests[one["index"]]["source"]: one["job"]["outcome"] for one in results}
    scale = 1024 / len(requests)
    print(f"| atoll serve, one batch | {scale * ours:.0f} | 1 | {100 * share:.1f} % |", flush=True)
    if arguments.peer_candidates:
        requests = requests[:arguments.peer_candidates]
    theirs_scale = 1024 / len(requests)
    with Peer(arguments, folder) as peer, ThreadPoolExecutor(64) as pool:
        begin = time.monotonic()
        answers = list(pool.map(lambda one: peer.ask("POST", "/v1/evaluate", one), requests))
        theirs = time.monotonic() - begin
    differ = sum(job["outcome"] != outcomes[request["source"]]
                 for request, (_, job) in zip(requests, answers))
    print(f"| FastAPI, a process per request | {theirs_scale * theirs:.0f} | "
          f"{theirs_scale * theirs / (scale * ours):.2f} | |")
    print(f"\n{len(requests) - differ} of {len(requests)} outcomes are the same (ours is the mean of "
          f"{len(outcomes)} candidates, theirs of {len(requests)}).", flush=True)


def logged(arguments, folder):
    """What --log costs where nothing else does: replies without code, each another one."""
    print(f"\n### {LOGGED_PARTS * LOGGED_REPLIES:,} different replies without code, logged\n")
    print("| server | answers/s | p99 ms, 512 without an answer | memory at the end, MB | more for "
          "each new text, bytes | on disk for each, bytes | ends after SIGTERM, s |")
    print("|---|---|---|---|---|---|---|")
    body = Path(folder) / "logged.jsonl"
    log = Path(folder) / "log"
    for name, options in (("without --log", ()), ("--log", ("--log", str(log)))):
        with Atoll(arguments, folder, *options) as atoll:
            loads, resident = [], []
            for part in range(LOGGED_PARTS):
                body.write_text("".join(json.dumps({
                    "task": "softmax", "level": "verify", "verdict": False, "group_id": f"g{i // 8}",
                    "reply": f"I do not know {i}: " + f"word{i} " * 40}) + "\n"
                    for i in range(part * LOGGED_REPLIES, (part + 1) * LOGGED_REPLIES)))
                loads.append(load(arguments, "unix:" + atoll.unix, body, "--connections", 8,
                                  "--depth", 64, "--count", LOGGED_REPLIES))
                time.sleep(1)
                resident.append(atoll.resident_mb())
            begin = time.monotonic()
        more = (resident[-1] - resident[0]) * 2**20 / ((LOGGED_PARTS - 1) * LOGGED_REPLIES)
        size = sum(one.stat().st_size for one in log.rglob("*") if one.is_file()) if options else 0
        print(f"| {name} | {statistics.median(one['per_second'] for one in loads):,.0f} | "
              f"{statistics.median(one['p99_ms'] for one in loads):.0f} | {resident[-1]:.0f} | "
              f"{more:.0f} | {size / (LOGGED_PARTS * LOGGED_REPLIES):.0f} | "
              f"{time.monotonic() - begin:.1f} |", flush=True)


PARTS = {"known": requests_a_second, "overhead": overhead, "queued": queued_jobs,
         "memory": memory, "unique": unique, "log": logged}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, help="with fastapi and uvicorn installed")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--devices", type=int, default=1, help="CPU devices, one core each")
    parser.add_argument("--sandbox", default="full")
    parser.add_argument("--seconds", type=float, default=5, help="of each load")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--overhead-jobs", type=int, default=45)
    parser.add_argument("--queued", type=int, default=256)
    parser.add_argument("--queued-seconds", type=float, default=60)
    parser.add_argument("--candidates", type=int, default=1024)
    parser.add_argument("--peer-candidates", type=int,
                        help="the first so many of them for the peer, which is slow (default: all)")
    arguments = parser.parse_args()
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "?")
    print(f"{model}, {len(os.sched_getaffinity(0))} cores; {platform.system()} "
          f"{platform.release()}; load average at the start {load_average():.2f}")
    with tempfile.TemporaryDirectory() as folder:
        for part in arguments.parts:
            PARTS[part](arguments, folder)
    print(f"\nLoad average at the end: {load_average():.2f}")


if __name__ == "__main__":
    main()
