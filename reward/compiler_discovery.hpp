#pragma once

#include "reward/base/error.hpp"

#include <string>

namespace atl {

/// A C++ compiler of this machine.
struct FoundCompiler {
    std::string path;         ///< absolute, as found (not resolved: drivers look at their name)
    std::string description;  ///< first line of --version
};

/// `wanted` (a name or a path); else what $CXX names; else g++, c++ or clang++, in that order.
/// Compiler caches (ccache and the like) are passed over, since they cannot work in a jail without
/// memory. A compiler that is named and not there is invalid_argument, none at all unavailable.
[[nodiscard]] Expected<FoundCompiler> find_compiler(const std::string& wanted);

}  // namespace atl
