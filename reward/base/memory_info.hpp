#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace atl {

/// A line of /proc/meminfo ("MemTotal", "MemAvailable"...) in bytes; nullopt where the kernel does
/// not tell. Thread-safe.
[[nodiscard]] std::optional<std::uint64_t> memory_info_bytes(std::string_view key);

}  // namespace atl
