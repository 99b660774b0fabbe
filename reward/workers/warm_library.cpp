#include "reward/workers/warm_library.hpp"

// In the program rather than beside it: then it cannot be missing, nor be another build's.
asm(".pushsection .rodata\n"
    ".balign 16\n"
    "atoll_warm_library_begin:\n"
    ".incbin \"" ATOLL_WARM_PRELOAD
    "\"\n"
    "atoll_warm_library_end:\n"
    ".popsection\n");

extern "C" const char atoll_warm_library_begin[];
extern "C" const char atoll_warm_library_end[];

namespace atl {

std::string_view warm_library() {
    return {atoll_warm_library_begin,
            static_cast<std::size_t>(atoll_warm_library_end - atoll_warm_library_begin)};
}

}  // namespace atl
