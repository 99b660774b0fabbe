#!/usr/bin/env python3
"""How long after it happened does a live h5py reader see an event?

Waits for RUN/lineage.h5, opens it as an analyst would while the campaign writes
(libver="latest", swmr=True), and looks again every POLL seconds until the campaign ends or
SECONDS have passed. The lag of an event is the time at which it was first seen minus the time at
which the engine recorded it (both from this machine's clock). Fails above 2 s.

    live_reader.py RUN [SECONDS=60] [POLL=0.05]
"""

import sys
import time
from pathlib import Path

import h5py

LIMIT_S = 2.0


def open_live(path, until):
    while time.time() < until:
        try:
            return h5py.File(path, "r", libver="latest", swmr=True)
        except OSError:
            time.sleep(0.01)
    sys.exit(f"{path} did not appear")


def started_ns(file, until):
    while time.time() < until:
        file["campaign"].refresh()
        if file["campaign"].shape[0]:
            return int(file["campaign"][0]["started_wall_ns"])
        time.sleep(0.01)
    sys.exit("the campaign did not start")


def watch(file, until, poll):
    """Lags in seconds of all events that happened after the first look."""
    start = started_ns(file, until)
    index = file["events/index"]
    kinds = {number: name for name, number in h5py.check_enum_dtype(index.dtype["type"]).items()}
    index.refresh()
    seen, lags, ended = index.shape[0], [], False
    while time.time() < until and not ended:
        time.sleep(poll)
        index.refresh()
        now = time.time_ns()
        rows = index[seen:index.shape[0]]
        seen += len(rows)
        for row in rows:
            kind = kinds[row["type"]]
            if row["time_ns"] > 0 and kind != "SessionOpened":
                lags.append((now - start - int(row["time_ns"])) / 1e9)
            ended = ended or kind == "CampaignStopped"
    return sorted(lags), seen, ended


def main():
    if not 2 <= len(sys.argv) <= 4 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    until = time.time() + float(sys.argv[2] if len(sys.argv) > 2 else 60)
    poll = float(sys.argv[3] if len(sys.argv) > 3 else 0.05)
    file = open_live(Path(sys.argv[1]) / "lineage.h5", until)
    lags, seen, ended = watch(file, until, poll)
    if not lags:
        sys.exit("no event happened while it was being read")
    passed = lags[-1] < LIMIT_S
    print(f"{len(lags)} events with a time seen live, {seen} in all"
          f"{'' if ended else '; the campaign goes on'}")
    print(f"lag: median {lags[len(lags) // 2]:.3f} s, 99 % below {lags[len(lags) * 99 // 100]:.3f} s, "
          f"largest {lags[-1]:.3f} s")
    print(f"{'passed' if passed else 'FAILED'}: limit {LIMIT_S} s")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
