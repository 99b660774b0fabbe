#include "reward/gpu/sanitizer_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace atl {

namespace {

constexpr std::size_t k_most_findings = 16;
constexpr std::size_t k_max_text = 200;
constexpr std::string_view k_mark = "========= ";
constexpr std::string_view k_inside = "    ";

/// A line of the report without its mark; nothing for others.
std::optional<std::string_view> report_line(std::string_view line) {
    if (!line.starts_with(k_mark)) {
        return std::nullopt;
    }
    line.remove_prefix(k_mark.size());
    return line;
}

std::string shown(std::string_view text) {
    std::string out(text.substr(0, k_max_text));
    std::replace_if(
        out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
    return out;
}

bool begins_finding(std::string_view line) {
    return line.starts_with("Invalid ") || line.starts_with("Uninitialized ") ||
           line.starts_with("Misaligned ") || line.starts_with("Error: ") ||
           line.starts_with("Barrier error ") || line.starts_with("Stack overflow") ||
           line.starts_with("Malloc") || line.starts_with("Hardware ");
}

/// "at oob+0xd0 in candidate.cu:8", anywhere in `line`.
void take_place(std::string_view line, SanitizerFinding& finding) {
    const std::size_t plus = line.find("+0x");
    const std::size_t at = line.substr(0, plus).rfind("at ");
    if (!finding.kernel.empty() || at == std::string_view::npos || plus == std::string_view::npos) {
        return;
    }
    finding.kernel = shown(line.substr(at + 3, plus - at - 3));
    const std::size_t file = line.find(" in candidate.", plus);
    const std::size_t colon = file == std::string_view::npos ? file : line.find(':', file);
    if (colon != std::string_view::npos) {
        std::from_chars(line.data() + colon + 1, line.data() + line.size(), finding.line);
    }
}

bool tells_more(std::string_view line) {
    return line.starts_with("and is ") || line.starts_with("Access to ") ||
           line.starts_with("and Read") || line.starts_with("and Write") ||
           line.starts_with("Access at ") || line.starts_with("and Atomic");
}

/// The addresses of one run mean nothing to anybody.
std::string without_addresses(std::string_view line) {
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t found = std::min(line.find("0x", at), line.size());
        out.append(line.substr(at, found - at));
        at = std::min(line.find_first_not_of("0123456789abcdefABCDEFx", found), line.size());
        out.append(found < line.size() ? "..." : "");
    }
    return out;
}

/// The tool's headline: of a race, up to its place.
std::string headline(std::string_view line) {
    if (line.starts_with("Error: ")) {
        line.remove_prefix(7);
    }
    return shown(line.substr(0, line.find(" at ")));
}

}  // namespace

std::string SanitizerFinding::text() const {
    std::string out = what;
    out += line > 0 ? fmt::format(" in line {}", line) : "";
    out += kernel.empty() ? "" : fmt::format("{} {}", line > 0 ? " of" : " in", kernel);
    out += reports > 1 ? fmt::format(" ({} reports)", reports) : "";
    return more.empty() ? out : out + ": " + more;
}

std::vector<SanitizerFinding> read_sanitizer_log(std::string_view log) {
    std::vector<SanitizerFinding> findings;
    std::optional<SanitizerFinding> current;
    const auto finish = [&] {
        if (!current) {
            return;
        }
        const auto same =
            std::find_if(findings.begin(), findings.end(), [&](const SanitizerFinding& other) {
                return other.what == current->what && other.kernel == current->kernel &&
                       other.line == current->line;
            });
        if (same != findings.end()) {
            ++same->reports;
        } else if (findings.size() < k_most_findings) {
            findings.push_back(std::move(*current));
        }
        current.reset();
    };
    while (!log.empty()) {
        const std::string_view whole = log.substr(0, log.find('\n'));
        log.remove_prefix(std::min(whole.size() + 1, log.size()));
        const std::optional<std::string_view> line = report_line(whole);
        if (!line) {
            continue;
        }
        if (!line->starts_with(k_inside)) {
            finish();
            if (begins_finding(*line)) {
                current.emplace();
                current->what = headline(*line);
                take_place(*line, *current);
            }
        } else if (current) {
            const std::string_view inner = line->substr(k_inside.size());
            if (inner.starts_with("at ")) {
                take_place(inner, *current);
            } else if (tells_more(inner)) {
                current->more +=
                    (current->more.empty() ? "" : " ") + shown(without_addresses(inner));
            }
        }
    }
    finish();
    return findings;
}

}  // namespace atl
