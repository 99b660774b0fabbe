#include "reward/server/json_text.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

void append_json_text(std::string& out, std::string_view text) {
    const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
    if (std::all_of(text.begin(), text.end(), is_plain)) {
        ((out += '"') += text) += '"';
    } else {
        out += dump_json(std::string(text));
    }
}

}  // namespace atl
