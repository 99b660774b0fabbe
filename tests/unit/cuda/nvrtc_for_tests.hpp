#pragma once

#include "reward/cuda/device_prelude.hpp"
#include "reward/cuda/shared_library.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace atl::testing {

/// The real NVRTC, for tests that ask whether a source compiles for a device.
class TestNvrtc {
  public:
    /// Nothing where it is not installed.
    static std::optional<TestNvrtc> find() {
        for (const char* name : {"libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"}) {
            if (Expected<SharedLibrary> library = SharedLibrary::open(name)) {
                return TestNvrtc(std::move(*library));
            }
        }
        return std::nullopt;
    }

    /// The compiler's log when it refuses the source; empty when it takes it.
    std::string compile(const std::string& source) { return compile(source, {}, nullptr); }
    /// The same, with the linked names of kernels that are to be instantiated.
    std::string compile(const std::string& source, const std::vector<std::string>& expressions,
                        std::vector<std::string>* names) {
        void* program = nullptr;
        m_create(&program, source.c_str(), "candidate.cu", 0, nullptr, nullptr);
        const std::string include =
            "-I" + (std::filesystem::path(m_library.path()).parent_path() / "../include").string();
        const std::vector<const char*> options{"--gpu-architecture=sm_90a", "-default-device",
                                               k_cuda_standard, include.c_str()};
        for (const std::string& expression : expressions) {
            m_add_name(program, expression.c_str());
        }
        const int result = m_compile(program, static_cast<int>(options.size()), options.data());
        std::size_t bytes = 0;
        m_log_size(program, &bytes);
        std::string log(bytes, '\0');
        m_log(program, log.data());
        for (std::size_t i = 0; result == 0 && i < expressions.size(); ++i) {
            const char* name = nullptr;
            m_lowered(program, expressions[i].c_str(), &name);
            names->emplace_back(name == nullptr ? "" : name);
        }
        m_destroy(&program);
        return result == 0 ? "" : "refused: " + log;
    }

  private:
    explicit TestNvrtc(SharedLibrary library) : m_library(std::move(library)) {
        for (const Status& loaded : {m_library.load("nvrtcCreateProgram", m_create),
                                     m_library.load("nvrtcCompileProgram", m_compile),
                                     m_library.load("nvrtcGetProgramLogSize", m_log_size),
                                     m_library.load("nvrtcGetProgramLog", m_log),
                                     m_library.load("nvrtcAddNameExpression", m_add_name),
                                     m_library.load("nvrtcGetLoweredName", m_lowered),
                                     m_library.load("nvrtcDestroyProgram", m_destroy)}) {
            value_or_throw(loaded);
        }
    }

    SharedLibrary m_library;
    int (*m_create)(void**, const char*, const char*, int, const char* const*,
                    const char* const*) = nullptr;
    int (*m_compile)(void*, int, const char* const*) = nullptr;
    int (*m_log_size)(void*, std::size_t*) = nullptr;
    int (*m_log)(void*, char*) = nullptr;
    int (*m_add_name)(void*, const char*) = nullptr;
    int (*m_lowered)(void*, const char*, const char**) = nullptr;
    int (*m_destroy)(void**) = nullptr;
};

}  // namespace atl::testing
