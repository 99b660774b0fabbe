#!/usr/bin/env python3
"""Runs the shipped campaigns over several seeds and prints what they reached as a Markdown table.

Run it on an otherwise idle machine, after `tools/build release`:

    experiments/benchmarks/campaigns.py --seeds 5 --output runs/table
    experiments/benchmarks/campaigns.py --tasks softmax --seeds 1 --seconds 20

With --jobs N, N campaigns run at once, each on two cores of its own.
"""

import argparse
import concurrent.futures
import datetime
import json
import math
import os
import pathlib
import queue
import statistics
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def is_kernel(task):
    """Tasks with an outside judge have none of what the table shows."""
    definition = json.loads((ROOT / f"experiments/tasks/{task}/definition.json").read_text())
    return definition.get("atoll", {}).get("kind") != "external"


def shipped_campaigns():
    """Config file by task."""
    configs = sorted((ROOT / "experiments/campaigns").glob("*.toml"))
    tasks = {tomllib.loads(c.read_text())["campaign"]["task"]: c for c in configs}
    return {task: config for task, config in tasks.items() if is_kernel(task)}


CAMPAIGNS = shipped_campaigns()


def geomean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values))


def public(timings):
    return {t["workload"]: t for t in timings if not t["hidden"]}


def speedup(over, of):
    """Geometric mean over public workloads of time(over) / time(of)."""
    return geomean([over[w]["median_ns"] / of[w]["median_ns"] for w in of])


def read_json(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def run_campaign(atoll, task, seed, seconds, folder, cores):
    command = [atoll, "run", CAMPAIGNS[task], "--seed", seed, "--output", folder, "--quiet"]
    command += ["--seconds", seconds] if seconds else []
    command = ["taskset", "-c", cores] + command if cores else command
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def reached(atoll, task, folder, cores):
    """What the campaign's best is beside the task's starters and baselines, all in one interleaved
    run of its own."""
    summary = read_json([atoll, "lineage", folder, "summary", "--json"])
    best = read_json([atoll, "lineage", folder, "best", "--json"])["best"]
    starters = sorted((ROOT / f"experiments/tasks/{task}/starters").iterdir())
    command = [atoll, "eval", task, folder / "best/best.cpp", "--level", "confirm", "--json"]
    command += [f"--flag={flag}" for flag in json.loads((folder / "best/best.json").read_text())["flags"]]
    command += [word for starter in starters for word in ("--rival", starter)]
    command = ["taskset", "-c", cores] + command if cores else command
    measure = read_json([str(c) for c in command])[0]["verdict"]["measure"]
    own = public(measure["workloads"])
    rivals = {name: speedup(public(t), own) for name, t in measure["rivals"].items()}
    return {
        "over_best_starter": min(rivals[str(starter)] for starter in starters),
        "light": geomean([t["light_ns"] / t["median_ns"] for t in own.values()]),
        "openblas": rivals.get("openblas"),
        "evaluations": summary["evaluations"],
        "starter": best["starter"],
        "device": summary["device"],
    }


def spread(values, form):
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    return f"{form(statistics.median(values))} ({form(min(values))} to {form(max(values))})"


def print_table(results, seeds):
    device = next(iter(results.values()))[0]["device"]
    print(f"Date {datetime.date.today()}; {device}; {seeds} seeds; median (lowest to highest)\n")
    print("| task | speed-up over the best starter | share of the speed of light "
          "| speed / OpenBLAS | evaluations | structure of the best |")
    print("|---|---|---|---|---|---|")
    for task, rows in results.items():
        column = lambda name: [r[name] for r in rows]
        names = sorted(set(column("starter")), key=column("starter").count, reverse=True)
        structure = ", ".join(f"{n} ({column('starter').count(n)})" for n in names)
        print(f"| {task} | {spread(column('over_best_starter'), '{:.2f}'.format)} "
              f"| {spread(column('light'), '{:.0%}'.format)} "
              f"| {spread(column('openblas'), '{:.2f}'.format)} "
              f"| {spread(column('evaluations'), '{:.0f}'.format)} | {structure} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0, help="instead of the campaigns' own")
    parser.add_argument("--tasks", nargs="+", choices=CAMPAIGNS, default=list(CAMPAIGNS))
    parser.add_argument("--jobs", type=int, default=1, help="campaigns at once")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "runs" / "table")
    parser.add_argument("--atoll", type=pathlib.Path, default=ROOT / "build/release/bin/atoll")
    arguments = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if arguments.jobs > 1 and len(cores) < 2 * arguments.jobs:
        parser.error(f"--jobs {arguments.jobs} needs {2 * arguments.jobs} cores")
    places = queue.Queue()
    for job in range(arguments.jobs):
        places.put("" if arguments.jobs == 1 else f"{cores[2 * job]},{cores[2 * job + 1]}")

    def one(task, seed):
        folder = arguments.output / f"{task}-{seed}"
        place = places.get()
        try:
            run_campaign(arguments.atoll, task, seed, arguments.seconds, folder, place)
            return reached(arguments.atoll, task, folder, place)
        finally:
            places.put(place)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        waiting = {task: [pool.submit(one, task, seed) for seed in range(1, arguments.seeds + 1)]
                   for task in arguments.tasks}
        results = {task: [job.result() for job in jobs] for task, jobs in waiting.items()}
    print_table(results, arguments.seeds)


if __name__ == "__main__":
    main()
