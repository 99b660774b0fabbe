#include "reward/cuda/recorder.hpp"

#include "reward/base/files.hpp"
#include "reward/base/programs.hpp"
#include "reward/cuda/launcher_binary.hpp"
#include "reward/verifier/candidate_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <iterator>

namespace atl {

namespace {

constexpr std::uint64_t k_facts_bytes = 256 << 10;
constexpr std::uint64_t k_memory_bytes = 512ull << 20;  ///< of a launcher, for its own use
constexpr std::uint64_t k_compile_memory = 2ull << 30;
constexpr std::uint64_t k_binary_bytes = 8ull << 20;
constexpr int k_newest_clang = 22;
constexpr int k_oldest_clang = 14;

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// Of the first message that has one: "candidate.cu:12:", "reference.cu:12:".
std::uint32_t line_in(const std::string& log) {
    static const std::string k_name = ".cu:";
    std::uint32_t line = 0;
    for (std::size_t at = log.find(k_name); at != std::string::npos && line == 0;
         at = log.find(k_name, at + 1)) {
        for (std::size_t i = at + k_name.size(); i < log.size() && log[i] >= '0' && log[i] <= '9';
             ++i) {
            line = line * 10 + static_cast<std::uint32_t>(log[i] - '0');
        }
    }
    return line;
}

/// g++ says first in which function.
std::string first_error(const std::string& log) {
    const std::size_t error = log.find("error:");
    const std::size_t begin = error == std::string::npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, log.find('\n', begin) - begin);
}

/// Nothing is linked to a launcher but the recording runtime (see CompileRequest::prelude), so that
/// what no library has shows when it is loaded, before anything of it has run.
std::string unlinked(const std::string& why) {
    const std::size_t at = why.find("undefined symbol");
    return "error: " + (at == std::string::npos ? why : why.substr(at));
}

}  // namespace

Expected<std::string> find_recorder_compiler() {
    std::vector<std::string> names{"clang++"};
    for (int version = k_newest_clang; version >= k_oldest_clang; --version) {
        names.push_back("clang++-" + std::to_string(version));
    }
    names.emplace_back("g++");
    for (const std::string& name : names) {
        if (!find_programs(name).empty()) {
            return name;
        }
    }
    return failure(ErrorCode::unavailable, "there is neither clang++ nor g++ in $PATH",
                   "CUDA launchers", "install one, e.g. apt-get install clang");
}

Expected<std::unique_ptr<Recorder>> Recorder::create(const RecorderOptions& options) {
    CompilerOptions compiler;
    compiler.compiler = options.compiler;
    if (compiler.compiler.empty()) {
        ATOLL_TRY_ASSIGN(compiler.compiler, find_recorder_compiler());
    }
    compiler.required = options.required;
    compiler.cores = options.cores;
    compiler.worker_program = options.worker_program;
    ATOLL_TRY_ASSIGN(auto made, make_jailed_compiler(compiler));
    ATOLL_TRY_ASSIGN(SharedBuffers buffers,
                     SharedBuffers::create({k_record_bytes, k_facts_bytes}, 1));
    std::unique_ptr<Recorder> recorder(new Recorder(options, std::move(made), std::move(buffers)));
    ATOLL_TRY(recorder->start_runner());
    return recorder;
}

Status Recorder::start_runner() {
    ATOLL_TRY_ASSIGN(auto ends, make_socket_pair());
    WorkerOptions worker;
    worker.program = m_options.worker_program;
    worker.required = m_options.required;
    worker.cores = m_options.cores;
    ATOLL_TRY_ASSIGN(WorkerProcess process,
                     WorkerProcess::start(WorkerRole::runner, worker, 1, std::move(ends.second)));
    m_runner = std::make_unique<Runner>(
        Runner{std::move(process), RunnerLink(FrameChannel(std::move(ends.first)))});
    return {};
}

