#include "mutators/model/json_limits.hpp"

#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

/// Values of a document, as far as what separates them tells; more only where it is no JSON.
std::size_t count_values(std::string_view text) {
    std::size_t count = 1;
    bool in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_text) {
            i += c == '\\' ? 1 : 0;
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if (c == ',' || c == '[' || c == '{') {
            ++count;
        }
    }
    return count;
}

}  // namespace

Expected<nlohmann::ordered_json> parse_bounded_json(std::string_view text, std::size_t max_bytes,
                                                    std::size_t max_values,
                                                    const std::string& where) {
    if (text.size() > max_bytes) {
        return failure(ErrorCode::limit, "more than " + std::to_string(max_bytes) + " bytes",
                       where);
    }
    if (count_values(text) > max_values) {
        return failure(ErrorCode::limit, "more than " + std::to_string(max_values) + " values",
                       where);
    }
    if (text.find('\0') != std::string_view::npos) {  // would pass for the end
        return failure(ErrorCode::corrupt, "holds a NUL", where);
    }
    Expected<nlohmann::ordered_json> value = parse_json_strictly(text, where);
    if (!value) {
        value.error().code = ErrorCode::corrupt;
    }
    return value;
}

}  // namespace atl
