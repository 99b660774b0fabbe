#pragma once

#include <string>

namespace atl {

/// The OpenAPI 3.1 description of the HTTP interface, as JSON.
[[nodiscard]] std::string openapi_document();

}  // namespace atl