Expected<CompileResult> Recorder::compile(const RecordRequest& request) {
    const RecordingSource& source = request.host_source;
    CompileRequest order;
    order.flags = m_plain ? plain_recording_flags() : recording_flags();
    order.timeout_s = request.compile_timeout_s;
    order.cancel = request.cancel;
    order.memory_bytes = k_compile_memory;
    order.binary_bytes = k_binary_bytes;
    const auto attempt = [&](const std::string& prelude) {
        order.prelude = m_plain ? "" : prelude;
        order.runtime = m_plain ? "" : source.runtime;
        order.source = m_plain ? plain_text(source, prelude) : source.text;
        return m_compiler->compile(order);
    };
    ATOLL_TRY_ASSIGN(CompileResult compiled, attempt(source.prelude));
    if (compiled.status == CompileResult::Status::error && !source.narrow_prelude.empty()) {
        return attempt(source.narrow_prelude);  // maybe of a header that it did not ask for
    }
    return compiled;
}

Status Recorder::compile_unless_known(const RecordRequest& request) {
    if (m_last.status == CompileResult::Status::ok && m_last_source == request.host_source) {
        m_last.seconds = 0;
        return {};
    }
    m_last.status = CompileResult::Status::error;
    ATOLL_TRY_ASSIGN(m_last, compile(request));
    m_last_source = request.host_source;
    return {};
}

Expected<Recorder::Bound> Recorder::bind(const RecordRequest& request, const Workload& workload) {
    const Task& task = *request.task;
    Bound bound;
    ATOLL_TRY_ASSIGN(const auto axes, bind_axes(task, workload));
    const auto bytes_of = [&](const TensorSpec& tensor, DType dtype) -> Expected<std::uint64_t> {
        ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(tensor, axes));
        return static_cast<std::uint64_t>(count) * size_of(dtype);
    };
    for (const TensorSpec& input : task.inputs) {
        if (input.scalar) {
            const auto value = workload.scalars.find(input.name);
            if (value == workload.scalars.end()) {
                return failure(ErrorCode::invalid_argument, "scalar input has no value",
                               task.name + "/" + workload.id + "/" + input.name);
            }
            bound.scalars.push_back(value->second);
        } else {
            ATOLL_TRY_ASSIGN(bound.tensors.inputs.emplace_back(), bytes_of(input, input.dtype));
        }
    }
    for (const TensorSpec& output : task.outputs) {
        const bool precise = request.entry == CudaEntry::reference;
        ATOLL_TRY_ASSIGN(bound.tensors.outputs.emplace_back(),
                         bytes_of(output, precise ? DType::f64 : output.dtype));
    }
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            bound.axes.push_back(axes.at(axis.name));
        }
    }
    return bound;
}

void Recorder::write_facts(std::span<const KernelFacts> kernels) {
    const std::vector<std::uint64_t> words = recording_facts(kernels, k_facts_bytes);
    const auto facts = m_buffers.memory(0, 1).bytes();
    std::memset(facts.data(), 0, k_facts_bytes);
    std::memcpy(facts.data(), words.data(), words.size() * 8);
}

/// The record's beginning as the runtime expects it, and nothing of what was there.
void Recorder::begin_record(std::size_t bytes_to_clear) {
    const auto record = m_buffers.memory(0, 0).bytes();
    const std::array<std::uint64_t, 2> begin{k_record_magic, k_record_header_bytes};
    std::memset(record.data(), 0, bytes_to_clear);
    std::memcpy(record.data(), begin.data(), sizeof(begin));
}

