#include "reward/gpu/support_kernels.hpp"

#include "reward/base/rng.hpp"
#include "reward/gpu/fill_arguments.hpp"
#include "reward/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>

namespace atl {

namespace {

constexpr unsigned k_threads = 256;   ///< of a block
constexpr std::uint64_t k_items = 4;  ///< that a thread works on at once
/// Many where blocks only write, so that none works much longer than others; fewer where each ends
/// with additions to one place.
constexpr unsigned k_writing_blocks = 64;  ///< for each multiprocessor
constexpr unsigned k_reading_blocks = 16;
constexpr unsigned k_sums = 1024;                   ///< blocks of a sum, whatever the device
constexpr std::uint32_t k_anchor_steps = 3750;      ///< of 4 cycles: about 15,000
constexpr std::uint64_t k_flush_bytes = 128 << 20;  ///< where the driver tells no cache size

/// As reward/gpu/kernels/basics.inc has it.
struct Slot {
    std::uint64_t number = 0;
    double sum = 0;
    std::uint64_t failed = 0;
    std::uint64_t unwritten = 0;
    std::uint64_t first_bad = 0;
    std::uint64_t max_abs = 0;
    std::uint64_t max_rel = 0;
    std::uint64_t flags = 0;
    double got = 0;
    double want = 0;
};
/// What is done for several places in one launch, since most are small: what a block works on.
struct Job {
    std::uint64_t slot = 0;
    cuda::Address at = 0;
    cuda::Address other = 0;
    std::uint64_t count = 0;
    double absolute = 0;
    double relative = 0;
    double cap = 0;
    int dtype = 0;
    std::uint32_t value = 0;
};
constexpr std::size_t k_jobs = 32;
using Jobs = std::array<Job, k_jobs>;
enum class Work : std::size_t { fill_bytes, checksum, count_other_bytes, compare, sum_squares };
constexpr std::size_t k_works = 5;
using Blocks = std::array<unsigned, 2>;

constexpr std::uint64_t k_non_finite = 1;
constexpr std::uint64_t k_over_cap = 2;

Status check_place(const char* what, DType dtype, cuda::Address at, std::int64_t count) {
    if (count < 0 || at % size_of(dtype) != 0) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{} elements of {} at {:#x}", count, to_string(dtype), at), what,
                       "counts are not negative, and elements lie at multiples of their size");
    }
    return {};
}

std::uint64_t random_key() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

}  // namespace

std::string support_kernel_source() {
    return
#include "reward/gpu/kernels/basics.inc"
#include "reward/gpu/kernels/elements.inc"
#include "reward/gpu/kernels/inputs.inc"
#include "reward/gpu/kernels/judging.inc"
#include "reward/gpu/kernels/timing.inc"
        ;
}

std::vector<std::string> support_kernel_flags() {
    // All else that fill_input() needs is the default: IEEE division and square root, subnormals.
    return {"--fmad=false"};
}

struct SupportKernels::State {
    struct UnloadModule {
        cuda::Result (*unload)(cuda::Module);
        void operator()(cuda::Module loaded) const { unload(loaded); }
    };
    /// What results() needs to know of a compare().
    struct Asked {
        std::int64_t count = -1;  ///< -1: nothing
        double matched_ratio = 1;
    };

    State(const Gpu& on, GpuBuffer slot_memory, GpuBuffer sum_memory)
        : gpu(&on), slots(std::move(slot_memory)), sums(std::move(sum_memory)) {}

    [[nodiscard]] Status allocate_flush();
    [[nodiscard]] Status find_functions(std::string_view cubin);
    [[nodiscard]] Status clear_slots();

    template <class... Arguments>
    [[nodiscard]] Status launch(cuda::Function function, const char* name, Blocks blocks,
                                unsigned threads, cuda::Stream stream,
                                Arguments... arguments) const {
        std::array<void*, sizeof...(arguments)> parameters{&arguments...};
        cuda::LaunchConfig config;
        config.grid = {blocks[0], blocks[1], 1};
        config.block = {threads, 1, 1};
        config.stream = stream;
        Status status = gpu->driver().check(
            gpu->call().launch_kernel(&config, function, parameters.data(), nullptr),
            "cuLaunchKernelEx");
        if (!status) {
            status.error().where = name;
        }
        return status;
    }

