#include "tools/atoll/output.hpp"

#include "population/lineage/text_layout.hpp"
#include "tools/atoll/exit_codes.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace atl {

void print(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        end_with(errno_error("write", "standard output", errno));
    }
}

void complain(const std::string& text) {
    std::fprintf(stderr, "atoll: %s\n", printable(text).c_str());
}

bool can_redraw(int fd) {
    const char* kind = std::getenv("TERM");
    return ::isatty(fd) == 1 && (kind == nullptr || std::string_view(kind) != "dumb");
}

}  // namespace atl
