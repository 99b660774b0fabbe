#pragma once

#include <string>
#include <string_view>

namespace atl {

/// Appends a text as JSON, quoted; bytes that are no UTF-8 are replaced. Where all characters are
/// plain, as in ids and names, ten times as fast as to make a JSON value of it.
void append_json_text(std::string& out, std::string_view text);

}  // namespace atl
