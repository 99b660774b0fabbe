#pragma once

#include "reward/cuda/front_end.hpp"
#include "reward/cuda/source_split.hpp"

#include <future>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

/// One source on its way through the front end. Used once, on the thread of its recorder.
class Preparation {
  public:
    Preparation(const FrontEndRequest& request, const DeviceLimits& device, Recorder& recorder,
                DeviceCompiler& compiler)
        : m_request(request), m_device(device), m_recorder(recorder), m_compiler(compiler) {}

    [[nodiscard]] Expected<FrontEndReply> run();

  private:
    /// A kernel that plans launch: NVRTC is asked for it by an expression, and may link it by
    /// another name than the host's compiler (std::int64_t is long to one and long long to the
    /// other).
    struct Kernel {
        std::string expression;
        std::string device_name;
    };

    [[nodiscard]] bool failed() const { return m_reply.fault.has_value(); }
    void fail(Outcome outcome, std::string reason, std::string log = {});
    void choose_workloads();
    [[nodiscard]] Status record(const std::vector<KernelFacts>& facts);
    void take_fault(const RecordReply& recorded);
    void find_kernels();
    void compile_ahead();
    /// What was compiled ahead, where it has all the kernels; else nothing.
    [[nodiscard]] Expected<std::optional<DeviceBinary>> take_ahead(
        const std::vector<std::string>& expressions);
    [[nodiscard]] DeviceCompileRequest device_order() const;
    [[nodiscard]] Status compile();
    [[nodiscard]] Status settle();
    [[nodiscard]] bool asks_for_facts() const;
    [[nodiscard]] std::vector<KernelFacts> facts_by_host_names() const;
    void rename_kernels();
    void check_plans();

    const FrontEndRequest& m_request;
    const DeviceLimits& m_device;
    Recorder& m_recorder;
    DeviceCompiler& m_compiler;
    SplitSource m_split;
    std::vector<std::size_t> m_workloads;     ///< indices of Task::workloads, public ones first
    std::map<std::string, Kernel> m_kernels;  ///< by the host's name; of all recordings
    FrontEndReply m_reply;
    /// NVRTC at work beside clang and the launcher, on kernels that can be told from the text
    /// alone.
    struct Ahead {
        Ahead() = default;
        ~Ahead() { stop.request_stop(); }
        Ahead(const Ahead&) = delete;
        Ahead& operator=(const Ahead&) = delete;

        std::vector<std::string> expressions;  ///< sorted
        std::stop_source stop;
        std::future<Expected<DeviceBinary>> binary;  ///< waits in its destructor
    };
    std::optional<Ahead> m_ahead;
};

}  // namespace atl
