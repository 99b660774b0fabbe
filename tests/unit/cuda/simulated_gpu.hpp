#pragma once

#include "reward/base/files.hpp"
#include "reward/base/words.hpp"
#include "reward/compiler_discovery.hpp"
#include "reward/cuda/gpu.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

namespace atl::testing {

inline DriverLibrary simulated_driver() {
    return value_or_throw(DriverLibrary::open(ATOLL_SIMULATED_DRIVER));
}

/// The bytes of a shared object: what the simulated driver takes for a cubin. `kernels` are
/// functions as tests/support/simulated_driver.cpp says; SIMULATED_KERNEL(name) begins one.
inline std::string simulated_cubin(const std::string& kernels) {
    const TemporaryFolder folder;
    const std::string source = folder.path() / "kernels.cpp";
    const std::string object = folder.path() / "kernels.so";
    std::ofstream(source) << "#define SIMULATED_KERNEL(name) extern \"C\" int name(void** "
                             "parameters, const unsigned* grid, const unsigned* block)\n"
                             "template <class T> T& at(void** p, int i) { return "
                             "*static_cast<T*>(p[i]); }\n"
                          << kernels;
    const std::string command = shell_quoted(value_or_throw(find_compiler("")).path) +
                                " -std=c++20 -w -shared -fPIC -o " + shell_quoted(object) + " " +
                                shell_quoted(source);
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error("the simulated kernels do not compile");
    }
    return value_or_throw(read_file(object, 64u << 20));
}

}  // namespace atl::testing
