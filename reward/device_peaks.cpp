#include "reward/device_peaks.hpp"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

namespace atl {

namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
    return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

constexpr std::uint64_t k_flop_rounds = 200'000;
constexpr int k_probe_bursts = 16;

/// Each kernel runs `rounds` rounds of independent multiply-adds and returns the operations done.
/// The asm barriers keep the compiler from folding the chains; nothing is stored.
double portable_flops(std::uint64_t rounds) {
    using Vector [[gnu::vector_size(16)]] = float;
    Vector chains[8] = {};
    const Vector factor = {0.5F, 0.5F, 0.5F, 0.5F};
    for (std::uint64_t round = 0; round < rounds; ++round) {
        for (Vector& chain : chains) {
            chain = chain * factor + factor;
            asm volatile("" : "+x"(chain));
        }
    }
    return static_cast<double>(rounds) * 8 * 4 * 2;
}

/// Twelve chains hide a latency of 4 cycles at 2 (or 3) operations a cycle.
#define ATOLL_TWELVE(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)

[[gnu::target("avx2,fma")]] double avx2_flops(std::uint64_t rounds) {
    const __m256 factor = _mm256_set1_ps(0.5F);
#define ATOLL_DECLARE(i) __m256 chain##i = _mm256_set1_ps(static_cast<float>(i));
#define ATOLL_STEP(i)                                     \
    chain##i = _mm256_fmadd_ps(chain##i, factor, factor); \
    asm volatile("" : "+x"(chain##i));
    ATOLL_TWELVE(ATOLL_DECLARE)
    for (std::uint64_t round = 0; round < rounds; ++round) {
        ATOLL_TWELVE(ATOLL_STEP)
    }
#undef ATOLL_DECLARE
#undef ATOLL_STEP
    return static_cast<double>(rounds) * 12 * 8 * 2;
}

[[gnu::target("avx512f")]] double avx512_flops(std::uint64_t rounds) {
    const __m512 factor = _mm512_set1_ps(0.5F);
#define ATOLL_DECLARE(i) __m512 chain##i = _mm512_set1_ps(static_cast<float>(i));
#define ATOLL_STEP(i)                                     \
    chain##i = _mm512_fmadd_ps(chain##i, factor, factor); \
    asm volatile("" : "+v"(chain##i));
    ATOLL_TWELVE(ATOLL_DECLARE)
    for (std::uint64_t round = 0; round < rounds; ++round) {
        ATOLL_TWELVE(ATOLL_STEP)
    }
#undef ATOLL_DECLARE
#undef ATOLL_STEP
    return static_cast<double>(rounds) * 12 * 16 * 2;
}

#undef ATOLL_TWELVE

/// Ways to move memory; each returns the bytes moved. What the fastest one reaches counts as the
/// peak: a core that follows several streams at once keeps more lines in flight than one that
/// follows a single stream. REQUIRES 64-byte alignment and a multiple of 64 * k_streams bytes.
constexpr std::size_t k_line = 64;

template <std::size_t k_streams>
double read_streams(std::byte* data, std::size_t bytes) {
    constexpr std::size_t k_ahead = 1024;
    const std::size_t part = bytes / k_streams;
    __m128i sums[4] = {};
    for (std::size_t at = 0; at < part; at += k_line) {
        for (std::size_t stream = 0; stream < k_streams; ++stream) {
            const std::byte* line = data + stream * part + at;
            __builtin_prefetch(line + k_ahead);
            for (std::size_t j = 0; j < 4; ++j) {
                sums[j] = _mm_xor_si128(
                    sums[j], _mm_load_si128(reinterpret_cast<const __m128i*>(line + 16 * j)));
            }
        }
    }
    for (__m128i& sum : sums) {
        asm volatile("" : "+x"(sum));
    }
    return static_cast<double>(bytes);
}

double fill_past_the_caches(std::byte* data, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; at += 16) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(data + at), _mm_setzero_si128());
    }
    _mm_sfence();
    return static_cast<double>(bytes);
}

double copy_past_the_caches(std::byte* data, std::size_t bytes) {
    const std::size_t half = bytes / 2;
    for (std::size_t at = 0; at < half; at += 16) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(data + half + at),
                         _mm_load_si128(reinterpret_cast<const __m128i*>(data + at)));
    }
    _mm_sfence();
    return static_cast<double>(bytes);
}

constexpr double (*k_movers[])(std::byte*, std::size_t) = {
    read_streams<1>,  read_streams<4>,      read_streams<8>,
    read_streams<16>, fill_past_the_caches, copy_past_the_caches,
};

