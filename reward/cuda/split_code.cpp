#include "reward/cuda/split_code.hpp"

#include "reward/cuda/split_macros.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace atl {

namespace {

/// In place of cuda.h, which NVRTC cannot read: what kernels take from it.
constexpr std::string_view k_tensor_map =
    "struct __align__(128) CUtensorMap_st { unsigned long long opaque[16]; }; "
    "typedef CUtensorMap_st CUtensorMap;";

}  // namespace

SplitCode::SplitCode(std::string_view source) : m_source(source) {
    read_tokens();
    drop_unbalanced_branches();
    match_brackets();
}

void SplitCode::read_tokens() {
    CppLexer lexer(m_source);
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind != CppToken::Kind::comment) {
            m_tokens.push_back(std::move(*token));
        }
    }
    m_halves.assign(m_tokens.size(), k_host_half | k_device_half);
    m_in_directive.assign(m_tokens.size(), false);
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        if (m_tokens[i].starts_directive) {
            read_directive(i);
        } else {
            m_places.push_back(i);
        }
    }
}

/// Leaves `index` at the directive's end.
void SplitCode::read_directive(std::size_t& index) {
    const std::size_t begin = index;
    while (index < m_tokens.size() && m_tokens[index].kind != CppToken::Kind::directive_end) {
        ++index;
    }
    const std::string_view name =
        begin + 1 < index ? std::string_view(m_tokens[begin + 1].text) : std::string_view();
    if (name != "pragma") {
        for (std::size_t i = begin; i < std::min(index + 1, m_tokens.size()); ++i) {
            m_in_directive[i] = true;
        }
    }
    if (name == "define") {
        read_macro(begin + 2, index);
    } else if (name == "undef" && begin + 2 < index) {
        CudaMacro& macro = m_macros[m_tokens[begin + 2].text];
        macro.undefined_at = std::min(macro.undefined_at, begin);
    } else if (name == "include") {
        read_include(begin, index);
    } else if (name == "if" || name == "ifdef" || name == "ifndef") {
        m_branches.emplace_back(m_places.size(), Branch::open);
    } else if (name == "else" || name.starts_with("elif")) {
        m_branches.emplace_back(m_places.size(), Branch::other);
    } else if (name == "endif") {
        m_branches.emplace_back(m_places.size(), Branch::close);
    }
}

void SplitCode::read_macro(std::size_t begin, std::size_t end) {
    if (begin >= end) {
        return;
    }
    CudaMacro macro;
    macro.defined_once = !m_macros.contains(m_tokens[begin].text);
    macro.begin = begin + 1;
    macro.end = end;
    std::size_t at = begin + 1;
    macro.takes_arguments = at < end && m_tokens[at].text == "(" && !m_tokens[at].after_space;
    for (; at < end; ++at) {
        const CppToken& token = m_tokens[at];
        macro.has_body = macro.has_body || token.text == "{";
        macro.specifiers.add(token.text);
        if (const auto inner = m_macros.find(token.text); inner != m_macros.end()) {
            macro.specifiers.add(inner->second.specifiers);
            macro.has_body = macro.has_body || inner->second.has_body;
        }
    }
    m_macros[m_tokens[begin].text] = macro;
}

void SplitCode::read_include(std::size_t begin, std::size_t end) {
    if (begin + 2 >= end || m_tokens[begin + 2].text.size() < 2) {
        return;
    }
    const std::string_view quoted = m_tokens[begin + 2].text;
    const std::string_view name = quoted.substr(1, quoted.size() - 2);
    std::uint8_t halves = k_host_half | k_device_half;
    if (is_cuda_header(name)) {
        halves &= static_cast<std::uint8_t>(~k_host_half);
    }
    if (is_host_header(name) || has_tensor_maps(name)) {
        halves &= static_cast<std::uint8_t>(~k_device_half);
    }
    for (std::size_t i = begin; i < end; ++i) {
        m_halves[i] = halves;
    }
    m_includes.push_back({begin, end, std::string(name)});
    if (has_tensor_maps(name)) {
        m_tensor_map_at.emplace(begin, m_tensor_map_at.empty());
    }
}

/// Where branches of #if open or close brackets, only the first one counts for the structure.
void SplitCode::drop_unbalanced_branches() {
    std::vector<bool> dropped(m_places.size(), false);
    struct Group {
        std::vector<std::size_t> begins;
    };
    std::vector<Group> open;
    const auto balanced = [&](std::size_t begin, std::size_t end) {
        int depth = 0;
        for (std::size_t i = begin; i < end && depth >= 0; ++i) {
            const std::string_view one = dropped[i] ? "" : text(i);
            depth += one == "{" || one == "(" ? 1 : one == "}" || one == ")" ? -1 : 0;
        }
        return depth == 0;
    };
    for (const auto& [place, kind] : m_branches) {
        if (kind == Branch::open) {
            // Nested ones are looked at again by each around them.
            if (open.size() < k_max_split_scopes) {
                open.push_back({{place}});
            }
        } else if (!open.empty() && kind == Branch::other) {
            open.back().begins.push_back(place);
        } else if (!open.empty()) {
            std::vector<std::size_t> begins = std::move(open.back().begins);
            open.pop_back();
            begins.push_back(place);
            bool all_balanced = true;
            for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
                all_balanced = all_balanced && balanced(begins[i], begins[i + 1]);
            }
            for (std::size_t i = begins[1]; !all_balanced && i < place; ++i) {
                dropped[i] = true;
            }
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        if (!dropped[i]) {
            m_places[kept++] = m_places[i];
        }
    }
    m_places.resize(kept);
}

