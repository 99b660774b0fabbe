#include "search/min_hash.hpp"

#include "reward/base/hash.hpp"
#include "reward/source_text.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace atl {

namespace {

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
constexpr std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/// Hash functions of the kind x -> a x + b modulo 2^64, a odd.
struct HashFamily {
    std::array<std::uint64_t, k_sketch_values> a{};
    std::array<std::uint64_t, k_sketch_values> b{};

    constexpr HashFamily() {
        for (std::size_t i = 0; i < k_sketch_values; ++i) {
            a[i] = mixed(2 * i) | 1;
            b[i] = mixed(2 * i + 1);
        }
    }
};
constexpr HashFamily k_family;

std::vector<std::string_view> tokens_of(std::string_view text) {
    std::vector<std::string_view> tokens;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
        if (end > at) {
            tokens.push_back(text.substr(at, end - at));
        }
        at = end + 1;
    }
    return tokens;
}

/// Each distinct shingle once.
std::vector<std::uint64_t> shingles_of(std::string_view source) {
    const std::string text = normalised_tokens(source);
    const std::vector<std::string_view> tokens = tokens_of(text);
    const std::size_t length = std::clamp<std::size_t>(tokens.size(), 1, k_shingle_tokens);
    std::vector<std::uint64_t> shingles;
    for (std::size_t i = 0; i + length <= std::max<std::size_t>(tokens.size(), 1); ++i) {
        std::uint64_t hash = 0;
        for (std::size_t j = i; j < std::min(i + length, tokens.size()); ++j) {
            hash = checksum64(tokens[j].data(), tokens[j].size(), hash);
        }
        shingles.push_back(mixed(hash));
    }
    std::sort(shingles.begin(), shingles.end());
    shingles.erase(std::unique(shingles.begin(), shingles.end()), shingles.end());
    return shingles;
}

}  // namespace

Sketch sketch_of(std::string_view source) {
    std::array<std::uint64_t, k_sketch_values> least{};
    least.fill(std::numeric_limits<std::uint64_t>::max());
    for (const std::uint64_t shingle : shingles_of(source)) {
        for (std::size_t i = 0; i < k_sketch_values; ++i) {
            least[i] = std::min(least[i], k_family.a[i] * shingle + k_family.b[i]);
        }
    }
    Sketch sketch{};
    for (std::size_t i = 0; i < k_sketch_values; ++i) {
        // The upper bits of a least value are mostly zero: mix before taking 16 of them.
        sketch[i] = static_cast<std::uint16_t>(mixed(least[i]));
    }
    return sketch;
}

std::size_t agreements(const Sketch& a, const Sketch& b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < k_sketch_values; ++i) {
        count += a[i] == b[i] ? 1 : 0;
    }
    return count;
}

double similarity(const Sketch& a, const Sketch& b) {
    return static_cast<double>(agreements(a, b)) / static_cast<double>(k_sketch_values);
}

}  // namespace atl