    /// For so many items, all of which may be worked on in one sweep or in several.
    [[nodiscard]] unsigned blocks_for(std::uint64_t items, unsigned per_processor) const {
        const std::uint64_t wanted = (items + k_threads * k_items - 1) / (k_threads * k_items);
        const std::uint64_t most =
            std::uint64_t{std::max(gpu->limits().multiprocessors, 1u)} * per_processor;
        return static_cast<unsigned>(std::clamp<std::uint64_t>(wanted, 1, most));
    }

    void ask(Work work, const Job& job);
    /// Queues what was asked for.
    [[nodiscard]] Status run(Work work, cuda::Stream stream);
    [[nodiscard]] Status run_some(Work work, const Jobs& some, unsigned count,
                                  cuda::Stream stream) const;

    [[nodiscard]] cuda::Address slot(std::size_t number) const {
        return slots.begin() + number * sizeof(Slot);
    }

    const Gpu* gpu;
    std::unique_ptr<std::remove_pointer_t<cuda::Module>, UnloadModule> module;
    cuda::Function fill = nullptr;
    cuda::Function fill_singles = nullptr;
    cuda::Function fill_bytes = nullptr;
    cuda::Function fill_all_bytes = nullptr;
    cuda::Function checksum = nullptr;
    cuda::Function count_other_bytes = nullptr;
    cuda::Function compare = nullptr;
    cuda::Function look_up = nullptr;
    cuda::Function sum_squares = nullptr;
    cuda::Function add_sums = nullptr;
    cuda::Function anchor = nullptr;
    GpuBuffer slots;
    GpuBuffer sums;
    std::optional<GpuBuffer> flush;  ///< taken when it is needed first
    std::uint64_t flush_bytes = 0;
    std::uint64_t key = random_key();
    std::array<Asked, k_result_slots> asked{};
    std::array<std::vector<Job>, k_works> jobs;  ///< by Work
};

Status SupportKernels::State::find_functions(std::string_view cubin) {
    const std::string image(cubin);  // the driver wants no length: behind it must be something
    cuda::Module loaded = nullptr;
    ATOLL_TRY(gpu->driver().check(gpu->call().module_load_data(&loaded, image.data()),
                                  "cuModuleLoadData of our own kernels"));
    module = {loaded, UnloadModule{gpu->call().module_unload}};
    const std::array<std::pair<const char*, cuda::Function*>, 11> all{{
        {"atoll_fill", &fill},
        {"atoll_fill_singles", &fill_singles},
        {"atoll_fill_bytes", &fill_bytes},
        {"atoll_fill_all_bytes", &fill_all_bytes},
        {"atoll_checksum", &checksum},
        {"atoll_count_other_bytes", &count_other_bytes},
        {"atoll_compare", &compare},
        {"atoll_look_up", &look_up},
        {"atoll_sum_squares", &sum_squares},
        {"atoll_add_sums", &add_sums},
        {"atoll_anchor", &anchor},
    }};
    for (const auto& [name, function] : all) {
        Status found = gpu->driver().check(
            gpu->call().module_get_function(function, module.get(), name), "cuModuleGetFunction");
        if (!found) {
            found.error().where = name;
            return found;
        }
    }
    return {};
}

Status SupportKernels::State::clear_slots() {
    ATOLL_TRY_ASSIGN(const GpuStream stream, GpuStream::create(*gpu));
    ATOLL_TRY(gpu->driver().check(
        gpu->call().memset_bytes(slots.begin(), 0, k_result_slots * sizeof(Slot), stream.handle()),
        "cuMemsetD8Async"));
    return gpu->driver().check(gpu->call().stream_synchronize(stream.handle()),
                               "cuStreamSynchronize");
}

