#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/cuda/device_binary.hpp"
#include "reward/cuda/device_cache.hpp"
#include "reward/worker_calls.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

struct DeviceCompileRequest {
    /// PTX, which is assembled as it stands: without defines, flags and names.
    bool ptx = false;
    /// CUDA C++ whose host functions are blanked out, with the user's line numbers.
    std::string source;
    std::string architecture;                      ///< of the device: "sm_80", "sm_90a", "sm_100"
    std::map<std::string, std::string> defines{};  ///< tune values
    std::vector<std::string> flags{};              ///< see check_device_flag()
    /// Kernels that are instantiated and whose linked names are wanted; see is_name_expression().
    std::vector<std::string> name_expressions{};
    double timeout_s = 10;  ///< wall time
    std::uint64_t memory_bytes = 4ull << 30;
    std::uint64_t cubin_bytes = 64ull << 20;  ///< largest cubin accepted
    /// Once nobody wants the result, the compiler is killed and the call fails (interrupted).
    std::stop_token cancel{};
};

struct DeviceCompilerOptions {
    std::string nvrtc;    ///< path of libnvrtc
    std::string include;  ///< CUDA's folder of headers
    std::string cutlass;  ///< CUTLASS's folder of headers; empty: not on offer
    std::string cutlass_version;
    std::string jit_link;      ///< path of libnvJitLink; empty: PTX cannot be assembled
    std::string architecture;  ///< what headers are precompiled for: the device's
    std::string cache_folder;  ///< empty: cached in memory only
    SandboxLevel required = SandboxLevel::full;
    SandboxLevel at_most = SandboxLevel::full;  ///< do not go beyond (to test the lower levels)
    std::vector<int> cores;                     ///< pinned to these; empty: anywhere
    std::string worker_program;                 ///< empty: atoll-worker beside this program
};

/// Compiles device code to cubins with NVRTC, each source in a jailed process of its own, behind a
/// cache keyed by source, options, toolchain, prelude and header bundles. Thread-safe; each call
/// blocks its thread, and several are worked on at once.
class DeviceCompiler {
  public:
    /// Starts the worker, which precompiles headers (some seconds), and tries it out. unavailable
    /// when NVRTC or its headers cannot be used, permission when the sandbox is not good enough.
    [[nodiscard]] static Expected<std::unique_ptr<DeviceCompiler>> make(
        const DeviceCompilerOptions& options);

    /// An error is a fault of ours (or invalid_argument: a flag, architecture, define or name that
    /// the caller should not have let through, or interrupted); what is wrong with a source is a
    /// DeviceBinary.
    [[nodiscard]] Expected<DeviceBinary> compile(const DeviceCompileRequest& request);

    /// "NVRTC 13.0 at /usr/local/cuda/lib64/libnvrtc.so, CUTLASS 4.2.1": part of verdicts' keys.
    [[nodiscard]] const std::string& toolchain() const { return m_toolchain; }
    [[nodiscard]] std::uint64_t restarts() const { return m_worker.restarts(); }

  private:
    explicit DeviceCompiler(const DeviceCompilerOptions& options);
    [[nodiscard]] Status try_out();
    [[nodiscard]] Status try_out_ptx();
    [[nodiscard]] Digest key_of(const DeviceCompileRequest& request) const;
    [[nodiscard]] Expected<DeviceBinary> compile_now(const DeviceCompileRequest& request,
                                                     DeviceArtifact& artifact);

    const DeviceCompilerOptions m_options;
    std::vector<std::string> m_folders;  ///< as NVRTC names them in logs
    std::string m_toolchain;
    std::string m_fingerprint;  ///< of all that a cubin depends on but the request
    Status m_ptx;               ///< whether PTX can be assembled; set before make() returns
    WorkerCalls m_worker;
    DeviceCache m_cache;
};

/// Options of NVRTC that tasks and users may pass: those that change arithmetic or registers, and
/// the language standard (17 or 20). invalid_argument for others. Of those that headers may look
/// at they are precompiled for fast math alone, not for ftz, precision and the standard: with
/// these cooperative groups and CCCL take longer.
[[nodiscard]] Status check_device_flag(const std::string& flag);

}  // namespace atl
