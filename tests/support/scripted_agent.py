#!/usr/bin/env python3
"""An agent that does as its first argument says; see tests/unit/mutators/agent_test.cpp."""
import json
import os
import socket
import sys
import time

way = sys.argv[1]
reader, writer = sys.stdin, sys.stdout
if len(sys.argv) > 2:  # a peer on a socket, which says its port in that file
    server = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[2] + ".part", "w") as file:
        file.write(str(server.getsockname()[1]))
    os.rename(sys.argv[2] + ".part", sys.argv[2])
    connection = server.accept()[0]
    reader = connection.makefile("r", encoding="utf-8")
    writer = connection.makefile("w", encoding="utf-8")


def hear():
    line = reader.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def say(value):
    writer.write(value if isinstance(value, str) else json.dumps(value))
    writer.write("\n")
    writer.flush()


state = hear()
assert state["turn"] == 0 and "# What a candidate is" in state["system"]
if way == "good":
    say({"tool": "lineage"})
    lineage = hear()
    say({"tool": "profile", "of": "parent"})
    profile = hear()
    say({"tool": "eval", "source": "int wrong;\n", "change": lineage["steps"][-1]})
    result = hear()
    assert result["correct"] is False and result["evaluations_left"] == state["evaluations_left"] - 1
    say({"tool": "commit", "source": state["parent"]["source"] + "int better;\n",
         "change": profile["bottleneck"]})
elif way == "evolves":
    unique = f"{os.getpid()}_{time.monotonic_ns()}"
    say({"tool": "eval", "source": state["parent"]["source"] + f"int e{unique};\n"})
    assert hear()["correct"] is True
    say({"tool": "commit", "source": state["parent"]["source"] + f"int c{unique};\n"})
elif way == "environment":
    names = ",".join(sorted(os.environ))
    say({"tool": "end", "why": names})
elif way == "malformed":
    while True:
        say("this is no JSON")
        assert hear()["type"] == "error"
elif way == "recovers":
    say('{"tool": "eval"}')
    assert "takes a" in hear()["what"]
    say({"tool": "commit", "source": "int b;\n"})
elif way == "crashes":
    say({"tool": "eval", "source": "int b;\n"})
    hear()
    sys.exit(3)
elif way == "endless":
    while True:
        writer.write("x" * 65536)
elif way == "greedy":
    number = 0
    while True:
        number += 1
        say({"tool": "eval", "source": f"int b{number};\n"})
        hear()
elif way == "dies_at_once":
    sys.exit(7)
time.sleep(1000)  # whoever has committed is ended from outside
