#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/cupti_library.hpp"
#include "reward/cuda/cupti_profiler_types.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// CUPTI's counters: a table of the functions of its host profiler and range profiler, beside that
/// of its activity API. Copies are cheap; thread-safe as far as CUPTI is. Loading starts nothing.
class CuptiProfiler {
  public:
    /// As CuptiLibrary::open(); also unavailable where the library has no range profiler.
    [[nodiscard]] static Expected<CuptiProfiler> open(const std::string& name);

    /// By their names without "cupti".
    struct Functions {
        cupti::Result (*initialize)(cupti::InitializeParameters*) = nullptr;
        cupti::Result (*chip_name)(cupti::ChipNameParameters*) = nullptr;
        cupti::Result (*host_initialize)(cupti::HostInitializeParameters*) = nullptr;
        cupti::Result (*host_deinitialize)(cupti::HostDeinitializeParameters*) = nullptr;
        cupti::Result (*host_add_metrics)(cupti::HostAddMetricsParameters*) = nullptr;
        cupti::Result (*host_config_size)(cupti::HostConfigSizeParameters*) = nullptr;
        cupti::Result (*host_config)(cupti::HostConfigParameters*) = nullptr;
        cupti::Result (*host_passes)(cupti::HostPassesParameters*) = nullptr;
        cupti::Result (*host_evaluate)(cupti::HostEvaluateParameters*) = nullptr;
        cupti::Result (*enable)(cupti::EnableParameters*) = nullptr;
        cupti::Result (*disable)(cupti::ProfilerParameters*) = nullptr;
        cupti::Result (*data_size)(cupti::DataSizeParameters*) = nullptr;
        cupti::Result (*data_initialize)(cupti::DataInitializeParameters*) = nullptr;
        cupti::Result (*set_config)(cupti::SetConfigParameters*) = nullptr;
        cupti::Result (*start)(cupti::ProfilerParameters*) = nullptr;
        cupti::Result (*stop)(cupti::StopParameters*) = nullptr;
        cupti::Result (*decode)(cupti::DecodeParameters*) = nullptr;
        cupti::Result (*data_info)(cupti::DataInfoParameters*) = nullptr;
    };

    [[nodiscard]] const Functions& call() const { return m_functions; }
    [[nodiscard]] const std::string& path() const { return m_cupti.path(); }

    /// As CuptiLibrary::check(); a process that may not read counters is told what to do.
    [[nodiscard]] Status check(cupti::Result result, const char* call) const;

  private:
    explicit CuptiProfiler(CuptiLibrary cupti) : m_cupti(std::move(cupti)) {}
    [[nodiscard]] Status load(const SharedLibrary& from);

    CuptiLibrary m_cupti;
    Functions m_functions;
};

/// The metrics of one chip, which need no device. Not thread-safe.
class CuptiMetrics {
  public:
    /// `chip` as CUPTI names it ("GH100"). Of `names`, those that the chip does not have are left
    /// out; unavailable when none is left.
    [[nodiscard]] static Expected<CuptiMetrics> make(const CuptiProfiler& profiler,
                                                     const std::string& chip,
                                                     const std::vector<std::string>& names);

    [[nodiscard]] const std::vector<std::string>& names() const { return m_names; }
    /// What the range profiler is set up with.
    [[nodiscard]] const std::vector<std::uint8_t>& config() const { return m_config; }
    /// How often a kernel must run for all of them.
    [[nodiscard]] std::size_t passes() const { return m_passes; }
    /// The values of one range of a counter data image, one per name; any of them may be no number.
    [[nodiscard]] Expected<std::vector<double>> evaluate(const std::vector<std::uint8_t>& data,
                                                         std::size_t range) const;
    /// Pointers to names(), as CUPTI wants them.
    [[nodiscard]] std::vector<const char*> pointers() const;

  private:
    struct Deinitialize {
        cupti::Result (*deinitialize)(cupti::HostDeinitializeParameters*);
        void operator()(cupti::HostProfiler* host) const;
    };
    using Host = std::unique_ptr<cupti::HostProfiler, Deinitialize>;

    explicit CuptiMetrics(const CuptiProfiler& profiler) : m_profiler(profiler) {}
    [[nodiscard]] static Expected<Host> make_host(const CuptiProfiler& profiler,
                                                  const std::string& chip);
    [[nodiscard]] static bool has(const CuptiProfiler& profiler, const std::string& chip,
                                  const std::string& name);
    [[nodiscard]] Status configure();

    CuptiProfiler m_profiler;
    Host m_host{nullptr, {nullptr}};
    std::vector<std::string> m_names;
    std::vector<std::uint8_t> m_config;
    std::size_t m_passes = 0;
};

}  // namespace atl
