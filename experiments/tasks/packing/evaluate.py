"""Judges one candidate: python3 evaluate.py CANDIDATE.py

The candidate runs in a process of its own, which hands over points and nothing else; the score is
computed here. A judge that imports the candidate lets it print a score of its own choice and exit.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import traceback

COUNT = 10
BEST_KNOWN = 0.42128  # smallest distance of the best known placement of 10 points
SECONDS = 5
OUTPUT_BYTES = 65536

# What the candidate prints goes to standard error; limits keep it from filling the disk.
RUN = """
import json, os, resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
points = [(float(x), float(y)) for x, y in runpy.run_path(sys.argv[1])["points"]()]
json.dump(points, answer)
"""


def wrong(feedback):
    return {"correct": False, "feedback": feedback}


def run_candidate(path):
    """What the candidate hands over, and what is wrong if it hands over nothing; both are text."""
    # Files, not pipes: a process that the candidate leaves behind cannot hold them open.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        try:
            status = subprocess.run(
                [sys.executable, "-I", "-c", RUN, path],
                stdin=subprocess.DEVNULL, stdout=answer, stderr=errors, timeout=SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            return "", f"no points after {SECONDS} seconds"
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
        tail = errors.read().decode("utf-8", "replace").strip()
        answer.seek(0)
        text = answer.read(OUTPUT_BYTES).decode("utf-8", "replace")
        if status == 0 and text:
            return text, ""
        last = tail.rsplit("\n", 1)[-1] if status else ""
        return "", f"{last or 'the process ended without handing over points'}\n{tail}"


def judge(path):
    text, problem = run_candidate(path)
    if problem:
        return wrong(problem)
    points = [(float(x), float(y)) for x, y in json.loads(text)]
    if len(points) != COUNT:
        return wrong(f"{len(points)} points, {COUNT} are needed")
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return wrong(f"({x}, {y}) is outside the unit square")
    distance = min(
        math.dist(points[i], points[j]) for i in range(COUNT) for j in range(i)
    )
    return {
        "correct": True,
        "score": distance / BEST_KNOWN,
        "scores": {"distance": distance},
        "artefacts": {"points": "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)},
    }


def main():
    try:
        answer = judge(sys.argv[1])
    except Exception:  # whatever was handed over is no list of points
        answer = wrong(traceback.format_exc(limit=-2))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
