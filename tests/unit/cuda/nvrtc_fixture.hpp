#pragma once

#include "reward/cuda/nvrtc_library.hpp"
#include "tests/support/skip_or_fail.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace atl::testing {

/// Where this machine has NVRTC and the headers; empty where it has not.
struct NvrtcPlace {
    std::string library;
    std::string include;
    std::string jit_link;  ///< nvJitLink's library; empty where there is none
};

inline NvrtcPlace find_nvrtc() {
    const char* home = std::getenv("CUDA_HOME");
    for (const std::filesystem::path root : {home == nullptr ? "" : home, "/usr/local/cuda"}) {
        const auto library = root / "lib64" / "libnvrtc.so";
        const auto include = root / "include";
        if (!root.empty() && std::filesystem::exists(library) &&
            std::filesystem::exists(include / "cuda_fp16.h")) {
            const auto jit_link = root / "lib64" / "libnvJitLink.so";
            return {library.string(), std::filesystem::canonical(include).string(),
                    std::filesystem::exists(jit_link) ? jit_link.string() : ""};
        }
    }
    return {};
}

/// Skips its tests where NVRTC is missing.
class NvrtcTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (m_place.library.empty()) {
            ATOLL_SKIP_OR_FAIL("there is no NVRTC in $CUDA_HOME or /usr/local/cuda");
        }
    }
    [[nodiscard]] const NvrtcPlace& place() const { return m_place; }
    [[nodiscard]] NvrtcLibrary library() const {
        Expected<NvrtcLibrary> library = NvrtcLibrary::open(m_place.library);
        if (!library) {
            throw std::runtime_error(library.error().message());
        }
        return *library;
    }
    /// Those of `names` that this NVRTC compiles for.
    [[nodiscard]] std::vector<std::string> architectures_of(
        const std::vector<std::string>& names) const {
        const std::vector<int> known = library().architectures().value();
        std::vector<std::string> usable;
        for (const std::string& name : names) {
            const int number = std::stoi(name.substr(3));
            if (std::find(known.begin(), known.end(), number) != known.end()) {
                usable.push_back(name);
            }
        }
        return usable;
    }
    /// Compiles outside of any jail.
    [[nodiscard]] NvrtcOutput compile_here(const std::string& source,
                                           const std::string& architecture) const {
        NvrtcInput input;
        input.source = source;
        input.name = "candidate.cu";
        input.options = {"--gpu-architecture=" + architecture, "--modify-stack-limit=false",
                         "--ptxas-options=-v"};
        Expected<NvrtcOutput> output = library().compile(input);
        if (!output) {
            throw std::runtime_error(output.error().message());
        }
        return *output;
    }

  private:
    const NvrtcPlace m_place = find_nvrtc();
};

}  // namespace atl::testing