SupportKernels::SupportKernels(std::unique_ptr<State> state) : m_state(std::move(state)) {}
SupportKernels::SupportKernels(SupportKernels&&) noexcept = default;
SupportKernels& SupportKernels::operator=(SupportKernels&&) noexcept = default;
SupportKernels::~SupportKernels() = default;

Expected<SupportKernels> SupportKernels::load(const Gpu& gpu, std::string_view cubin) {
    ATOLL_TRY_ASSIGN(GpuBuffer slots, GpuBuffer::allocate(gpu, k_result_slots * sizeof(Slot)));
    ATOLL_TRY_ASSIGN(GpuBuffer sums, GpuBuffer::allocate(gpu, k_jobs * k_sums * sizeof(double)));
    auto state = std::make_unique<State>(gpu, std::move(slots), std::move(sums));
    ATOLL_TRY(state->find_functions(cubin));
    ATOLL_TRY(state->clear_slots());
    const std::uint64_t l2_bytes = gpu.limits().l2_bytes;
    state->flush_bytes = l2_bytes > 0 ? 2 * l2_bytes : k_flush_bytes;
    return SupportKernels(std::move(state));
}

Status SupportKernels::fill(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                            std::uint32_t stream_number, std::int64_t count, cuda::Address to,
                            cuda::Stream stream) const {
    ATOLL_TRY(check_generator(generator, dtype));
    if (!generator.expressions.empty() || is_sparse_part(generator)) {
        return failure(ErrorCode::invalid_argument,
                       "generator " + generator.kind + " needs the axes or the other inputs",
                       "input on the device");
    }
    ATOLL_TRY(check_place("input on the device", dtype, to, count));
    if (count == 0) {
        return {};
    }
    const FillArguments with = fill_arguments(generator, dtype);
    const std::uint32_t lane =
        static_cast<std::uint32_t>(RngPurpose::input_values) << 20 ^ stream_number;
    const unsigned blocks =
        m_state->blocks_for(static_cast<std::uint64_t>(count), k_writing_blocks);
    const auto launch = [&](cuda::Function function, const char* name, auto... parameters) {
        return m_state->launch(function, name, {blocks, 1}, k_threads, stream, to, count,
                               static_cast<int>(dtype), seed, lane, static_cast<int>(with.kind),
                               parameters...);
    };
    if (is_made_in_single(generator, dtype)) {
        return launch(m_state->fill_singles, "atoll_fill_singles", static_cast<float>(with.a),
                      static_cast<float>(with.b), static_cast<float>(with.c));
    }
    return launch(m_state->fill, "atoll_fill", with.a, with.b, with.c);
}

Status SupportKernels::fill_bytes(cuda::Address to, std::uint8_t value, std::uint64_t bytes,
                                  cuda::Stream stream) const {
    if (bytes == 0) {
        return {};
    }
    return m_state->launch(m_state->fill_bytes, "atoll_fill_bytes",
                           {m_state->blocks_for(bytes / 16, k_writing_blocks), 1}, k_threads,
                           stream, to, bytes, std::uint32_t{value});
}

namespace {

Status check_slot(std::size_t slot) {
    if (slot >= SupportKernels::k_result_slots) {
        return failure(ErrorCode::invalid_argument, fmt::format("there is no slot {}", slot),
                       "results on the device",
                       fmt::format("they are {}", SupportKernels::k_result_slots));
    }
    return {};
}

}  // namespace

Status SupportKernels::State::allocate_flush() {
    if (!flush) {
        ATOLL_TRY_ASSIGN(flush, GpuBuffer::allocate(*gpu, flush_bytes));
    }
    return {};
}

void SupportKernels::State::ask(Work work, const Job& job) {
    jobs[static_cast<std::size_t>(work)].push_back(job);
}

Status SupportKernels::State::run(Work work, cuda::Stream stream) {
    std::vector<Job>& all = jobs[static_cast<std::size_t>(work)];
    Status status;
    for (std::size_t begin = 0; status && begin < all.size(); begin += k_jobs) {
        const std::size_t count = std::min(all.size() - begin, k_jobs);
        Jobs some;
        std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(begin), count, some.begin());
        status = run_some(work, some, static_cast<unsigned>(count), stream);
    }
    all.clear();
    return status;
}

