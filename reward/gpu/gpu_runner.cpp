#include "reward/gpu/gpu_runner.hpp"

#include "reward/cuda/cubin_facts.hpp"
#include "reward/cuda/plan_run.hpp"
#include "reward/gpu/runner_faults.hpp"
#include "reward/gpu/timed_launches.hpp"

#include <fmt/format.h>

#include <chrono>
#include <variant>

namespace atl {

namespace {

tl::unexpected<Error> bad_call(const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "GPU runner");
}

template <class Program>
Expected<Program*> program_of(std::map<std::uint32_t, Program>& programs, std::uint32_t number) {
    const auto found = programs.find(number);
    if (found == programs.end()) {
        return bad_call(fmt::format("there is no program {}", number));
    }
    return &found->second;
}

std::vector<const PlanLaunch*> launches_of(const Plan& plan) {
    std::vector<const PlanLaunch*> launches;
    for (const PlanStep& step : plan.steps) {
        if (const auto* launch = std::get_if<PlanLaunch>(&step.what)) {
            launches.push_back(launch);
        }
    }
    return launches;
}

/// Which launch each reading is of. Where there are more or fewer than launches, nobody knows.
std::vector<KernelCounters> name_counters(const Plan& plan, const RangeProfiler& profiler) {
    const std::vector<const PlanLaunch*> launches = launches_of(plan);
    const bool known = profiler.counted().size() == launches.size();
    const auto volume = [](const PlanDim& dim) { return std::uint64_t{dim[0]} * dim[1] * dim[2]; };
    std::vector<KernelCounters> named;
    for (std::size_t i = 0; i < profiler.counted().size(); ++i) {
        KernelCounters& counters = named.emplace_back();
        counters.metrics = profiler.counted()[i];
        if (known) {
            counters.kernel = launches[i]->kernel;
            counters.blocks = volume(launches[i]->grid);
            counters.threads_per_block = static_cast<std::uint32_t>(volume(launches[i]->block));
        }
    }
    return named;
}

Expected<const Plan*> plan_of(const GpuPackage& program, std::uint32_t workload) {
    const Plan* plan = program.plan_of(workload);
    if (plan == nullptr) {
        return bad_call(fmt::format("the program has no plan of workload {}", workload));
    }
    return plan;
}

}  // namespace

GpuRunner::GpuRunner(Gpu gpu) : m_gpu(std::move(gpu)), m_buffers(m_gpu), m_events(m_gpu) {}

Expected<std::unique_ptr<GpuRunner>> GpuRunner::start(const WorkerArguments& arguments,
                                                      std::string_view support_cubin) {
    ATOLL_TRY_ASSIGN(const DriverLibrary driver, DriverLibrary::open(arguments.driver));
    ATOLL_TRY_ASSIGN(Gpu gpu, Gpu::open(driver, arguments.gpu));
    std::unique_ptr<GpuRunner> runner(new GpuRunner(std::move(gpu)));
    runner->open_clock(arguments.cupti);
    ATOLL_TRY(runner->open_parts(support_cubin));
    if (arguments.counters != 0 && runner->m_cupti) {
        // Who cannot count says so when it is asked to.
        static_cast<void>(runner->count_own_kernel());
    }
    ATOLL_TRY(runner->warm_up());
    return runner;
}

/// Before the stream is made and a module loaded: CUPTI then knows them from their beginning.
void GpuRunner::open_clock(const std::string& cupti) {
    m_started.device = m_gpu.limits().name;
    m_started.clock = m_events.name();
    m_cupti_path = cupti;
    if (cupti.empty()) {
        m_started.why_events = "no CUPTI is given";
        return;
    }
    Expected<CuptiClock> clock = CuptiClock::open(cupti);
    if (!clock) {
        m_started.why_events = clock.error().message();
        return;
    }
    m_cupti.emplace(std::move(*clock));
    m_started.clock = m_cupti->name();
}

