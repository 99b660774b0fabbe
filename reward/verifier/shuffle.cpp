#include "reward/verifier/shuffle.hpp"

#include <algorithm>
#include <cstring>

namespace atl {

namespace {

constexpr std::uint64_t k_line = 64;
constexpr std::uint64_t k_chunks_at_least = 16;
constexpr std::uint64_t k_mean_lines = 64;

}  // namespace

std::vector<Chunk> shuffled(CounterRng& rng, std::uint64_t bytes, std::size_t width) {
    const std::uint64_t lines = (bytes + k_line - 1) / k_line;
    const std::uint64_t mean =
        std::clamp<std::uint64_t>(lines / k_chunks_at_least, 1, k_mean_lines);
    std::vector<Chunk> chunks;
    chunks.reserve(lines / mean + 1);
    for (std::uint64_t to = 0; to < bytes;) {
        const std::uint64_t wanted = (1 + rng.below(2 * mean - 1)) * k_line;
        const std::uint64_t length = std::min(wanted, bytes - to);
        const std::uint64_t from = rng.below((bytes - length) / width + 1) * width;
        chunks.push_back({to, from, length});
        to += length;
    }
    return chunks;
}

InputSet shuffle_inputs(CounterRng& rng, const TaskLayout& layout, std::size_t workload,
                        const InputSet& donor) {
    InputSet made;
    made.scalars = donor.scalars;
    made.tensors.resize(donor.tensors.size());
    for (std::size_t tensor = 0; tensor < layout.tensor_inputs(); ++tensor) {
        const std::size_t i = layout.input_position(tensor);
        const std::uint64_t bytes = layout.workloads()[workload].bytes[tensor];
        made.tensors[i].resize(bytes);
        for (const Chunk& chunk : shuffled(rng, bytes, size_of(layout.tensor(tensor).dtype))) {
            std::memcpy(made.tensors[i].data() + chunk.to, donor.tensors[i].data() + chunk.from,
                        chunk.length);
        }
    }
    return made;
}

}  // namespace atl