Expected<Recorder::Recording> Recorder::run_once(const FileHandle& binary, StartRun order,
                                                 const std::stop_token& cancel) {
    // All of both buffers: a recording must not leave word to the next one.
    begin_record(k_record_bytes);
    write_facts(m_facts);
    const std::size_t launches = order.launches.size();
    const auto patience =
        std::chrono::nanoseconds(static_cast<std::int64_t>(m_options.launch_timeout_s * 1e9));
    ATOLL_TRY_ASSIGN(auto run, CandidateRun::start(m_runner->link, binary, m_buffers,
                                                   std::move(order), patience));
    ATOLL_TRY_ASSIGN(CandidateRun::Launch launch, run->load());
    if (!launch.ok && launch.fault.outcome == Outcome::launch_error) {
        ATOLL_TRY(run->end());
        return Recording{
            {}, RecordFault{Outcome::compile_error, 0, unlinked(launch.fault.reason)}, false};
    }
    Recording recording;
    for (std::size_t i = 0; i < launches && !recording.fault; ++i) {
        if (cancel.stop_requested()) {
            return failure(ErrorCode::interrupted, "the recording was cancelled", "CUDA launchers");
        }
        if (launch.ok) {
            begin_record(k_record_header_bytes);
            ATOLL_TRY_ASSIGN(launch, run->launch(static_cast<std::uint32_t>(i)));
        }
        RecordOrFault one = read_record(launch.ok ? nullptr : &launch.fault);
        recording.fault = std::move(one.fault);
        recording.unexplained = one.unexplained;
        if (!recording.fault) {
            recording.records.push_back(std::move(one.record));
        }
    }
    ATOLL_TRY(run->end());
    return recording;
}

Recorder::RecordOrFault Recorder::read_record(const CandidateFault* death) const {
    // A copy: the candidate is stopped, but a thread of it may not be yet.
    const auto shared = m_buffers.memory(0, 0).bytes().first(k_record_bytes);
    std::uint64_t used = 0;
    std::memcpy(&used, shared.data() + sizeof(std::uint64_t), sizeof(used));
    const std::size_t most = std::clamp<std::uint64_t>(used, k_record_header_bytes, k_record_bytes);
    const std::vector<std::byte> bytes(shared.begin(),
                                       shared.begin() + static_cast<std::ptrdiff_t>(most));
    Expected<Record> record = parse_record(bytes);
    if (record && record->status == Record::Status::refused) {
        return {RecordFault{Outcome::rejected, record->refused_line, record->reason}};
    }
    if (death != nullptr) {
        const std::uint32_t line = record ? record->last_line : 0;
        std::string reason = "the launcher " + death->reason;
        if (line > 0) {
            reason += fmt::format("; its last CUDA call was in line {}", line);
        }
        if (death->outcome == Outcome::memory_fault) {
            reason += "; device memory cannot be read or written by the host";
        }
        return {RecordFault{death->outcome, line, std::move(reason)}, {}, death->unexplained};
    }
    if (!record || record->status != Record::Status::finished) {
        return {RecordFault{Outcome::reward_hack, 0,
                            "the launcher wrote into the record of its own launches" +
                                (record ? std::string() : ": " + record.error().what)}};
    }
    return {std::nullopt, std::move(*record)};
}

StartRun Recorder::order_for(const DeviceLimits& device, std::span<const Bound> bounds,
                             bool second) const {
    StartRun order;
    order.cores = m_options.cores;
    order.memory_bytes = k_memory_bytes;
    order.cpu_seconds =
        std::ceil(m_options.launch_timeout_s * static_cast<double>(bounds.size())) + 1;
    order.fresh_variables = bounds.size() > 1;
    const RecordAddresses addresses(second);
    for (const Bound& bound : bounds) {
        StartRun::LaunchArguments& launch = order.launches.emplace_back();
        launch.tensors = {{0, 0}, {1, 0}};
        launch.scalars = bound.scalars;
        launch.axes = recording_numbers(device, second);
        const std::size_t tensors = bound.tensors.inputs.size() + bound.tensors.outputs.size();
        for (std::uint32_t i = 0; i < tensors; ++i) {
            launch.axes.push_back(static_cast<std::int64_t>(addresses.address_of(i)));
        }
        launch.axes.insert(launch.axes.end(), bound.axes.begin(), bound.axes.end());
    }
    return order;
}

