#include "reward/verifier/cache_flush.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace atl {

namespace {

constexpr std::size_t k_line = 64;
[[maybe_unused]] constexpr std::uint64_t k_assumed_cache_bytes = 32ull << 20;  // not on x86-64

#if defined(__x86_64__)
bool has_clflushopt() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_CLFLUSHOPT) != 0;
}

[[gnu::target("clflushopt")]] void flush_optimised(std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += k_line) {
        _mm_clflushopt(const_cast<std::byte*>(bytes.data() + i));
    }
}

void flush_plain(std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += k_line) {
        _mm_clflush(bytes.data() + i);
    }
}

void wait_for_flushes() {
    _mm_mfence();
}

// REQUIRE whole, aligned cache lines at `to`.
void stream_lines(std::byte* to, std::size_t size, std::byte value) {
    const __m128i wide = _mm_set1_epi8(static_cast<char>(value));
    for (std::size_t i = 0; i < size; i += sizeof(wide)) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), wide);
    }
}

void stream_lines(std::byte* to, const std::byte* from, std::size_t size) {
    for (std::size_t i = 0; i < size; i += sizeof(__m128i)) {
        _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                         _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
    }
}
#else
bool has_clflushopt() {
    return false;
}
void flush_optimised(std::span<const std::byte>) {}
void flush_plain(std::span<const std::byte>) {}
void wait_for_flushes() {}
void stream_lines(std::byte* to, std::size_t size, std::byte value) {
    std::memset(to, static_cast<int>(value), size);
}
void stream_lines(std::byte* to, const std::byte* from, std::size_t size) {
    std::memcpy(to, from, size);
}
#endif

}  // namespace

CacheFlusher::CacheFlusher(std::uint64_t cache_bytes) {
#if defined(__x86_64__)
    static_cast<void>(cache_bytes);
    m_method = has_clflushopt() ? Method::flush_optimised : Method::flush_plain;
#else
    m_method = Method::evict;
    m_eviction.resize(2 * (cache_bytes == 0 ? k_assumed_cache_bytes : cache_bytes), std::byte{1});
#endif
}

void CacheFlusher::flush(std::span<const std::byte> bytes) const {
    if (m_method == Method::flush_optimised) {
        flush_optimised(bytes);
    } else if (m_method == Method::flush_plain) {
        flush_plain(bytes);
    }
}

/// `lines(begin, size)` writes whole cache lines past the caches, `rest(begin, size)` what is left
/// at both ends.
template <class Lines, class Rest>
void CacheFlusher::write(std::span<std::byte> bytes, Lines lines, Rest rest) const {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    const std::size_t head =
        std::min<std::size_t>((k_line - address % k_line) % k_line, bytes.size());
    const std::size_t whole = (bytes.size() - head) / k_line * k_line;
    lines(head, whole);
    for (const auto& [begin, size] :
         {std::pair{std::size_t{0}, head}, std::pair{head + whole, bytes.size() - head - whole}}) {
        if (size > 0) {
            rest(begin, size);
            flush(bytes.subspan(begin, size));
        }
    }
}

void CacheFlusher::fill(std::span<std::byte> bytes, std::byte value) const {
    write(
        bytes,
        [&](std::size_t begin, std::size_t size) {
            stream_lines(bytes.data() + begin, size, value);
        },
        [&](std::size_t begin, std::size_t size) {
            std::memset(bytes.data() + begin, static_cast<int>(value), size);
        });
}

void CacheFlusher::copy(std::span<std::byte> to, std::span<const std::byte> from) const {
    write(
        to,
        [&](std::size_t begin, std::size_t size) {
            stream_lines(to.data() + begin, from.data() + begin, size);
        },
        [&](std::size_t begin, std::size_t size) {
            std::memcpy(to.data() + begin, from.data() + begin, size);
        });
}

void CacheFlusher::finish() {
    wait_for_flushes();
    for (std::size_t i = 0; i < m_eviction.size(); i += k_line) {
        m_eviction[i] = static_cast<std::byte>(static_cast<unsigned>(m_eviction[i]) + 1);
    }
}

}  // namespace atl
