#include "reward/base/sandbox.hpp"

namespace atl {

std::string_view to_string(SandboxLevel level) {
    switch (level) {
        case SandboxLevel::none:
            return "none";
        case SandboxLevel::restricted:
            return "restricted";
        case SandboxLevel::full:
            return "full";
    }
    return "none";
}

Expected<SandboxLevel> sandbox_level_from(std::string_view name) {
    for (const auto level : {SandboxLevel::none, SandboxLevel::restricted, SandboxLevel::full}) {
        if (name == to_string(level)) {
            return level;
        }
    }
    return failure(ErrorCode::invalid_argument, "no sandbox level '" + std::string(name) + "'", {},
                   "use full, restricted or none");
}

}  // namespace atl
