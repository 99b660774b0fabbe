"""The programs that serve_benchmarks.py starts, and how they are asked."""

import http.client
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """A server as a process: ended with the block."""

    def __init__(self, command, folder, name):
        self.log = open(Path(folder) / f"{name}.log", "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.http = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text()

    def wait_until_it_answers(self):
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"a server does not answer:\n{self.said()}")

    def connect(self):
        host, port = self.http.removeprefix("http://").split(":")
        return http.client.HTTPConnection(host, int(port), timeout=3600)

    def ask(self, method, path, body=None):
        connection = self.connect()
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text or b"null")

    def resident_mb(self, children=False):
        pids = [self.process.pid]
        if children:
            pids += descendants(self.process.pid)
        total = 0
        for pid in pids:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            total += int(found[1]) if found else 0
        return total / 1024


def descendants(root):
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = list(parents.get(root, []))
    for pid in found:
        found += parents.get(pid, [])
    return found


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Atoll(Program):
    def __init__(self, arguments, folder, *options):
        ports = [free_port(), free_port()]
        self.unix = str(Path(folder) / "socket")
        super().__init__(
            [str(arguments.bin / "atoll"), "serve", "--http", f"127.0.0.1:{ports[0]}", "--tcp",
             f"127.0.0.1:{ports[1]}", "--unix", self.unix, "--device", f"cpu:{arguments.devices}",
             "--sandbox", arguments.sandbox, *options], folder, "atoll")
        self.http = f"http://127.0.0.1:{ports[0]}"
        self.tcp = f"tcp://127.0.0.1:{ports[1]}"
        self.wait_until_it_answers()

    def device(self):
        return self.ask("GET", "/v1/devices")[1]["devices"][0]


class Peer(Program):
    def __init__(self, arguments, folder):
        port = free_port()
        super().__init__(
            [arguments.peer_python, str(Path(__file__).parent / "serve_peer.py"), str(port),
             str(arguments.bin / "atoll"), str(arguments.devices), arguments.sandbox], folder,
            "peer")
        self.http = f"http://127.0.0.1:{port}"
        self.wait_until_it_answers()


def load(arguments, address, bodies, *options):
    """Runs bench_serve; its one line as a dictionary."""
    command = [str(arguments.bin / "bench_serve"), address, str(bodies), *map(str, options)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")
    return json.loads(result.stdout)


def unique_candidates(server, count, level, only=None):
    """Starters of all CPU tasks (or of one) in turn, each with a function of its own that makes it
    unlike the others. Scored by the speed of light, so that no starter is measured besides."""
    starters = []
    for task in server.ask("GET", "/v1/tasks")[1]["tasks"]:
        if only not in (None, task["name"]):
            continue
        for kind in server.ask("GET", f"/v1/tasks/{task['name']}")[1]["kinds"]:
            if kind["kind"] == "cpu_cpp":
                starters += [(task["name"], one["source"]) for one in kind["starters"]]
    mark = time.time_ns()
    requests = []
    for i in range(count):
        task, source = starters[i % len(starters)]
        source += f"\nint number_{mark}_{i}() {{ return {i}; }}\n"
        requests.append({"task": task, "source": source, "level": level})
        if level == "measure":
            requests[-1]["scores"] = ["light"]
    return requests


def load_average():
    return os.getloadavg()[0]
