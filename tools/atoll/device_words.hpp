#pragma once

#include "reward/base/error.hpp"

#include <string>
#include <vector>

namespace atl {

/// What --device of `atoll serve` names.
struct DeviceWords {
    std::string name;           ///< "cpu", "cuda", "external"
    int count = 1;              ///< cpu, external
    std::vector<int> ordinals;  ///< cuda; empty: all
};

/// "cpu", "cpu:N", "cuda", "cuda:all", "cuda:0,1", "external", "external:N". Errors:
/// invalid_argument.
[[nodiscard]] Expected<DeviceWords> parse_device(const std::string& text);

/// invalid_argument when a class is named twice: its devices must be alike.
[[nodiscard]] Status check_devices(const std::vector<DeviceWords>& devices);

}  // namespace atl