Status GpuRunner::open_parts(std::string_view support_cubin) {
    ATOLL_TRY_ASSIGN(GpuStream stream, GpuStream::create(m_gpu));
    m_stream.emplace(std::move(stream));
    ATOLL_TRY_ASSIGN(SupportKernels support, SupportKernels::load(m_gpu, support_cubin));
    m_support.emplace(std::move(support));
    return {};
}

/// What the driver and CUPTI do at a process's first launch they do now, and not when a candidate
/// waits for a spare that takes over.
Status GpuRunner::warm_up() {
    using Mark = LaunchClock::Mark;
    LaunchClock& clock = m_cupti ? static_cast<LaunchClock&>(*m_cupti) : m_events;
    const cuda::Stream stream = m_stream->handle();
    ATOLL_TRY(m_support->flush_l2(stream));
    ATOLL_TRY(m_gpu.driver().check(m_gpu.call().stream_synchronize(stream), "cuStreamSynchronize"));
    ATOLL_TRY(clock.begin(1, 1, stream));
    for (const auto& [begin, end] :
         {std::pair(Mark::anchor, Mark::anchor_end), std::pair(Mark::plan, Mark::plan_end)}) {
        ATOLL_TRY(clock.mark(0, begin, stream));
        ATOLL_TRY(m_support->anchor(stream));
        ATOLL_TRY(clock.mark(0, end, stream));
    }
    ATOLL_TRY(m_gpu.driver().check(m_gpu.call().stream_synchronize(stream), "cuStreamSynchronize"));
    // A clock that does not see all of them is asked again when it matters.
    (void)clock.finish();
    return {};
}

/// Counters load libraries when they start for the first time, which the jail does not allow.
Status GpuRunner::count_own_kernel() {
    const cuda::Stream stream = m_stream->handle();
    ATOLL_TRY_ASSIGN(RangeProfiler profiler, RangeProfiler::open(m_cupti_path, m_gpu));
    ATOLL_TRY(m_cupti->pause());
    ATOLL_TRY(profiler.begin(1, 1, stream));
    ATOLL_TRY(profiler.mark(0, LaunchClock::Mark::plan, stream));
    ATOLL_TRY(m_support->anchor(stream));
    ATOLL_TRY(m_gpu.driver().check(m_gpu.call().stream_synchronize(stream), "cuStreamSynchronize"));
    return profiler.finish().map([](const std::vector<GpuSample>&) {});
}

bool GpuRunner::device_works() const {
    return m_gpu.call().stream_query(m_stream->handle()) == cuda::k_success;
}

Expected<GpuRunner::Answer> GpuRunner::answer(std::string_view call,
                                              std::span<const FileHandle> handles) {
    m_player.reset();
    m_profiler.reset();
    ATOLL_TRY_ASSIGN(const GpuCall asked, parse_gpu_call(call));
    if (const auto* buffers = std::get_if<GpuBuffersCall>(&asked)) {
        return map_buffers(*buffers, handles);
    }
    if (const auto* load_call = std::get_if<GpuLoadCall>(&asked)) {
        return load(*load_call, handles);
    }
    if (const auto* play_call = std::get_if<GpuPlayCall>(&asked)) {
        return play(*play_call);
    }
    if (const auto* profile_call = std::get_if<GpuProfileCall>(&asked)) {
        return profile(*profile_call);
    }
    return time(std::get<GpuTimeCall>(asked));
}

Expected<GpuRunner::Answer> GpuRunner::map_buffers(const GpuBuffersCall& call,
                                                   std::span<const FileHandle> handles) {
    if (call.forget) {
        m_buffers.clear();
    }
    ATOLL_TRY(m_buffers.add(handles, call.bytes));
    return Answer{to_json(GpuDone{})};
}

Expected<GpuRunner::Answer> GpuRunner::load(const GpuLoadCall& call,
                                            std::span<const FileHandle> handles) {
    if (handles.size() != 1) {
        return bad_call(fmt::format("a program is one file, {} came", handles.size()));
    }
    ATOLL_TRY_ASSIGN(GpuPackage package, read_gpu_package(handles[0]));
    Program program{std::move(package), true, nullptr};
    program.keeps_state = !program.package.compiled_here ||
                          keeps_state(program.package.cubin, program.package.touches_variables);
    const GpuLoaded loaded{program.package.leaves_heap};
    m_programs.insert_or_assign(call.program, std::move(program));
    return Answer{to_json(loaded)};
}

