#include "mutators/prompts/template_tags.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace atl {

namespace {

std::string at_line(const std::string& where, std::size_t line) {
    return where + ":" + std::to_string(line);
}

bool is_name(const std::string& name) {
    const auto fits = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
    };
    return !name.empty() && name.front() != '.' && name.back() != '.' &&
           std::all_of(name.begin(), name.end(), fits);
}

std::string trimmed_name(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    return begin == std::string::npos
               ? std::string()
               : text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

/// What stands between the braces -> kind and name.
std::pair<TemplateTag::Kind, std::string> meaning_of(const std::string& inside) {
    using Kind = TemplateTag::Kind;
    constexpr std::pair<char, Kind> k_signs[] = {{'#', Kind::section}, {'^', Kind::inverted},
                                                 {'/', Kind::end},     {'>', Kind::block},
                                                 {'!', Kind::comment}, {'&', Kind::variable}};
    for (const auto& [sign, kind] : k_signs) {
        if (!inside.empty() && inside.front() == sign) {
            return {kind, kind == Kind::comment ? "" : trimmed_name(inside.substr(1))};
        }
    }
    return {Kind::variable, trimmed_name(inside)};
}

/// Sections that end in the order in which they began.
Status check_sections(const std::vector<TemplateTag>& tags, const std::string& where) {
    std::vector<const TemplateTag*> open;
    for (const TemplateTag& tag : tags) {
        if (tag.kind == TemplateTag::Kind::section || tag.kind == TemplateTag::Kind::inverted) {
            open.push_back(&tag);
        } else if (tag.kind == TemplateTag::Kind::end) {
            if (open.empty() || open.back()->name != tag.name) {
                return failure(ErrorCode::invalid_argument,
                               "{{/" + tag.name + "}} ends no section that is open",
                               at_line(where, tag.line));
            }
            open.pop_back();
        }
    }
    if (!open.empty()) {
        return failure(
            ErrorCode::invalid_argument, "the section '" + open.back()->name + "' does not end",
            at_line(where, open.back()->line), "write {{/" + open.back()->name + "}} behind it");
    }
    return {};
}

/// Whether the tag is alone on its line; then [begin, end) is that line with its end.
bool is_alone(const std::string& text, const TemplateTag& tag, std::size_t& begin,
              std::size_t& end) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    begin = tag.begin;
    while (begin > 0 && is_blank(text[begin - 1])) {
        --begin;
    }
    end = tag.end;
    while (end < text.size() && is_blank(text[end])) {
        ++end;
    }
    if ((begin > 0 && text[begin - 1] != '\n') || (end < text.size() && text[end] != '\n')) {
        return false;
    }
    end = std::min(end + 1, text.size());
    return true;
}

}  // namespace

Expected<std::vector<TemplateTag>> template_tags(const std::string& text,
                                                 const std::string& where) {
    std::vector<TemplateTag> tags;
    std::size_t seen = 0;
    std::size_t line = 1;
    for (std::size_t at = text.find("{{"); at != std::string::npos;
         at = text.find("{{", tags.back().end)) {
        line += static_cast<std::size_t>(
            std::count(text.begin() + static_cast<std::ptrdiff_t>(seen),
                       text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
        seen = at;
        const bool triple = text.compare(at, 3, "{{{") == 0;
        const std::string close = triple ? "}}}" : "}}";
        const std::size_t inside = at + close.size();
        const std::size_t end = text.find(close, inside);
        if (end == std::string::npos) {
            return failure(ErrorCode::invalid_argument, "a tag does not end", at_line(where, line),
                           "write " + close + " behind it");
        }
        const auto [kind, name] = meaning_of(text.substr(inside, end - inside));
        if (kind != TemplateTag::Kind::comment && !is_name(name)) {
            return failure(ErrorCode::invalid_argument,
                           "'" + name.substr(0, 60) + "' is no name of a variable or block",
                           at_line(where, line), "names are letters, digits, '_' and '.'");
        }
        tags.push_back({kind, name, line, at, end + close.size()});
    }
    ATOLL_TRY(check_sections(tags, where));
    return tags;
}

std::string without_standalone_lines(const std::string& text,
                                     const std::vector<TemplateTag>& tags) {
    std::string result;
    std::size_t copied = 0;
    for (const TemplateTag& tag : tags) {
        std::size_t begin = 0;
        std::size_t end = 0;
        if (tag.kind == TemplateTag::Kind::variable || !is_alone(text, tag, begin, end)) {
            continue;
        }
        result += text.substr(copied, begin - copied);
        result += text.substr(tag.begin, tag.end - tag.begin);
        copied = end;
    }
    return result + text.substr(copied);
}

}  // namespace atl
