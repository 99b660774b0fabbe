#include "reward/candidate_files.hpp"
#include "reward/kinds/kind.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_max_tune_values = 64;
constexpr std::size_t k_max_tune_bytes = 64;

bool is_identifier(std::string_view name) {
    if (name.empty() || name.size() > k_max_tune_bytes ||
        std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return c < 128 && (std::isalnum(c) != 0 || c == '_');
    });
}

bool is_tune_value(std::string_view value) {
    return !value.empty() && value.size() <= k_max_tune_bytes &&
           std::all_of(value.begin(), value.end(), [](unsigned char c) {
               return c < 128 && (std::isalnum(c) != 0 ||
                                  std::string_view("_+-.*").find(static_cast<char>(c)) !=
                                      std::string_view::npos);
           });
}

/// A hostile text in a message: printable and short.
std::string printable(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, 40)) {
        out += c >= ' ' && c < 127 ? c : '?';
    }
    return out + (text.size() > 40 ? "...'" : "'");
}

}  // namespace

std::optional<std::string> lint_common(const Task& task, const Candidate& candidate) {
    if (auto complaint = complaint_about_files(candidate.files)) {
        return complaint;
    }
    if (candidate.source.empty() == candidate.files.empty()) {
        return candidate.source.empty() ? "the source is empty" : "both a source and a folder";
    }
    if (candidate.source.size() > k_max_source_bytes) {
        return "the source has " + std::to_string(candidate.source.size()) + " bytes, at most " +
               std::to_string(k_max_source_bytes) + " are accepted";
    }
    if (candidate.source.find('\0') != std::string::npos) {
        return "the source contains a NUL byte";
    }
    if (candidate.tune.size() > k_max_tune_values) {
        return "more than " + std::to_string(k_max_tune_values) + " tune values";
    }
    for (const auto& [name, value] : candidate.tune) {
        if (!is_identifier(name)) {
            return "tune name " + printable(name) +
                   " is not an identifier of at most 64 characters";
        }
        if (!is_tune_value(value)) {
            return "tune value " + printable(value) + " of " + name +
                   " must be 1 to 64 characters of letters, digits and _ + - . *";
        }
    }
    for (const std::string& flag : candidate.flags) {
        if (std::find(task.allowed_flags.begin(), task.allowed_flags.end(), flag) ==
            task.allowed_flags.end()) {
            return "flag " + printable(flag) + " is not among the task's allowed flags";
        }
    }
    return std::nullopt;
}

}  // namespace atl
