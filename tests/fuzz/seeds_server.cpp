#include "reward/verdict.hpp"
#include "tests/fuzz/seeds.hpp"

namespace atl::fuzz {

namespace {

SeedsOfTarget trainer_seeds() {
    SeedsOfTarget bodies{"trainer_request", {}};
    bodies.seeds["openrlhf"] =
        R"({"query": ["<|user|>q<|end|>\n```cpp\nint a;\n```<|end|>", "cut off"],
            "prompts": ["<|user|>q<|end|>\n", "is cut"], "labels": ["small", {"task": "small"}]})";
    bodies.seeds["slime"] =
        R"({"prompt": [{"role": "user", "content": [{"type": "text", "text": "<atoll>small</atoll>"}]}],
            "response": "```cpp\nint a;\n```", "label": "{\"task\": \"small\", \"score\": \"light\"}",
            "metadata": {"atoll": {"task": "small", "kind": "cpu_cpp"}}})";
    bodies.seeds["nemo_gym"] =
        R"({"responses_create_params": {"input": [{"role": "user", "content": "q"}]}, "response": {"output":
            [{"role": "assistant", "content": [{"type": "output_text", "text": "```cpp\nint a;\n```"}]}]},
            "verifier_metadata": {"atoll": "small"}, "ground_truth": "small"})";
    bodies.seeds["metrics"] =
        R"({"verify_responses": [{"_ng_task_index": 1, "reward": 1e308, "ok": true}, {"reward": -1e308},
            {"_ng_task_index": 1, "reward": 1e308}, {"_ng_failure_class": "x"}]})";
    bodies.seeds["kernelgym"] =
        R"({"task_id": "a", "kernel_code": "int a;", "reference_code": "# <atoll>small</atoll>", "priority": "high",
            "measure_performance": false})";
    bodies.seeds["kernelgym_batch"] =
        R"({"batch_id": "b", "tasks": [{"task_id": "a", "kernel_code": "import x", "atoll": "small"},
            {"task_id": "b", "kernel_code": "int b;", "atoll": "small"}]})";
    bodies.seeds["flashinfer"] =
        R"({"solution": {"name": "n", "definition": "small", "spec": {"language": "cpp", "entry_point": "a::launch",
            "dependencies": ["x"], "binding": null}, "sources": [{"path": "a", "content": "int a;"}]},
            "workload_uuids": null})";
    return bodies;
}

}  // namespace

std::vector<SeedsOfTarget> server_seeds() {
    SeedsOfTarget lines{"serve_line", {}};
    lines.seeds["hello"] = R"({"op": "hello", "token": "0123456789abcdef"})";
    lines.seeds["cancel"] = R"({"op": "cancel", "id": "a"})";
    lines.seeds["ping"] = R"({"op": "ping"})";
    lines.seeds["source"] =
        R"({"op": "evaluate", "id": "a", "request": {"task": "small", "source": "int a;",
            "kind": "cpu_cpp", "device": "cpu", "tune": {"A": 1, "B": "2"}, "flags": ["-O2"],
            "level": "measure", "scores": ["speedup", "light"], "profile": false, "priority": -3,
            "deadline_s": 7, "idempotency_key": "k", "trajectory_id": "t", "group_id": "g",
            "turn": 4}})";
    lines.seeds["reply"] =
        R"({"op": "evaluate", "id": "b", "request": {"task": "small", "level": "verify",
            "reply": "Thus:\n```cpp\nint a;\n```\n"}})";
    lines.seeds["engine"] =
        R"({"op": "describe", "id": "c", "request": {"task": "small", "source": "int a;",
            "level": "confirm", "scores": [], "fresh": true, "cutoff_ns": 1.5, "client": "me",
            "rivals": [{"name": "old", "source": "int b;", "tune": {"A": "1"}, "flags": []}]}})";
    SeedsOfTarget heads{"serve_head", {}};
    heads.seeds["post"] =
        "POST /t/0123456789abcdef/v1/evaluate?wait=1 HTTP/1.1\r\nHost: a\r\n"
        "Idempotency-Key: k\r\nContent-Length: 2\r\n\r\n{}";
    heads.seeds["get"] =
        "GET /v1/jobs/j1?wait=0.5&x=1 HTTP/1.1\r\nAuthorization: Bearer 0123456789abcdef\r\n"
        "Origin: null\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    heads.seeds["open"] = "GET /healthz HTTP/1.0\r\n\r\n";
    SeedsOfTarget answers{"remote_answer", {}};
    answers.seeds["hello"] =
        R"({"type": "hello", "protocol": 1, "credits": 512, "line_bytes": 4194304,
            "needs_token": false})";
    answers.seeds["description"] =
        R"({"type": "description", "id": "0", "device": {"parallelism": 3, "fingerprint": "f",
            "description": "d"}})";
    answers.seeds["result"] = R"({"type": "result", "id": "7", "job": {"state": "done",
        "cached": true, "verdict": )" +
                              to_json(Verdict()) + "}}";
    answers.seeds["fault"] =
        R"({"type": "result", "id": "7", "job": {"state": "fault", "fault": {"code": "timeout",
            "message": "m", "where": "w", "hint": "h", "attempts": 2}}})";
    answers.seeds["later"] =
        R"({"type": "error", "id": "7", "error": {"code": "queue_full", "retry_after_s": 3}})";
    return {lines, heads, answers, trainer_seeds()};
}

}  // namespace atl::fuzz
