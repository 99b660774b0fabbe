#pragma once

#include "reward/base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace atl {

/// parse_json_strictly() for documents whose parsed form must not outgrow memory: a body of "[[["
/// takes a hundred times its bytes. Errors: limit above `max_bytes` or `max_values`, else corrupt.
[[nodiscard]] Expected<nlohmann::ordered_json> parse_bounded_json(std::string_view text,
                                                                  std::size_t max_bytes,
                                                                  std::size_t max_values,
                                                                  const std::string& where);

}  // namespace atl
