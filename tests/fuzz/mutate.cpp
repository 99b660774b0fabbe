#include "tests/fuzz/mutate.hpp"

#include "reward/base/hash.hpp"
#include "reward/base/rng.hpp"

#include <algorithm>
#include <array>

namespace atl::fuzz {

namespace {

constexpr std::uint64_t k_longest_piece = 64;

struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
};

Piece any_piece(const std::string& bytes, CounterRng& rng) {
    const std::size_t begin = rng.below(bytes.size());
    return {begin, std::min<std::size_t>(1 + rng.below(k_longest_piece), bytes.size() - begin)};
}

/// A number at the end of a range, of one to eight bytes.
std::string extreme_number(CounterRng& rng) {
    constexpr std::array<std::uint64_t, 8> k_numbers = {0,
                                                        1,
                                                        0x7fffffff,
                                                        0x80000000,
                                                        0xffffffff,
                                                        0x7fffffffffffffff,
                                                        0x8000000000000000,
                                                        0xffffffffffffffff};
    const std::uint64_t number = k_numbers[rng.below(k_numbers.size())];
    std::string bytes(reinterpret_cast<const char*>(&number), sizeof(number));
    return bytes.substr(0, std::size_t{1} << rng.below(4));
}

void edit(std::string& bytes, CounterRng& rng) {
    if (bytes.empty()) {
        bytes.push_back(static_cast<char>(rng.below(256)));
        return;
    }
    const Piece piece = any_piece(bytes, rng);
    switch (rng.below(7)) {
        case 0:
            bytes[piece.begin] = static_cast<char>(bytes[piece.begin] ^ (1 << rng.below(8)));
            return;
        case 1:
            bytes[piece.begin] = static_cast<char>(rng.below(256));
            return;
        case 2:
            bytes.erase(piece.begin, piece.size);
            return;
        case 3:
            bytes.insert(rng.below(bytes.size() + 1), bytes.substr(piece.begin, piece.size));
            return;
        case 4: {
            const std::string number = extreme_number(rng);
            bytes.replace(piece.begin, std::min(number.size(), piece.size), number);
            return;
        }
        case 5: {
            const std::string copy = bytes.substr(piece.begin, piece.size);
            const std::size_t to = rng.below(bytes.size());
            bytes.replace(to, std::min(copy.size(), bytes.size() - to), copy);
            return;
        }
        default:
            bytes.resize(piece.begin);
    }
}

}  // namespace

std::string mutated(std::string_view seed, std::uint64_t number) {
    CounterRng rng(checksum64(seed.data(), seed.size()), RngPurpose::input_values, number);
    std::string bytes(seed);
    for (std::uint64_t edits = 1 + rng.below(4); edits > 0; --edits) {
        edit(bytes, rng);
    }
    return bytes;
}

}  // namespace atl::fuzz
