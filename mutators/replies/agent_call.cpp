#include "mutators/replies/agent_call.hpp"

#include "mutators/model/json_limits.hpp"
#include "mutators/replies/reply_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;
using Tool = AgentCall::Tool;

constexpr std::size_t k_most_values = 64;

struct ToolSpec {
    const char* name;
    Tool tool;
    std::vector<std::string> takes;
};

const std::vector<ToolSpec>& tools() {
    static const std::vector<ToolSpec> all = {{"eval", Tool::eval, {"source", "change"}},
                                              {"profile", Tool::profile, {"of"}},
                                              {"lineage", Tool::lineage, {}},
                                              {"commit", Tool::commit, {"source", "change"}},
                                              {"end", Tool::end, {"why"}}};
    return all;
}

tl::unexpected<ReplyFault> malformed(std::string words) {
    return reply_fault(ReplyFault::Kind::malformed, std::move(words));
}

std::string in_a_line(const std::string& text) {
    std::string line(shortened(text, k_longest_said));
    std::replace_if(
        line.begin(), line.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return line;
}

FromReply<AgentCall> read(const Json& json, const ToolSpec& spec) {
    AgentCall call;
    call.tool = spec.tool;
    for (const auto& [key, value] : json.items()) {
        if (key == "tool") {
            continue;
        }
        if (std::find(spec.takes.begin(), spec.takes.end(), key) == spec.takes.end()) {
            return malformed(std::string("The tool \"") + spec.name + "\" takes no \"" +
                             in_a_line(key) + "\".");
        }
        if (!value.is_string()) {
            return malformed("\"" + key + "\" is no string.");
        }
        const std::string& text = value.get_ref<const std::string&>();
        if (key == "source") {
            call.source = text;
        } else {
            (key == "change" ? call.change : key == "of" ? call.of : call.why) = in_a_line(text);
        }
    }
    if (call.tool == Tool::eval && trimmed(call.source).empty()) {
        return malformed("The tool \"eval\" takes a \"source\".");
    }
    if (call.of != "parent" && call.of != "last") {
        return malformed("\"of\" is \"parent\" or \"last\".");
    }
    if (FromReply<void> usable = check_source(call.source); !usable) {
        return tl::unexpected<ReplyFault>(std::move(usable.error()));
    }
    return call;
}

}  // namespace

FromReply<AgentCall> agent_call_in(std::string_view line) {
    const auto json =
        parse_bounded_json(line, k_max_answer_bytes, k_most_values, "the agent's answer");
    if (!json) {
        return malformed("This is not JSON, or too long: " + in_a_line(json.error().what));
    }
    if (!json->is_object() || !json->contains("tool") || !(*json)["tool"].is_string()) {
        return malformed("An answer is one JSON object with a \"tool\".");
    }
    const std::string& name = (*json)["tool"].get_ref<const std::string&>();
    const auto spec = std::find_if(tools().begin(), tools().end(),
                                   [&name](const ToolSpec& one) { return one.name == name; });
    if (spec == tools().end()) {
        return malformed("There is no tool \"" + in_a_line(name) +
                         "\"; there are eval, profile, lineage, commit and end.");
    }
    return read(*json, *spec);
}

}  // namespace atl
