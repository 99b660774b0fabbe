#include "population/lineage/text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

namespace {

bool is_number(std::string_view cell) {
    return !cell.empty() &&
           (cell == "-" || cell.find_first_not_of("0123456789.+-eE %") == std::string_view::npos);
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result(text);
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto byte = static_cast<unsigned char>(result[i]);
        // C1 controls are two bytes in UTF-8: 0xC2 0x80..0x9F. Terminals obey them too.
        const bool second_half = i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC2 &&
                                 byte >= 0x80 && byte <= 0x9F;
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
            result[i] = '?';
        } else if (second_half) {
            result[i - 1] = '?';
            result[i] = '?';
        }
    }
    return result;
}

std::string one_line(std::string_view text, std::size_t max_bytes) {
    std::string line = printable(text.substr(0, std::min(text.size(), max_bytes + 4)));
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::replace(line.begin(), line.end(), '\t', ' ');
    if (text.size() > max_bytes) {
        std::size_t end = std::max<std::size_t>(max_bytes, 3) - 3;
        while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) {
            --end;
        }
        line = line.substr(0, end) + "...";
    }
    return line;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
    std::vector<std::size_t> widths;
    std::vector<bool> numeric;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        widths.resize(std::max(widths.size(), rows[r].size()), 0);
        numeric.resize(widths.size(), true);
        for (std::size_t c = 0; c < rows[r].size(); ++c) {
            widths[c] = std::max(widths[c], rows[r][c].size());
            if (r > 0 && !is_number(rows[r][c])) {
                numeric[c] = false;
            }
        }
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line(indent);
        for (std::size_t c = 0; c < row.size(); ++c) {
            const bool right = numeric[c] && c > 0 && rows.size() > 1;
            line += right ? fmt::format("{:>{}}", row[c], widths[c])
                          : fmt::format("{:<{}}", row[c], widths[c]);
            line += "  ";
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string duration_text(std::int64_t nanoseconds) {
    const double seconds = static_cast<double>(nanoseconds) * 1e-9;
    if (seconds < 1) {
        return fmt::format("{:.0f} ms", seconds * 1e3);
    }
    if (seconds < 60) {
        return fmt::format("{:.1f} s", seconds);
    }
    const auto whole = static_cast<std::int64_t>(seconds);
    if (whole < 3600) {
        return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    }
    return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string time_text(double nanoseconds) {
    if (nanoseconds < 1e3) {
        return fmt::format("{:.4g} ns", nanoseconds);
    }
    if (nanoseconds < 1e6) {
        return fmt::format("{:.4g} us", nanoseconds * 1e-3);
    }
    if (nanoseconds < 1e9) {
        return fmt::format("{:.4g} ms", nanoseconds * 1e-6);
    }
    return fmt::format("{:.4g} s", nanoseconds * 1e-9);
}

}  // namespace atl
