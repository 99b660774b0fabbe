#include "reward/base/memory_info.hpp"

#include <fstream>
#include <string>

namespace atl {

std::optional<std::uint64_t> memory_info_bytes(std::string_view key) {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::uint64_t kibibytes = 0;
    std::string unit;
    while (file >> name >> kibibytes) {
        if (name.ends_with(':') && std::string_view(name).substr(0, name.size() - 1) == key) {
            return kibibytes << 10;
        }
        std::getline(file, unit);
    }
    return std::nullopt;
}

}  // namespace atl
