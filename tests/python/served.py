"""`atoll serve` as a process of its own, with one CPU task."""

import os
import re
import subprocess
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ATOLL = os.environ.get("ATOLL_BIN", os.path.join(ROOT, "build", "release", "bin", "atoll"))
TASK = "softmax"
STARTERS = os.path.join(ROOT, "experiments", "tasks", TASK, "starters")


def starter():
    """The source of a right candidate."""
    names = sorted(name for name in os.listdir(STARTERS) if name.endswith(".cpp"))
    with open(os.path.join(STARTERS, names[0]), encoding="utf-8") as file:
        return file.read()


def reply(source):
    """What a model writes around a candidate."""
    return f"It is simple:\n```cpp\n{source}\n```\n"


class Served:
    def __init__(self, *arguments):
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [ATOLL, "serve", "--sandbox", "none", "--task", os.path.join(ROOT, "experiments", "tasks", TASK),
             "--http", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=self._errors, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        if not found:
            self.process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"atoll serve does not listen: {line!r} {self._errors.read()!r}")
        self.url = found.group()

    def end(self, kill=False):
        if self.process.poll() is None:
            self.process.kill() if kill else self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self._errors.close()
        return self.process.returncode