/// With as many blocks for each as the largest of them wants.
Status SupportKernels::State::run_some(Work work, const Jobs& some, unsigned count,
                                       cuda::Stream stream) const {
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < count; ++i) {
        most = std::max(most, some[i].count);
    }
    const auto blocks = [&](std::uint64_t bytes_of_item, unsigned per_processor) {
        return std::array{blocks_for(most / bytes_of_item, per_processor), count};
    };
    const auto launch_jobs = [&](cuda::Function function, const char* name, Blocks grid,
                                 auto... more) {
        return launch(function, name, grid, k_threads, stream, some, more...);
    };
    switch (work) {
        case Work::fill_bytes:
            return launch_jobs(fill_all_bytes, "atoll_fill_all_bytes",
                               blocks(16, k_writing_blocks));
        case Work::checksum:
            return launch_jobs(checksum, "atoll_checksum", blocks(8, k_reading_blocks), key);
        case Work::count_other_bytes:
            return launch_jobs(count_other_bytes, "atoll_count_other_bytes",
                               blocks(8, k_reading_blocks));
        case Work::compare:
            ATOLL_TRY(launch_jobs(compare, "atoll_compare", blocks(1, k_reading_blocks)));
            return launch(look_up, "atoll_look_up", {1, count}, 1, stream, some);
        case Work::sum_squares:
            ATOLL_TRY(launch_jobs(sum_squares, "atoll_sum_squares", {k_sums, count}, sums.begin()));
            return launch_jobs(add_sums, "atoll_add_sums", {1, count}, sums.begin(),
                               std::uint32_t{k_sums});
    }
    return {};
}

Status SupportKernels::fill_all_bytes(std::span<const Filling> fillings, bool flush,
                                      cuda::Stream stream) const {
    std::uint64_t written = 0;
    for (const Filling& filling : fillings) {
        if (filling.bytes > 0) {
            m_state->ask(Work::fill_bytes,
                         {.at = filling.to, .count = filling.bytes, .value = filling.value});
            written += filling.bytes;
        }
    }
    if (flush) {
        ATOLL_TRY(m_state->allocate_flush());
        const std::uint64_t all = m_state->flush_bytes;
        m_state->ask(Work::fill_bytes,
                     {.at = m_state->flush->begin(), .count = all - std::min(written, all / 2)});
    }
    return m_state->run(Work::fill_bytes, stream);
}

Status SupportKernels::checksum(cuda::Address from, std::uint64_t bytes, std::size_t slot) {
    ATOLL_TRY(check_slot(slot));
    m_state->ask(Work::checksum, {.slot = m_state->slot(slot), .at = from, .count = bytes});
    return {};
}

Status SupportKernels::count_other_bytes(cuda::Address from, std::uint8_t value,
                                         std::uint64_t bytes, std::size_t slot) {
    ATOLL_TRY(check_slot(slot));
    if (bytes > 0) {
        m_state->ask(Work::count_other_bytes, {.slot = m_state->slot(slot),
                                               .at = from,
                                               .count = bytes,
                                               .value = std::uint32_t{value}});
    }
    return {};
}

Status SupportKernels::compare(DType dtype, cuda::Address out, cuda::Address want,
                               std::int64_t count, const Tolerance& tolerance, std::size_t slot) {
    ATOLL_TRY(check_slot(slot));
    ATOLL_TRY(check_place("output on the device", dtype, out, count));
    ATOLL_TRY(check_place("expectation on the device", DType::f64, want, count));
    if (tolerance.atol_rms != 0) {
        return failure(ErrorCode::invalid_argument, "the tolerance is not resolved",
                       "output on the device", "add atol_rms times the rms to atol");
    }
    m_state->asked[slot] = {count, tolerance.matched_ratio};
    if (count == 0) {
        return {};
    }
    const double cap = tolerance.max_error_cap > 0 ? tolerance.max_error_cap
                                                   : std::numeric_limits<double>::infinity();
    m_state->ask(Work::compare, {.slot = m_state->slot(slot),
                                 .at = out,
                                 .other = want,
                                 .count = static_cast<std::uint64_t>(count),
                                 .absolute = tolerance.atol,
                                 .relative = tolerance.rtol,
                                 .cap = cap,
                                 .dtype = static_cast<int>(dtype)});
    return {};
}

