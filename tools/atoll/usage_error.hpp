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

/// For CLI::Option::check(): empty, or why the text is not a number at least 0.
[[nodiscard]] std::string refuse_bad_number(const std::string& text);
[[nodiscard]] std::string refuse_bad_count(const std::string& text);

}  // namespace atl