Expected<Recorder::Recording> Recorder::run(const FileHandle& binary, const StartRun& order,
                                            const std::stop_token& cancel) {
    constexpr int k_attempts = 2;
    for (int attempt = 1;; ++attempt) {
        if (m_runner == nullptr) {
            ATOLL_TRY(start_runner());
        }
        ++m_processes;
        Expected<Recording> one = run_once(binary, order, cancel);
        if (!one && one.error().code != ErrorCode::interrupted) {
            m_runner.reset();
        }
        const bool settled = one ? !one->unexplained : one.error().code == ErrorCode::interrupted;
        if (settled || attempt == k_attempts) {
            return one;
        }
    }
}

/// `in_one`: in one process as far as it goes without a fault. What fails after another workload
/// is tried again alone: it may be for what the other left, and its time is its own then.
Expected<Recorder::Recording> Recorder::run_all(const FileHandle& binary,
                                                const RecordRequest& request,
                                                std::span<const Bound> bounds, bool second,
                                                bool in_one) {
    Recording all;
    if (in_one) {
        ATOLL_TRY_ASSIGN(all,
                         run(binary, order_for(request.device, bounds, second), request.cancel));
        if (all.records.empty()) {
            return all;
        }
        all.fault.reset();
    }
    while (all.records.size() < bounds.size() && !all.fault) {
        const StartRun order =
            order_for(request.device, bounds.subspan(all.records.size(), 1), second);
        ATOLL_TRY_ASSIGN(Recording one, run(binary, order, request.cancel));
        all.fault = std::move(one.fault);
        std::move(one.records.begin(), one.records.end(), std::back_inserter(all.records));
    }
    return all;
}

/// Plans of all workloads, or the fault of the first that has one.
Status Recorder::record_all(const FileHandle& binary, const RecordRequest& request,
                            RecordReply& reply) {
    std::vector<Bound> bounds;
    for (const Workload* workload : request.workloads) {
        ATOLL_TRY_ASSIGN(bounds.emplace_back(), bind(request, *workload));
    }
    ATOLL_TRY_ASSIGN(const std::string bytes,
                     read_file("/proc/self/fd/" + std::to_string(binary.get()), k_binary_bytes));
    const bool in_one = can_start_afresh(bytes);
    std::array<Recording, 2> both;
    std::size_t workloads = bounds.size();
    for (std::size_t i = 0; i < both.size() && workloads > 0; ++i) {
        // No further than the first went: of two faults the earlier workload's is told.
        ATOLL_TRY_ASSIGN(
            both[i], run_all(binary, request, std::span(bounds).first(workloads), i == 1, in_one));
        workloads = both[i].records.size();
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        PlanOrFault one;
        if (i < workloads) {
            one = plan_of_records(both[0].records[i], both[1].records[i], bounds[i].tensors);
        } else {
            one.fault = std::move(both[1].fault ? both[1].fault : both[0].fault);
        }
        if (one.fault) {
            reply.fault = std::move(one.fault);
            reply.workload = request.workloads[i]->id;
            reply.plans.clear();
            return {};
        }
        reply.plans.push_back(std::move(one.plan));
    }
    return {};
}

Expected<RecordReply> Recorder::record(const RecordRequest& request) {
    RecordReply reply;
    ATOLL_TRY(compile_unless_known(request));
    const CompileResult& compiled = m_last;
    reply.compile_seconds = compiled.seconds;
    reply.compile_log = compiled.log;
    reply.whole_because = compiled.whole_because;
    if (compiled.status != CompileResult::Status::ok) {
        const bool limit = compiled.status == CompileResult::Status::limit;
        reply.fault = RecordFault{limit ? Outcome::compile_limit : Outcome::compile_error,
                                  line_in(compiled.log), first_error(compiled.log)};
        return reply;
    }
    const double since = seconds_now();
    m_facts = request.kernels;
    m_processes = 0;
    ATOLL_TRY(record_all(compiled.binary, request, reply));
    if (reply.fault && reply.fault->outcome == Outcome::compile_error) {
        reply.compile_log += reply.fault->reason + "\n";
        reply.workload.clear();
    }
    reply.record_seconds = seconds_now() - since;
    reply.processes = m_processes;
    return reply;
}

}  // namespace atl
