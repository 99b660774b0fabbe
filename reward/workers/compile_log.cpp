#include "reward/workers/compile_log.hpp"

#include "reward/workers/compile_messages.hpp"

#include <algorithm>
#include <cctype>

namespace atl {

namespace {

constexpr std::size_t k_max_line_bytes = 1000;

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// The assembler's and linker's temporary names: cc, six random letters, .o or .s.
void rename_temporaries(std::string& line) {
    constexpr std::size_t k_stem_bytes = 8;
    for (std::size_t at = line.find("cc"); at != std::string::npos; at = line.find("cc", at + 1)) {
        const std::size_t dot = at + k_stem_bytes;
        const bool starts = at == 0 || std::isalnum(static_cast<unsigned char>(line[at - 1])) == 0;
        const bool random = starts && dot + 1 < line.size() && line[dot] == '.' &&
                            (line[dot + 1] == 'o' || line[dot + 1] == 's') &&
                            std::all_of(line.begin() + static_cast<std::ptrdiff_t>(at),
                                        line.begin() + static_cast<std::ptrdiff_t>(dot),
                                        [](unsigned char c) { return std::isalnum(c) != 0; });
        if (random) {
            line.replace(at, k_stem_bytes, "candidate");
        }
    }
}

std::string clean_line(std::string_view raw, std::string_view work_folder) {
    std::string line(raw.substr(0, k_max_line_bytes));
    if (raw.size() > k_max_line_bytes) {
        line += "...";
    }
    for (char& c : line) {
        if (std::iscntrl(static_cast<unsigned char>(c)) != 0 && c != '\t') {
            c = '?';
        }
    }
    replace_all(line, std::string(work_folder) + "/", "");
    replace_all(line, "/usr/bin/ld:", "ld:");
    rename_temporaries(line);
    return line;
}

/// Whether a line is what a tool says of itself, which begins with its name. Candidates choose the
/// words of all other lines: excerpts of their source, texts of #error and static_assert.
bool is_said_by_a_tool(std::string_view line) {
    if (line.find("fatal error: error writing to ") != std::string_view::npos) {
        return true;  // said of a place in the source
    }
    const std::string_view first = line.substr(0, line.find(':'));
    const std::string_view name = first.substr(first.rfind('/') + 1);  // npos + 1 is 0
    for (const std::string_view tool :
         {"cc1plus", "lto1", "collect2", "as", "ld", "clang", "{standard input}", "LLVM ERROR",
          "virtual memory exhausted", "out of memory", "terminate called"}) {
        if (name.starts_with(tool)) {
            return true;
        }
    }
    return name.find("++") != std::string_view::npos && name.find(' ') == std::string_view::npos;
}

}  // namespace

std::string trim_compile_log(std::string_view log, std::string_view work_folder) {
    std::string out;
    bool chain_kept = false;
    for (std::string_view rest = log; !rest.empty();) {
        const std::string_view line = take_line(rest);
        const bool chain_head = line.starts_with("In file included from");
        const bool chain_tail = line.starts_with("                 from");
        if (chain_tail || (chain_head && chain_kept)) {
            continue;
        }
        chain_kept = chain_kept || chain_head;
        const std::string cleaned = clean_line(line, work_folder);
        constexpr std::string_view k_cut = "[more errors follow]\n";
        if (out.size() + cleaned.size() + 1 + k_cut.size() > k_max_compile_log_bytes) {
            out += k_cut;
            break;
        }
        out += cleaned;
        out += '\n';
    }
    return out;
}

std::string_view resource_complaint(std::string_view log) {
    for (std::string_view rest = log; !rest.empty();) {
        const std::string_view line = take_line(rest);
        if (!is_said_by_a_tool(line)) {
            continue;
        }
        for (const std::string_view sign :
             {"out of memory", "virtual memory exhausted", "Cannot allocate memory",
              "std::bad_alloc", "No space left on device", "File too large",
              "File size limit exceeded", "CPU time limit exceeded", "signal terminated program"}) {
            if (line.find(sign) != std::string_view::npos) {
                return line;
            }
        }
    }
    return {};
}

std::string first_line_with(std::string_view log, std::string_view word) {
    constexpr std::size_t k_most = 300;
    for (std::size_t begin = 0; begin < log.size();) {
        const std::size_t end = std::min(log.find('\n', begin), log.size());
        const std::string_view line = log.substr(begin, end - begin);
        if (line.find(word) != std::string_view::npos) {
            return std::string(line.substr(0, k_most));
        }
        begin = end + 1;
    }
    return std::string(log.substr(0, std::min(log.find('\n'), k_most)));
}

namespace {

/// What the compiler says of itself, or our own last word on it.
std::string limit_reason(std::string_view log) {
    constexpr std::size_t k_most = 300;
    const std::string_view complaint = resource_complaint(log);
    if (!complaint.empty()) {
        return std::string(complaint.substr(0, k_most));
    }
    const std::size_t last = log.find_last_not_of('\n');
    const std::string_view text = log.substr(0, last == std::string_view::npos ? 0 : last + 1);
    return std::string(text.substr(text.rfind('\n') + 1).substr(0, k_most));  // npos + 1 is 0
}

}  // namespace

std::string compile_reason(bool limit, std::string_view log) {
    return limit ? "the compiler ran out of time, memory or output: " + limit_reason(log)
                 : "does not compile: " + first_line_with(log, "error");
}

}  // namespace atl
