#pragma once

#include <string>
#include <string_view>

namespace atl {

/// What a person or a prompt needs of a compiler's output: the first errors with their context.
/// Names of the jail become those of the user (candidate.cpp, candidate.o), include chains are cut
/// to their first line, control characters go, and at most k_max_compile_log_bytes remain.
/// `work_folder` is where the compiler ran. Linear in the log's size.
[[nodiscard]] std::string trim_compile_log(std::string_view log, std::string_view work_folder);

/// The sentence in the log that tells that memory, time or space ran out; empty when it was an
/// ordinary error.
[[nodiscard]] std::string_view resource_complaint(std::string_view log);

/// The first line that contains `word`, else the first line; at most 300 bytes of it.
[[nodiscard]] std::string first_line_with(std::string_view log, std::string_view word);

/// Why a compilation failed, as one sentence for a person or a prompt. `limit`: time, memory or
/// output ran out; else the log has an error.
[[nodiscard]] std::string compile_reason(bool limit, std::string_view log);

}  // namespace atl
