#pragma once

#include "tests/support/temporary_folder.hpp"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace atl::testing {

struct ShellResult {
    int status = -1;  ///< exit status; -1 when a signal ended it
    std::string out;
    std::string err;
};

/// Runs a shell command to its end.
inline ShellResult run_shell(const std::string& command) {
    const TemporaryFolder folder;
    const auto text_of = [&](const char* name) {
        std::ifstream file(folder.path() / name);
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    };
    const int status = std::system(("( " + command + " ) >" + (folder.path() / "out").string() +
                                    " 2>" + (folder.path() / "err").string() + " </dev/null")
                                       .c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of("out"), text_of("err")};
}

}  // namespace atl::testing