void SplitCode::match_brackets() {
    m_match.assign(m_places.size(), m_places.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        const std::string_view one = text(i);
        if (one == "(" || one == "[" || one == "{") {
            open.push_back(i);
        } else if ((one == ")" || one == "]" || one == "}") && !open.empty()) {
            m_match[open.back()] = i;
            open.pop_back();
        }
    }
}

bool SplitCode::any_word(std::size_t begin, std::size_t end,
                         bool (*wanted)(std::string_view)) const {
    for (std::size_t i = begin; i < std::min(end, m_places.size()); ++i) {
        if (is_word(i) && wanted(text(i))) {
            return true;
        }
    }
    return false;
}

const CudaMacro* SplitCode::macro(std::string_view name) const {
    const auto found = m_macros.find(name);
    return found == m_macros.end() ? nullptr : &found->second;
}

bool SplitCode::is_defining_use(std::size_t begin, std::size_t end) const {
    const CudaMacro* used = macro(text(begin));
    if (used == nullptr || !used->takes_arguments || text(begin + 1) != "(" ||
        close_of(begin + 1) + 1 != end) {
        return false;
    }
    for (std::size_t i = begin; i < end; ++i) {
        const CudaMacro* named = is_word(i) ? macro(text(i)) : nullptr;
        if (named != nullptr && named->has_body) {
            return true;
        }
    }
    return false;
}

/// No directives between these tokens.
bool SplitCode::is_plain(std::size_t begin, std::size_t end) const {
    return std::none_of(m_tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                        m_tokens.begin() + static_cast<std::ptrdiff_t>(end),
                        [](const CppToken& token) { return token.starts_directive; });
}

std::optional<std::string> SplitCode::with_written_out(
    const std::vector<std::pair<std::size_t, std::size_t>>& uses, std::size_t most_bytes) const {
    std::string out;
    std::size_t copied = 0;
    for (const auto& [begin, end] : uses) {
        const std::size_t first = m_places[begin];
        const std::size_t past = m_places[end - 1] + 1;
        const CudaMacro& used = *macro(text(begin));
        if (!used.defined_once || first > used.undefined_at || !is_plain(first, past)) {
            continue;
        }
        const std::span<const CppToken> tokens(m_tokens);
        const std::size_t made = out.size() + m_source.size();
        const std::optional<std::string> written = write_out(
            tokens.subspan(used.begin, used.end - used.begin),
            tokens.subspan(first + 1, past - first - 1), most_bytes - std::min(made, most_bytes));
        if (!written) {
            continue;
        }
        if (made + written->size() > most_bytes) {
            break;
        }
        const std::size_t from = m_tokens[first].begin;
        const std::string_view replaced = m_source.substr(from, m_tokens[past - 1].end - from);
        out.append(m_source.substr(copied, from - copied)).append(*written);
        out.append(static_cast<std::size_t>(std::count(replaced.begin(), replaced.end(), '\n')),
                   '\n');
        copied = from + replaced.size();
    }
    if (copied == 0) {
        return std::nullopt;
    }
    return out.append(m_source.substr(copied));
}

void SplitCode::mark(std::size_t begin, std::size_t end, std::uint8_t halves) {
    end = std::min(end, m_places.size());
    if (begin >= end) {
        return;
    }
    for (std::size_t i = m_places[begin]; i <= m_places[end - 1]; ++i) {
        if (!m_in_directive[i]) {
            m_halves[i] &= halves;
        }
    }
}

bool SplitCode::needs_host_headers() {
    for (const Include& one : m_includes) {
        if ((m_halves[one.begin] & k_host_half) != 0 && !is_plain_header(one.name)) {
            return true;
        }
    }
    for (const Include& one : m_includes) {
        for (std::size_t i = one.begin; i < one.end && !is_light_header(one.name); ++i) {
            m_halves[i] &= static_cast<std::uint8_t>(~k_host_half);
        }
    }
    return false;
}

std::string SplitCode::text_of(std::uint8_t half) const {
    std::string out(m_source);
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        const CppToken& one = m_tokens[i];
        if ((m_halves[i] & half) != 0 || one.kind == CppToken::Kind::directive_end) {
            continue;
        }
        for (std::size_t at = one.begin; at < one.end; ++at) {
            out[at] = out[at] == '\n' || out[at] == '\r' ? out[at] : ' ';
        }
    }
    if (half == k_device_half) {
        for (auto one = m_tensor_map_at.rbegin(); one != m_tensor_map_at.rend(); ++one) {
            if (one->second) {
                out.insert(m_tokens[one->first].begin, k_tensor_map);
            }
        }
    }
    return out;
}

}  // namespace atl