/// Loading code anew takes longer than most launches, and is of use only where something in it
/// would outlive a launch.
Expected<PlanPlayer> GpuRunner::make_player(Program& program, const Plan& plan) {
    const bool again = !program.keeps_state && !leaves_traces(plan);
    std::shared_ptr<const PlanModule> module = again ? program.module : nullptr;
    if (!module) {
        ATOLL_TRY_ASSIGN(module, PlanModule::load(m_gpu, program.package.cubin));
    }
    if (again) {
        program.module = module;
    }
    ATOLL_TRY_ASSIGN(PlanPlayer player, PlanPlayer::load(m_gpu, std::move(module), plan));
    if (!program.package.compiled_here) {
        ATOLL_TRY(player.check_parameters());
    }
    return player;
}

Expected<std::optional<GpuFault>> GpuRunner::load_player(Program& program, const Plan& plan) {
    m_player.reset();
    Expected<PlanPlayer> player = make_player(program, plan);
    if (!player) {
        return fault_of(player.error()).map([](const GpuFault& fault) {
            return std::optional(fault);
        });
    }
    m_player.emplace(std::move(*player));
    // Lines that another candidate made persist must not stay for this one. Devices before compute
    // capability 8.0 have none.
    const cuda::Result reset = m_gpu.call().context_reset_persisting_l2();
    if (reset != cuda::k_not_supported) {
        ATOLL_TRY(m_gpu.driver().check(reset, "cuCtxResetPersistingL2Cache"));
    }
    return std::nullopt;
}

Expected<std::optional<GpuFault>> GpuRunner::play_once(Program& program, const GpuPlay& play,
                                                       std::uint64_t limit_ns, double& wall_ns) {
    ATOLL_TRY_ASSIGN(const Plan* const plan, plan_of(program.package, play.workload));
    ATOLL_TRY_ASSIGN(const PlanTensors tensors, place_tensors(*plan, play.tensors, m_buffers));
    ATOLL_TRY_ASSIGN(std::optional<GpuFault> fault, load_player(program, *plan));
    if (fault) {
        return fault;
    }
    if (const Status bound = m_player->bind(tensors); !bound) {
        return fault_of(bound.error()).map([](const GpuFault& bad) { return std::optional(bad); });
    }
    const auto begin = std::chrono::steady_clock::now();
    const PlanRun run =
        run_plan(m_gpu, *m_player, m_stream->handle(), std::chrono::nanoseconds(limit_ns));
    wall_ns =
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
    return fault_of(run, *plan, m_gpu.driver());
}

Expected<GpuRunner::Answer> GpuRunner::play(const GpuPlayCall& call) {
    ATOLL_TRY_ASSIGN(Program* const program, program_of(m_programs, call.program));
    if (m_cupti) {
        m_cupti->forget();  // launches without a clock are recorded too
    }
    GpuPlayed played;
    for (const GpuPlay& play : call.plays) {
        double wall_ns = 0;
        ATOLL_TRY_ASSIGN(played.fault, play_once(*program, play, call.limit_ns, wall_ns));
        if (played.fault) {
            break;
        }
        played.wall_ns.push_back(wall_ns);
    }
    return end_call(to_json(played), played.fault);
}

Expected<GpuTimed> GpuRunner::time_by(LaunchClock& clock, const Plan& plan,
                                      const GpuTimeCall& call) {
    TimedLaunches launches({m_gpu, m_stream->handle(), *m_support, m_buffers}, clock, plan,
                           *m_player, call);
    return launches.run();
}

