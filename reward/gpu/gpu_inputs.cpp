#include "reward/gpu/gpu_inputs.hpp"

#include "reward/input_sets.hpp"
#include "reward/inputs.hpp"
#include "reward/verifier/cases.hpp"

#include <algorithm>

namespace atl {

namespace {

const Distribution& distribution_of(const Task& task, std::size_t distribution) {
    static const Distribution none;
    return distribution < task.distributions.size() ? task.distributions[distribution] : none;
}

}  // namespace

bool GpuInputs::is_sparse(std::size_t tensor) const {
    return is_sparse_part(
        generator_for(distribution_of(m_layout->task(), 0), m_layout->tensor(tensor)));
}

Expected<InputGenerator> GpuInputs::generator(std::size_t workload, std::size_t distribution,
                                              std::size_t tensor) const {
    const TensorSpec& input = m_layout->tensor(tensor);
    return resolve_generator(generator_for(distribution_of(m_layout->task(), distribution), input),
                             input.dtype, m_layout->workloads()[workload].axes);
}

Status GpuInputs::make_donor(std::size_t workload, cuda::Stream stream) {
    const BoundWorkload& bound = m_layout->workloads()[workload];
    const Task& task = m_layout->task();
    ATOLL_TRY_ASSIGN(
        const InputSet inputs,
        make_input_set(task, *bound.workload, distribution_of(task, 0), bound.axes, secret_seed()));
    for (std::size_t i = 0; i < m_layout->tensor_inputs(); ++i) {
        if (!is_sparse(i)) {
            continue;
        }
        const auto& values = inputs.tensors[m_layout->input_position(i)];
        ATOLL_TRY_ASSIGN(const std::uint32_t buffer, m_shared->add(values.size()));
        ATOLL_TRY_ASSIGN(GpuBuffer original,
                         GpuBuffer::allocate(*m_gpu, std::max<std::size_t>(values.size(), 1)));
        if (!values.empty()) {
            ATOLL_TRY(
                m_gpu->driver().check(m_gpu->call().copy_to_device(original.begin(), values.data(),
                                                                   values.size(), stream),
                                      "cuMemcpyHtoDAsync"));
            ATOLL_TRY(m_gpu->driver().check(m_gpu->call().stream_synchronize(stream),
                                            "cuStreamSynchronize"));
        }
        m_donors_of[{workload, i}].push_back(m_donors.size());
        m_donors.push_back({buffer, values.size(), std::move(original)});
    }
    return {};
}

Status GpuInputs::make_donors(cuda::Stream stream) {
    for (std::size_t w = 0; w < m_layout->workloads().size(); ++w) {
        bool any = false;
        for (std::size_t i = 0; i < m_layout->tensor_inputs(); ++i) {
            any = any || is_sparse(i);
        }
        for (std::uint32_t d = 0; any && d < k_donors; ++d) {
            ATOLL_TRY(make_donor(w, stream));
        }
    }
    return restore(stream);
}

Status GpuInputs::restore(cuda::Stream stream) const {
    const auto& call = m_gpu->call();
    for (const Donor& donor : m_donors) {
        const cuda::Address copy = m_shared->address({donor.buffer, 0});
        ATOLL_TRY(m_gpu->driver().check(
            call.memset_bytes(copy, 0, m_shared->bytes(donor.buffer), stream), "cuMemsetD8Async"));
        if (donor.bytes > 0) {
            ATOLL_TRY(m_gpu->driver().check(
                call.copy_on_device(copy, donor.original.begin(), donor.bytes, stream),
                "cuMemcpyDtoDAsync"));
        }
    }
    return {};
}

Status GpuInputs::fill(std::size_t workload, std::size_t distribution, std::uint64_t seed,
                       std::span<const cuda::Address> tensors, cuda::Stream stream) const {
    const BoundWorkload& bound = m_layout->workloads()[workload];
    for (std::size_t i = 0; i < m_layout->tensor_inputs(); ++i) {
        if (bound.bytes[i] == 0) {
            continue;
        }
        if (const auto donors = m_donors_of.find({workload, i}); donors != m_donors_of.end()) {
            const Donor& donor = m_donors[donors->second[donor_of(seed)]];
            ATOLL_TRY(m_gpu->driver().check(
                m_gpu->call().copy_on_device(tensors[i], donor.original.begin(), bound.bytes[i],
                                             stream),
                "cuMemcpyDtoDAsync"));
            continue;
        }
        ATOLL_TRY_ASSIGN(const InputGenerator how, generator(workload, distribution, i));
        ATOLL_TRY(m_kernels->fill(how, m_layout->tensor(i).dtype, seed,
                                  static_cast<std::uint32_t>(m_layout->input_position(i)),
                                  bound.counts[i], tensors[i], stream));
    }
    return {};
}

Expected<std::vector<GpuRefill>> GpuInputs::refills(std::size_t workload,
                                                    std::size_t distribution) const {
    const BoundWorkload& bound = m_layout->workloads()[workload];
    std::vector<GpuRefill> refills;
    for (std::size_t i = 0; i < m_layout->tensor_inputs(); ++i) {
        if (bound.bytes[i] == 0) {
            continue;
        }
        GpuRefill refill;
        refill.tensor = static_cast<std::uint32_t>(i);
        refill.dtype = m_layout->tensor(i).dtype;
        refill.stream = static_cast<std::uint32_t>(m_layout->input_position(i));
        refill.count = bound.counts[i];
        if (const auto donors = m_donors_of.find({workload, i}); donors != m_donors_of.end()) {
            refill.generator.kind = "copy";
            for (const std::size_t donor : donors->second) {
                refill.donors.push_back({m_donors[donor].buffer, 0});
            }
        } else {
            ATOLL_TRY_ASSIGN(refill.generator, generator(workload, distribution, i));
        }
        refills.push_back(std::move(refill));
    }
    return refills;
}

bool GpuInputs::has_donors(std::size_t workload) const {
    const auto first = m_donors_of.lower_bound({workload, 0});
    return first != m_donors_of.end() && first->first.first == workload;
}

std::uint64_t GpuInputs::device_bytes() const {
    std::uint64_t bytes = 0;
    for (const Donor& donor : m_donors) {
        bytes += donor.bytes;
    }
    return bytes;
}

}  // namespace atl