double best_flops(DevicePeaks& peaks) {
    std::function<double(std::uint64_t)> kernel = portable_flops;
    peaks.vector_unit = "portable";
    if (__builtin_cpu_supports("avx512f")) {
        kernel = avx512_flops;
        peaks.vector_unit = "AVX-512";
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        kernel = avx2_flops;
        peaks.vector_unit = "AVX2 with FMA";
    }
    double best = 0;
    for (int repetition = 0; repetition < 60; ++repetition) {
        const auto start = SteadyClock::now();
        const double operations = kernel(k_flop_rounds);
        best = std::max(best, operations / seconds_since(start));
    }
    return best;
}

class AnonymousMemory {
  public:
    explicit AnonymousMemory(std::size_t bytes)
        : m_bytes(bytes),
          m_data(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (m_data != MAP_FAILED) {
            madvise(m_data, m_bytes, MADV_HUGEPAGE);
        }
    }
    ~AnonymousMemory() {
        if (m_data != MAP_FAILED) {
            munmap(m_data, m_bytes);
        }
    }
    AnonymousMemory(const AnonymousMemory&) = delete;
    AnonymousMemory& operator=(const AnonymousMemory&) = delete;

    [[nodiscard]] bool ok() const { return m_data != MAP_FAILED; }
    [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(m_data); }

  private:
    std::size_t m_bytes;
    void* m_data;
};

std::optional<double> best_bandwidth(std::uint64_t last_level_bytes) {
    constexpr std::size_t k_least = 128u << 20;
    constexpr std::size_t k_most = 512u << 20;
    constexpr std::size_t k_piece = 4u << 20;
    const std::size_t bytes =
        std::clamp<std::size_t>(4 * static_cast<std::size_t>(last_level_bytes), k_least, k_most);
    const AnonymousMemory memory(bytes);
    if (!memory.ok()) {
        return std::nullopt;
    }
    std::memset(memory.data(), 1, bytes);
    // Timed in pieces shorter than a time slice, so that a busy machine does not look slow; the
    // buffer is walked in order, so a piece is out of every cache when its turn comes again.
    double best = 0;
    for (const auto move : k_movers) {
        for (std::size_t begin = 0; begin + k_piece <= bytes; begin += k_piece) {
            const auto start = SteadyClock::now();
            const double moved = move(memory.data() + begin, k_piece);
            best = std::max(best, moved / seconds_since(start));
        }
    }
    return best;
}

std::string read_word(const std::string& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

/// "32768K" -> 33554432; 0 when it is not of that form.
std::uint64_t parse_cache_size(const std::string& text) {
    std::uint64_t value = 0;
    std::size_t i = 0;
    for (; i < text.size() && i < 12 && text[i] >= '0' && text[i] <= '9'; ++i) {
        value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
    }
    const std::string unit = text.substr(i);
    return unit == "K" ? value << 10 : unit == "M" ? value << 20 : unit.empty() ? value : 0;
}

/// Size of the last-level cache that serves `core`; 0 when sysfs does not tell.
std::uint64_t cache_bytes(int core) {
    const std::string folder =
        "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cache/index";
    std::uint64_t size = 0;
    int last_level = 0;
    for (int index = 0; index < 16; ++index) {
        const std::string entry = folder + std::to_string(index);
        const std::string kind = read_word(entry + "/type");
        if (kind.empty()) {
            break;
        }
        const std::string level_text = read_word(entry + "/level");
        const int level = level_text.size() == 1 ? level_text[0] - '0' : 0;
        if (kind != "Instruction" && level >= last_level) {
            size = parse_cache_size(read_word(entry + "/size"));
            last_level = level;
        }
    }
    return size;
}

Status measure_here(int core, DevicePeaks& peaks) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(core), &cores);
    if (const int error = pthread_setaffinity_np(pthread_self(), sizeof(cores), &cores)) {
        return tl::unexpected(
            errno_error("pthread_setaffinity_np", "core " + std::to_string(core), error));
    }
    peaks.cache_bytes = cache_bytes(core);
    // In between, so that one moment of somebody else's work does not hide the core's best.
    CoreBestLearner learner;
    learner.take(k_probe_bursts);
    peaks.flops = best_flops(peaks);
    learner.take(k_probe_bursts);
    const auto bandwidth = best_bandwidth(peaks.cache_bytes);
    if (!bandwidth) {
        return failure(ErrorCode::no_space, "no memory to measure the memory bandwidth with",
                       "core " + std::to_string(core), "free 512 MiB");
    }
    peaks.bandwidth = *bandwidth;
    learner.take(k_probe_bursts);
    peaks.core = learner.best();
    return {};
}

}  // namespace

Expected<DevicePeaks> measure_device_peaks(int core) {
    if (core < 0 || core >= CPU_SETSIZE) {
        return failure(ErrorCode::invalid_argument, "there is no core " + std::to_string(core));
    }
    DevicePeaks peaks;
    Status status;
    // A thread of its own, so that the caller's affinity stays as it is.
    std::thread([&] { status = measure_here(core, peaks); }).join();
    if (!status) {
        return tl::unexpected(status.error());
    }
    return peaks;
}

}  // namespace atl
