"""Judges one candidate: python3 evaluate.py CANDIDATE.py"""

import json
import math
import runpy
import sys
import traceback

COUNT = 10
BEST_KNOWN = 0.42128  # smallest distance of the best known placement of 10 points


def judge(path):
    points = [(float(x), float(y)) for x, y in runpy.run_path(path)["points"]()]
    if len(points) != COUNT:
        return {"correct": False, "feedback": f"{len(points)} points, {COUNT} are needed"}
    for x, y in points:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return {"correct": False, "feedback": f"({x}, {y}) is outside the unit square"}
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
    # The candidate's own prints must not be taken for the answer.
    answer_stream, sys.stdout = sys.stdout, sys.stderr
    try:
        answer = judge(sys.argv[1])
    except Exception:
        answer = {"correct": False, "feedback": traceback.format_exc(limit=-2)}
    print(json.dumps(answer), file=answer_stream)


if __name__ == "__main__":
    main()
