#pragma once

#include <string_view>

namespace atl {

/// The bytes of the library that warm_preload.cpp is, which has to be a file to be preloaded.
[[nodiscard]] std::string_view warm_library();

}  // namespace atl
