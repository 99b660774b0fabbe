"""Holds a running server against the OpenAPI document that it serves.

Usage: openapi_check.py URL TASK SOURCE_FILE. Every operation is called; every answer must have a status that the operation
documents, and a body that fits the schema of that status. Ends with status 1 and a line per
contradiction, also when an operation of the document was never called.
"""

import json
import sys
import urllib.error
import urllib.request

import jsonschema

URL, TASK, SOURCE_FILE = sys.argv[1:4]
SOURCE = open(SOURCE_FILE).read()
problems = []
called = set()


def fetch(method, path, body=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


status, headers, text = fetch("GET", "/openapi.json")
document = json.loads(text)


def deref(node):
    if "$ref" not in node:
        return node
    found = document
    for part in node["$ref"].split("/")[1:]:
        found = found[part]
    return found


def validate(schema, value, what):
    # The schemas refer to the document's components: so that they are found, they come along.
    validator = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    for error in validator.iter_errors(value):
        problems.append(f"{what}: {error.message[:300]} at {list(error.absolute_path)}")


def call(method, template, want, path=None, body=None):
    """Calls one operation, and returns the body of its answer."""
    what = f"{method} {path or template}"
    called.add((method.lower(), template))
    operation = document["paths"][template][method.lower()]
    status, headers, text = fetch(method, path or template, body)
    if status != want:
        problems.append(f"{what}: status {status}, expected {want}: {text[:300]}")
    if str(status) not in operation["responses"]:
        problems.append(f"{what}: status {status} is not in the document")
        return None
    response = deref(operation["responses"][str(status)])
    for name in response.get("headers", {}):
        if name not in headers:
            problems.append(f"{what}: no header {name}")
    kind = headers["Content-Type"].split(";")[0]
    if kind not in response["content"]:
        problems.append(f"{what}: {kind} is not in the document")
        return None
    schema = response["content"][kind]["schema"]
    if kind == "text/plain":
        validate(schema, text.decode(), what)
        return text.decode()
    if kind == "application/x-ndjson":
        lines = [json.loads(line) for line in text.decode().splitlines()]
        for line in lines:
            validate(schema, line, what)
        return lines
    value = json.loads(text)
    validate(schema, value, what)
    return value


if document["openapi"] != "3.1.0":
    problems.append("the document is not of OpenAPI 3.1")
request_schema = document["components"]["schemas"]["Request"]
good = {"task": TASK, "source": SOURCE, "level": "measure", "scores": ["speedup", "light", "kevin"], "tune": {"STEP": 2},
        "flags": [], "priority": 1, "deadline_s": 300, "idempotency_key": "k", "trajectory_id": "t",
        "group_id": "g", "turn": 3, "client": "c", "fresh": False, "cutoff_ns": 0, "policy_version": 7, "token_ids": [5, 6],
        "log_probabilities": [-0.5, -1], "kind": "cpu_cpp", "device": "cpu", "profile": False, "verdict": False}
validate(request_schema, good, "the request")
if set(request_schema["properties"]) != set(good) | {"reply", "name_from", "task_digest", "rivals"}:
    problems.append("the request has fields that this check does not send")
wrong = {"task": TASK, "reply": "```cpp\nint ;;; = \n```"}

call("POST", "/v1/evaluate", 200, body=good)
call("POST", "/v1/evaluate", 200, body=wrong)
named = {"reply": wrong["reply"], "name_from": {"metadata": {"atoll": {"task": TASK}}, "label": "", "prompt": None}}
validate(request_schema, named, "the request with name_from")
call("POST", "/v1/evaluate", 200, body=named)
call("POST", "/v1/evaluate", 400, body=b"nonsense")
call("POST", "/v1/evaluate", 422, body={"task": TASK, "sorce": ""})
call("POST", "/v1/evaluate", 413, body={"task": TASK, "source": "x" * 10_000_000})
begun = call("POST", "/v1/evaluate", 202, path="/v1/evaluate?wait=0", body={"task": TASK, "source": SOURCE + "//"})
call("GET", "/v1/jobs/{id}", 200, path=f"/v1/jobs/{begun['id']}?wait=100")
call("DELETE", "/v1/jobs/{id}", 200, path=f"/v1/jobs/{begun['id']}")
call("GET", "/v1/jobs/{id}", 404, path="/v1/jobs/j0")
call("GET", "/v1/jobs/{id}", 400, path=f"/v1/jobs/{begun['id']}?wait=x")
call("DELETE", "/v1/jobs/{id}", 404, path="/v1/jobs/j0")
doomed = call("POST", "/v1/evaluate", 202, path="/v1/evaluate?wait=0",
              body={"task": TASK, "source": SOURCE + "\nint unlike_the_others;"})
call("DELETE", "/v1/jobs/{id}", 200, path=f"/v1/jobs/{doomed['id']}")
lines = call("POST", "/v1/batch", 200, body={"requests": [good, wrong, {"task": "none", "source": ""}]})
if sorted(line["index"] for line in lines or []) != [0, 1, 2]:
    problems.append(f"batch: not one line for each request: {lines}")
call("POST", "/v1/batch", 422, body={"requests": 1})
call("POST", "/v1/batch", 400, body=b"[")
call("GET", "/v1/tasks", 200)
call("GET", "/v1/tasks/{name}", 200, path=f"/v1/tasks/{TASK}")
call("GET", "/v1/tasks/{name}", 404, path="/v1/tasks/none")
call("GET", "/v1/devices", 200)
call("GET", "/v1/scores", 200)
call("GET", "/healthz", 200)
call("GET", "/readyz", 200)
call("GET", "/metrics", 200)
call("GET", "/openapi.json", 200)


# The formats of trainers.
right = "Thus:\n```cpp\n" + SOURCE + "\n```\n"
lists = {"query": ["P" + right, "P"], "prompts": ["P", "P"], "labels": [TASK, {"task": TASK, "level": "verify"}]}
rewards = call("POST", "/get_reward", 200, body=lists) or {}
if len(rewards.get("rewards", [])) != 2 or not rewards["rewards"][0] > 0 or rewards["rewards"][1] != 0:
    problems.append(f"/get_reward: {rewards}")
call("POST", "/get_reward", 200, body={"query": [], "prompts": [], "labels": []})
call("POST", "/get_reward", 422, body={"query": ["P"], "prompts": ["P"], "labels": [""]})
call("POST", "/get_reward", 400, path="/get_reward?x=1", body=lists)
call("POST", "/rm", 200, path="/rm?score=light", body={"prompt": "", "response": right, "label": TASK})
call("POST", "/rm", 422, body={"prompt": "", "response": right, "label": None})
message = {"role": "assistant", "content": [{"type": "output_text", "text": right}]}
rollout = {"responses_create_params": {"input": "P"}, "response": {"output": [message]},
           "verifier_metadata": {"atoll": {"task": TASK, "level": "verify"}}}
call("POST", "/seed_session", 200, body={"responses_create_params": {}})
call("POST", "/seed_session", 200, body={"resources_session_id": "s", "task_data": {"ground_truth": TASK}})
call("POST", "/seed_session", 413, body={"resources_session_id": "s", "task_data": {"ground_truth": "x" * 2000}})
call("POST", "/close_session", 200, body={"resources_session_id": "s"})
call("POST", "/verify", 200, body=rollout)
call("POST", "/verify", 422, body={**rollout, "verifier_metadata": {}})
call("POST", "/aggregate_metrics", 200, body={"verify_responses": [{"_ng_task_index": 0, "reward": 1.0}]})
call("POST", "/aggregate_metrics", 422, body={})
call("GET", "/reverify_mode", 200)
kernel = {"task_id": "t1", "kernel_code": SOURCE, "atoll": TASK}
call("POST", "/evaluate", 200, body=kernel)
call("POST", "/evaluate", 200, body={**kernel, "task_id": "t2", "kernel_code": SOURCE + "int ;;; ="})
call("POST", "/evaluate", 422, body={**kernel, "kernel_code": "import torch"})
call("POST", "/evaluate/batch", 200, body={"batch_id": "b", "tasks": [kernel, {**kernel, "task_id": "t3"}]})
call("POST", "/evaluate/batch", 422, body={"tasks": []})
call("GET", "/status/{id}", 200, path="/status/t1")
call("GET", "/status/{id}", 404, path="/status/none")
call("GET", "/results/{id}", 200, path="/results/t2")
call("GET", "/results/{id}", 404, path="/results/none")
call("GET", "/health", 200)
solution = {"name": "n", "definition": TASK, "author": "a", "sources": [{"path": "a.cpp", "content": SOURCE}],
            "spec": {"language": "cpp", "target_hardware": ["cpu"], "entry_point": "a.cpp::launch"}}
begun = call("POST", "/evaluate", 200, body={"solution": solution})
call("GET", "/tasks/{id}", 200, path=f"/tasks/{begun['task_id']}?timeout=100")
call("GET", "/tasks/{id}", 422, path=f"/tasks/{begun['task_id']}?timeout=x")
call("GET", "/tasks/{id}", 404, path="/tasks/j0")
call("POST", "/tasks/batch", 200, body={"task_ids": [begun["task_id"]], "timeout": 1})
call("POST", "/tasks/batch", 422, body={})
call("GET", "/definitions", 200)
call("GET", "/definitions/{name}", 200, path=f"/definitions/{TASK}")
call("GET", "/definitions/{name}", 404, path="/definitions/none")
listed = call("GET", "/definitions/{name}/workloads", 200, path=f"/definitions/{TASK}/workloads")
call("GET", "/workloads/{uuid}", 200, path=f"/workloads/{listed[0]['uuid']}")
call("GET", "/workloads/{uuid}", 404, path="/workloads/none")

for template, operations in document["paths"].items():
    for method in set(operations) - {"parameters"}:
        if (method, template) not in called:
            problems.append(f"{method} {template} is documented and was not called")
print("\n".join(problems) or f"{len(called)} operations are as documented")
sys.exit(1 if problems else 0)
