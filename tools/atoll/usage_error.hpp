#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace atl {

/// What was wrong with the command line, in one sentence that names the word and the nearest one
/// that would do. `app` is the whole program, as far as it was parsed.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

/// The help that was asked for, of the verb or the verb's question; `lineage show --help` is that
/// of `lineage RUN show`, whatever RUN is.
[[nodiscard]] std::string help_text(const CLI::App& app);

/// For CLI::Option::check(): empty, or why the text is not a number at least 0.
[[nodiscard]] std::string refuse_bad_number(const std::string& text);
[[nodiscard]] std::string refuse_bad_count(const std::string& text);
/// The same for a kind of candidates that define launch().
[[nodiscard]] std::string refuse_unknown_kind(const std::string& text);

}  // namespace atl
