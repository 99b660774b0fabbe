#include "reward/verifier/shuffle.hpp"

#include "reward/input_sets.hpp"
#include "reward/sparse_rows.hpp"

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

ShuffledInputs::ShuffledInputs(CounterRng& rng, const TaskLayout& layout, std::size_t workload,
                               const InputSet& donor)
    : m_layout(layout), m_donor(donor) {
    const Task& task = layout.task();
    for (const SparsePair& pair : sparse_pairs(task)) {
        SparseRows rows =
            shuffled_rows(rng, {donor.tensors[pair.offsets], donor.tensors[pair.columns]},
                          task.inputs[pair.offsets].dtype, task.inputs[pair.columns].dtype);
        m_made[pair.offsets] = std::move(rows.offsets);
        m_made[pair.columns] = std::move(rows.columns);
    }
    for (std::size_t tensor = 0; tensor < layout.tensor_inputs(); ++tensor) {
        const std::uint64_t bytes = layout.workloads()[workload].bytes[tensor];
        m_chunks.push_back(m_made.contains(layout.input_position(tensor))
                               ? std::vector<Chunk>{{0, 0, bytes}}
                               : shuffled(rng, bytes, size_of(layout.tensor(tensor).dtype)));
    }
}

Contents ShuffledInputs::contents(std::size_t tensor) const {
    const std::size_t position = m_layout.input_position(tensor);
    const auto made = m_made.find(position);
    return {made == m_made.end() ? m_donor.tensors[position] : made->second, m_chunks[tensor]};
}

InputSet shuffle_inputs(CounterRng& rng, const TaskLayout& layout, std::size_t workload,
                        const InputSet& donor) {
    const ShuffledInputs inputs(rng, layout, workload, donor);
    InputSet made;
    made.scalars = donor.scalars;
    made.tensors.resize(donor.tensors.size());
    for (std::size_t tensor = 0; tensor < layout.tensor_inputs(); ++tensor) {
        const Contents contents = inputs.contents(tensor);
        std::vector<std::byte>& values = made.tensors[layout.input_position(tensor)];
        values.resize(layout.workloads()[workload].bytes[tensor]);
        for (const Chunk& chunk : contents.chunks) {
            std::memcpy(values.data() + chunk.to, contents.values.data() + chunk.from,
                        chunk.length);
        }
    }
    return made;
}

}  // namespace atl