Expected<GpuTimed> GpuRunner::time_by_best(Program& program, const Plan& plan,
                                           const GpuTimeCall& call) {
    std::string why_events;
    if (m_cupti && !call.events) {
        Expected<GpuTimed> by_cupti = time_by(*m_cupti, plan, call);
        if (by_cupti || by_cupti.error().code != ErrorCode::unavailable || !device_works()) {
            return by_cupti;
        }
        // Launches without all of their records: the other clock sees every one.
        why_events = by_cupti.error().message();
        // What the first launches left in its variables must not help the second ones.
        GpuTimed refused;
        ATOLL_TRY_ASSIGN(refused.fault, load_player(program, plan));
        if (refused.fault) {
            refused.clock = m_events.name();
            return refused;
        }
    }
    if (m_cupti) {
        // Under CUPTI's eyes events are apart by anything (seen on an H200).
        ATOLL_TRY(m_cupti->pause());
    }
    Expected<GpuTimed> by_events = time_by(m_events, plan, call);
    if (by_events) {
        by_events->why_events = why_events;
    }
    return by_events;
}

Expected<GpuRunner::Answer> GpuRunner::time(const GpuTimeCall& call) {
    ATOLL_TRY_ASSIGN(Program* const program, program_of(m_programs, call.program));
    ATOLL_TRY_ASSIGN(const Plan* const plan, plan_of(program->package, call.workload));
    GpuTimed timed;
    ATOLL_TRY_ASSIGN(timed.fault, load_player(*program, *plan));
    if (timed.fault) {
        timed.clock = m_started.clock;
        return Answer{to_json(timed)};
    }
    ATOLL_TRY_ASSIGN(timed, time_by_best(*program, *plan, call));
    return end_call(to_json(timed), timed.fault);
}

/// Nothing of the candidate's stays loaded, unless the device is at work on it for ever.
GpuRunner::Answer GpuRunner::end_call(std::string json, const std::optional<GpuFault>& fault) {
    const bool lost = fault && fault->runner_lost;
    if (!lost) {
        m_player.reset();
        m_profiler.reset();
    }
    return {std::move(json), lost};
}

/// Why nothing was counted is part of the answer: the candidate has its verdict without it.
Expected<GpuProfiled> GpuRunner::count(const Plan& plan, const GpuTimeCall& call) {
    GpuProfiled profiled;
    const std::size_t launches = launches_of(plan).size();
    if (launches > k_most_counted_launches) {
        profiled.counters.why_none =
            fmt::format("it launches {} kernels, and at most {} are counted", launches,
                        k_most_counted_launches);
        return profiled;
    }
    if (m_cupti_path.empty()) {
        profiled.counters.why_none = m_started.why_events;
        return profiled;
    }
    Expected<RangeProfiler> profiler = RangeProfiler::open(m_cupti_path, m_gpu);
    if (!profiler) {
        profiled.counters.why_none = profiler.error().message();
        return profiled;
    }
    m_profiler.emplace(std::move(*profiler));
    if (m_cupti) {
        ATOLL_TRY(m_cupti->pause());
    }
    const Expected<GpuTimed> played = time_by(*m_profiler, plan, call);
    if (!played) {
        if (played.error().code != ErrorCode::unavailable || !device_works()) {
            return tl::unexpected(played.error());
        }
        profiled.counters.why_none = played.error().message();
    } else if (played->fault) {
        profiled.fault = played->fault;
    } else {
        profiled.counters.kernels = name_counters(plan, *m_profiler);
    }
    return profiled;
}

Expected<GpuRunner::Answer> GpuRunner::profile(const GpuProfileCall& call) {
    const GpuTimeCall& launch = call.launch;
    ATOLL_TRY_ASSIGN(Program* const program, program_of(m_programs, launch.program));
    ATOLL_TRY_ASSIGN(const Plan* const plan, plan_of(program->package, launch.workload));
    GpuProfiled profiled;
    ATOLL_TRY_ASSIGN(profiled.fault, load_player(*program, *plan));
    if (!profiled.fault) {
        ATOLL_TRY_ASSIGN(profiled, count(*plan, launch));
    }
    return end_call(to_json(profiled), profiled.fault);
}

}  // namespace atl
