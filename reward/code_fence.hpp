#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// What a model says after its reasoning: the text behind the last </think>, </thinking> or
/// </reasoning>. Empty where it begins with such a tag that does not end. Endpoints that keep
/// reasoning apart send no tags.
[[nodiscard]] std::string_view answer_in_reply(std::string_view reply);

struct ReplyCode {
    std::optional<std::string> code;  ///< nullopt when no block is complete
    bool cut_off = false;  ///< the reply ends inside of a block that may have become the candidate
};

/// The candidate in a model's reply, of what stands behind its reasoning: the last complete fenced
/// block (three or more backticks or tildes, CommonMark 0.31 section 4.5) whose info string names
/// a language of `kind`; where no block names one, the last complete fenced block. The last,
/// because models draft before they answer. Other than in CommonMark, a fence that names a language
/// of `kind` begins a block inside of another one too (code in a block of Markdown, a draft that
/// was broken off), unless that one is of the kind and has the longer fence. Linear-time.
[[nodiscard]] ReplyCode code_in_reply(std::string_view reply, const std::string& kind);

}  // namespace atl
