#include "tools/atoll/output.hpp"

#include "tools/atoll/exit_codes.hpp"

#include <cerrno>
#include <cstdio>

namespace atl {

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        end_with(errno_error("write", "standard output", errno));
    }
}

}  // namespace atl
