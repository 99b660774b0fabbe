#include "tests/fuzz/seeds.hpp"

namespace atl::fuzz {

namespace {

SeedsOfTarget chat_seeds() {
    SeedsOfTarget chat{"chat_documents", {}};
    chat.seeds["reply"] =
        R"({"model":"m","choices":[{"message":{"content":"a","reasoning_content":"b"},)"
        R"("finish_reason":"stop"},{"message":{"content":null,"refusal":"c"}}],)"
        R"("usage":{"prompt_tokens":9,"completion_tokens":3,)"
        R"("prompt_tokens_details":{"cached_tokens":4}}})";
    chat.seeds["parts"] =
        R"({"choices":[{"message":{"content":[{"type":"thinking","thinking":"b"},)"
        R"({"type":"text","text":"<think>c</think>d"}],"reasoning":"e"},)"
        R"("finish_reason":"tool_calls"}]})";
    chat.seeds["thoughts"] = R"({"choices":[{"message":{"content":"<think>c</think>\nd"}}]})";
    chat.seeds["request"] =
        R"({"model":"m","messages":[{"role":"system","content":"a"},)"
        R"({"role":"user","content":[{"type":"text","text":"b\n"}]}],"n":2,"temperature":0.5,)"
        R"("top_p":0.9,"seed":7,"max_completion_tokens":5,"stop":"x","stream":false})";
    chat.seeds["error"] = R"({"error":{"message":"slow\ndown","type":"requests","code":429}})";
    return chat;
}

}  // namespace

std::vector<SeedsOfTarget> reply_seeds() {
    SeedsOfTarget replies{"model_reply", {}};
    replies.seeds["agent"] = R"({"tool":"eval","source":"int a;\n","change":"b"})";
    replies.seeds["ideas"] = "1. **Idea 1:** wider\nloads\n- Gain: 1.5x\nIdea: b\nGain: 2\n";
    replies.seeds["one"] = "Thus:\n```cpp\nint a;\n```\n";
    replies.seeds["nested"] = "````cuda title=x\n```\ninside\n```\n````\n~~~\nint b;\n~~~";
    replies.seeds["open"] = "   ```c++\r\nint a;";
    replies.seeds["reasoning"] =
        "<think>\n```cuda\nint dr\n</think>\n- **Change:** less\n```md\n```cuda\r\nint a;\r\n```\n";
    const std::string parent =
        std::string(
            "int first;\nvoid f() {\n    for (;;) {\n        step();\n    }\n"
            "}\n// region: r\nint a;\r\n// endregion: r\nint last;") +
        '\0';
    const std::string begin = "<<<<<<< SEARCH\n";
    const std::string middle = "=======\n";
    const std::string end = ">>>>>>> REPLACE\n";
    SeedsOfTarget edits{"edit_reply", {}};
    edits.seeds["two"] = parent + "Change: x\n" + begin + "int first;\n" + middle + "int b;\n" +
                         end + "```\n" + begin + "int a; \n" + middle + "int c;\n" + end;
    edits.seeds["indented"] =
        parent + begin + "\nfor (;;) {\n  step();\n" + middle + "while (x) {\n\tgo();\n\n" + end;
    edits.seeds["unmatched"] = parent + begin + "  step(1);\n    }\n" + middle + end + begin +
                               "}\n" + middle + "x\n" + end;
    edits.seeds["overlapping"] = parent + begin + "// region: r\nint a;\n" + middle + end + begin +
                                 "int a;\n" + middle + end;
    edits.seeds["broken"] = parent + begin + "int a;\n" + end + middle + begin;
    return {replies, edits, chat_seeds()};
}

}  // namespace atl::fuzz
