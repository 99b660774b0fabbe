#include "tests/fuzz/seeds.hpp"

namespace atl::fuzz {

std::vector<SeedsOfTarget> reply_seeds() {
    SeedsOfTarget replies{"model_reply", {}};
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
    return {replies, edits};
}

}  // namespace atl::fuzz