Status SupportKernels::sum_squares(cuda::Address values, std::int64_t count, std::size_t slot) {
    ATOLL_TRY(check_slot(slot));
    ATOLL_TRY(check_place("values on the device", DType::f64, values, count));
    m_state->ask(
        Work::sum_squares,
        {.slot = m_state->slot(slot), .at = values, .count = static_cast<std::uint64_t>(count)});
    return {};
}

Status SupportKernels::run_asked(cuda::Stream stream) {
    for (const Work work :
         {Work::checksum, Work::count_other_bytes, Work::compare, Work::sum_squares}) {
        ATOLL_TRY(m_state->run(work, stream));
    }
    return {};
}

namespace {

Comparison comparison_of(const Slot& slot, std::int64_t count, double required_ratio) {
    Comparison result;
    result.non_finite = (slot.flags & k_non_finite) != 0;
    result.max_abs_error = std::bit_cast<double>(slot.max_abs);
    result.max_rel_error = std::bit_cast<double>(slot.max_rel);
    const auto whole = static_cast<double>(count);
    result.matched_ratio = count == 0 ? 1 : (whole - static_cast<double>(slot.failed)) / whole;
    result.passed = result.matched_ratio >= required_ratio && !result.non_finite &&
                    (slot.flags & k_over_cap) == 0;
    if (slot.first_bad != 0) {
        result.first_bad_index = static_cast<std::int64_t>(~slot.first_bad);
        result.got = slot.got;
        result.want = slot.want;
    }
    return result;
}

}  // namespace

Expected<std::vector<SupportKernels::Result>> SupportKernels::results(std::size_t count,
                                                                      cuda::Stream stream) {
    if (count == 0) {
        return std::vector<Result>{};
    }
    ATOLL_TRY(check_slot(count - 1));
    ATOLL_TRY(run_asked(stream));
    const auto& call = m_state->gpu->call();
    const DriverLibrary& driver = m_state->gpu->driver();
    std::vector<Slot> slots(count);
    const std::size_t bytes = count * sizeof(Slot);
    ATOLL_TRY(driver.check(call.copy_from_device(slots.data(), m_state->slot(0), bytes, stream),
                           "cuMemcpyDtoHAsync"));
    ATOLL_TRY(
        driver.check(call.memset_bytes(m_state->slot(0), 0, bytes, stream), "cuMemsetD8Async"));
    ATOLL_TRY(driver.check(call.stream_synchronize(stream), "cuStreamSynchronize"));
    std::vector<Result> results(count);
    for (std::size_t i = 0; i < count; ++i) {
        results[i].number = slots[i].number;
        results[i].sum = slots[i].sum;
        results[i].unwritten = slots[i].unwritten;
        const State::Asked asked = std::exchange(m_state->asked[i], State::Asked{});
        if (asked.count >= 0) {
            results[i].comparison = comparison_of(slots[i], asked.count, asked.matched_ratio);
        }
    }
    return results;
}

Status SupportKernels::flush_l2(cuda::Stream stream) const {
    ATOLL_TRY(m_state->allocate_flush());
    return fill_bytes(m_state->flush->begin(), 0, m_state->flush_bytes, stream);
}

Status SupportKernels::anchor(cuda::Stream stream) const {
    constexpr unsigned k_warp = 32;
    return m_state->launch(m_state->anchor, "atoll_anchor", {1, 1}, k_warp, stream,
                           m_state->sums.begin(), k_anchor_steps);
}

}  // namespace atl
