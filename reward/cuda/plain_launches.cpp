#include "reward/cuda/plain_launches.hpp"

#include "reward/cpp_lexer.hpp"

#include <optional>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_bracket_bytes = 3;  // of <<< and >>>

struct Change {
    std::size_t at = 0;
    std::string_view text;
};

/// Where <<< and their >>> are. Those of one launch have the same brackets around them.
std::vector<Change> changes_in(std::string_view source) {
    std::vector<Change> changes;
    std::vector<std::size_t> open;  // depths at which there is a <<<
    std::size_t depth = 0;
    std::size_t behind = 0;  // what was read already
    bool in_directive = false;
    CppLexer lexer(source);
    while (const std::optional<CppToken> token = lexer.next()) {
        in_directive = (in_directive || token->starts_directive) &&
                       token->kind != CppToken::Kind::directive_end;
        if (in_directive || token->begin < behind || token->kind != CppToken::Kind::punctuation) {
            continue;
        }
        const std::string_view three = source.substr(token->begin, k_bracket_bytes);
        if (three == "<<<") {
            changes.push_back({token->begin, " ->*::atoll_recording::configure("});
            open.push_back(depth);
            behind = token->begin + k_bracket_bytes;
        } else if (three == ">>>" && !open.empty() && open.back() == depth) {
            changes.push_back({token->begin, ")"});
            open.pop_back();
            behind = token->begin + k_bracket_bytes;
        } else if (token->text == "(" || token->text == "[" || token->text == "{") {
            ++depth;
        } else if (token->text == ")" || token->text == "]" || token->text == "}") {
            depth -= depth > 0 ? 1 : 0;
        }
    }
    return changes;
}

}  // namespace

std::string with_plain_launches(std::string_view source) {
    std::string text;
    std::size_t from = 0;
    for (const Change& change : changes_in(source)) {
        text.append(source.substr(from, change.at - from)).append(change.text);
        from = change.at + k_bracket_bytes;
    }
    return text.append(source.substr(from));
}

}  // namespace atl
