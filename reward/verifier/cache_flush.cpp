#include "reward/verifier/cache_flush.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace atl {

namespace {

constexpr std::size_t k_line = 64;
constexpr std::uint64_t k_assumed_cache_bytes = 32ull << 20;

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
#else
bool has_clflushopt() {
    return false;
}
void flush_optimised(std::span<const std::byte>) {}
void flush_plain(std::span<const std::byte>) {}
void wait_for_flushes() {}
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

void CacheFlusher::finish() {
    wait_for_flushes();
    for (std::size_t i = 0; i < m_eviction.size(); i += k_line) {
        m_eviction[i] = static_cast<std::byte>(static_cast<unsigned>(m_eviction[i]) + 1);
    }
}

}  // namespace atl
