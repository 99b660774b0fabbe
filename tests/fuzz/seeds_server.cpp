#include "tests/fuzz/seeds.hpp"

namespace atl::fuzz {

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
    SeedsOfTarget replies{"model_reply", {}};
    replies.seeds["one"] = "Thus:\n```cpp\nint a;\n```\n";
    replies.seeds["nested"] = "````cuda title=x\n```\ninside\n```\n````\n~~~\nint b;\n~~~";
    replies.seeds["open"] = "   ```c++\r\nint a;";
    return {lines, replies};
}

}  // namespace atl::fuzz
