#include "reward/cuda/plan_check_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace atl {

namespace {

constexpr std::uint64_t k_local_share = 4;  ///< of the device's memory

/// One plan and what it is checked against.
class PlanCheck {
  public:
    PlanCheck(const Plan& plan, const DeviceLimits& limits,
              const std::span<const KernelFacts>* kernels)
        : m_plan(plan), m_spot{plan}, m_limits(limits), m_know_kernels(kernels != nullptr) {
        for (const PlanKernelSettings& one : plan.settings) {
            m_settings[one.kernel] = &one;
        }
        for (std::size_t i = 0; kernels != nullptr && i < kernels->size(); ++i) {
            m_kernels[(*kernels)[i].name] = &(*kernels)[i];
        }
    }

    [[nodiscard]] Status check();

  private:
    [[nodiscard]] Status check_settings() const;
    [[nodiscard]] Status check_maps();
    [[nodiscard]] Status check_step(const PlanLaunch& launch);
    [[nodiscard]] Status check_step(const PlanMemset& memset);
    [[nodiscard]] Status check_step(const PlanCopy& copy);
    [[nodiscard]] Status check_step(const PlanWrite& write);

    [[nodiscard]] Status check_shape(const PlanLaunch& launch) const;
    [[nodiscard]] Status check_cluster(const PlanLaunch& launch) const;
    [[nodiscard]] Status check_shared(const PlanLaunch& launch) const;
    [[nodiscard]] Status check_arguments(const PlanLaunch& launch) const;
    [[nodiscard]] Status check_kernel(const PlanLaunch& launch) const;
    [[nodiscard]] Status check_parameters(const PlanLaunch& launch, const KernelFacts& facts) const;

    [[nodiscard]] const KernelFacts* facts_of(const std::string& kernel) const {
        const auto found = m_kernels.find(kernel);
        return found == m_kernels.end() ? nullptr : found->second;
    }
    [[nodiscard]] tl::unexpected<Error> bad(std::string what) const {
        return plan_fault(m_spot, std::move(what));
    }

    const Plan& m_plan;
    PlanSpot m_spot;
    const DeviceLimits& m_limits;
    const bool m_know_kernels;
    std::map<std::string, const KernelFacts*, std::less<>> m_kernels;
    std::map<std::string, const PlanKernelSettings*, std::less<>> m_settings;
};

Status PlanCheck::check() {
    if (m_plan.steps.size() > k_max_plan_steps) {
        return bad(fmt::format("has {} steps, at most {} are carried out", m_plan.steps.size(),
                               k_max_plan_steps));
    }
    ATOLL_TRY(check_plan_memory(m_spot, m_limits));
    ATOLL_TRY(check_settings());
    ATOLL_TRY(check_maps());
    for (std::size_t i = 0; i < m_plan.steps.size(); ++i) {
        const PlanStep& step = m_plan.steps[i];
        m_spot.where = step.line > 0 ? fmt::format("step {} (line {})", i + 1, step.line)
                                     : fmt::format("step {}", i + 1);
        ATOLL_TRY(std::visit([&](const auto& what) { return check_step(what); }, step.what));
    }
    return {};
}

Status PlanCheck::check_settings() const {
    for (const PlanKernelSettings& one : m_plan.settings) {
        const KernelFacts* facts = facts_of(one.kernel);
        const std::uint64_t own = facts != nullptr ? facts->static_shared_bytes : 0;
        if (one.max_dynamic_shared > m_limits.shared_per_block_optin ||
            own + one.max_dynamic_shared > m_limits.shared_per_block_optin) {
            return bad(fmt::format(
                "kernel {} asks for {} bytes of dynamic shared memory beside {} static ones; a "
                "block can have {}",
                one.kernel, one.max_dynamic_shared, own, m_limits.shared_per_block_optin));
        }
        if (m_know_kernels && facts == nullptr) {
            return bad(fmt::format("kernel {} is not in the compiled code", one.kernel));
        }
    }
    return {};
}

Status PlanCheck::check_maps() {
    if (m_plan.tensor_maps.size() > k_max_plan_tensor_maps) {
        return bad("has too many tensor maps");
    }
    for (std::size_t i = 0; i < m_plan.tensor_maps.size(); ++i) {
        m_spot.where = fmt::format("tensor map {}", i);
        ATOLL_TRY(check_plan_map(m_spot, m_limits, m_plan.tensor_maps[i]));
    }
    return {};
}

Status PlanCheck::check_shape(const PlanLaunch& launch) const {
    std::uint64_t threads = 1;
    for (std::size_t i = 0; i < 3; ++i) {
        const char axis = "xyz"[i];
        if (launch.grid[i] == 0 || launch.grid[i] > m_limits.grid[i]) {
            return bad(fmt::format("kernel {}: grid.{} is {}, must be 1 to {}", launch.kernel, axis,
                                   launch.grid[i], m_limits.grid[i]));
        }
        if (launch.block[i] == 0 || launch.block[i] > m_limits.block[i]) {
            return bad(fmt::format("kernel {}: block.{} is {}, must be 1 to {}", launch.kernel,
                                   axis, launch.block[i], m_limits.block[i]));
        }
        threads *= launch.block[i];  // each at most 1024
    }
    if (threads > m_limits.threads_per_block) {
        return bad(fmt::format("kernel {}: a block of {} threads, at most {}", launch.kernel,
                               threads, m_limits.threads_per_block));
    }
    if (launch.programmatic && m_limits.major < 9) {
        return bad(
            fmt::format("kernel {}: programmatic dependent launch needs compute capability "
                        "9.0, {} has {}.{}",
                        launch.kernel, m_limits.name, m_limits.major, m_limits.minor));
    }
    return {};
}

Status PlanCheck::check_cluster(const PlanLaunch& launch) const {
    if (launch.cluster == PlanDim{0, 0, 0}) {
        return {};
    }
    if (m_limits.cluster_blocks == 0) {
        return bad(fmt::format("kernel {}: clusters need compute capability 9.0, {} has {}.{}",
                               launch.kernel, m_limits.name, m_limits.major, m_limits.minor));
    }
    const auto settings = m_settings.find(launch.kernel);
    const bool optin = settings != m_settings.end() && settings->second->non_portable_cluster;
    const std::uint64_t most = optin ? m_limits.cluster_blocks_optin : m_limits.cluster_blocks;
    std::uint64_t blocks = 1;
    for (std::size_t i = 0; i < 3; ++i) {
        if (launch.cluster[i] == 0 || launch.grid[i] % launch.cluster[i] != 0) {
            return bad(fmt::format("kernel {}: grid.{} = {} is no multiple of cluster.{} = {}",
                                   launch.kernel, "xyz"[i], launch.grid[i], "xyz"[i],
                                   launch.cluster[i]));
        }
        blocks = std::min<std::uint64_t>(blocks, 1024) * launch.cluster[i];
    }
    if (blocks > most) {
        return bad(
            fmt::format("kernel {}: a cluster of {} blocks, at most {}{}", launch.kernel, blocks,
                        most, optin ? "" : " without the attribute NonPortableClusterSizeAllowed"));
    }
    return {};
}

Status PlanCheck::check_shared(const PlanLaunch& launch) const {
    const KernelFacts* facts = facts_of(launch.kernel);
    const std::uint64_t own = facts != nullptr ? facts->static_shared_bytes : 0;
    const auto settings = m_settings.find(launch.kernel);
    const std::uint64_t asked =
        settings == m_settings.end() ? 0 : settings->second->max_dynamic_shared;
    const bool plain = own + launch.shared_bytes <= m_limits.shared_per_block;
    if (!plain && launch.shared_bytes > asked) {
        return bad(fmt::format(
            "kernel {}: {} bytes of dynamic shared memory beside {} static ones; beyond {} in all, "
            "cudaFuncSetAttribute with cudaFuncAttributeMaxDynamicSharedMemorySize must ask first "
            "(at most {})",
            launch.kernel, launch.shared_bytes, own, m_limits.shared_per_block,
            m_limits.shared_per_block_optin));
    }
    return {};
}

Status PlanCheck::check_arguments(const PlanLaunch& launch) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
        bytes += launch.arguments[i].bytes.size();
        ATOLL_TRY(check_plan_data(m_spot, launch.arguments[i],
                                  fmt::format("kernel {}: argument {}", launch.kernel, i + 1)));
    }
    if (launch.arguments.size() > k_max_plan_arguments || bytes > m_limits.parameter_bytes) {
        return bad(fmt::format("kernel {}: {} bytes of arguments, at most {}", launch.kernel, bytes,
                               m_limits.parameter_bytes));
    }
    return {};
}

Status PlanCheck::check_parameters(const PlanLaunch& launch, const KernelFacts& facts) const {
    if (facts.parameters.size() != launch.arguments.size()) {
        return bad(fmt::format("kernel {}: {} arguments for {} parameters", launch.kernel,
                               launch.arguments.size(), facts.parameters.size()));
    }
    for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
        if (launch.arguments[i].bytes.size() != facts.parameters[i].size) {
            return bad(fmt::format(
                "kernel {}: argument {} has {} bytes on the host and {} on the device",
                launch.kernel, i + 1, launch.arguments[i].bytes.size(), facts.parameters[i].size));
        }
    }
    return {};
}

Status PlanCheck::check_kernel(const PlanLaunch& launch) const {
    const KernelFacts* facts = facts_of(launch.kernel);
    if (facts == nullptr) {
        return bad(fmt::format("kernel {} is not in the compiled code", launch.kernel));
    }
    ATOLL_TRY(check_parameters(launch, *facts));
    const std::uint64_t threads =
        std::uint64_t{launch.block[0]} * launch.block[1] * launch.block[2];
    if (facts->max_threads > 0 && threads > facts->max_threads) {
        return bad(fmt::format("kernel {}: a block of {} threads, __launch_bounds__ says {}",
                               launch.kernel, threads, facts->max_threads));
    }
    const std::uint64_t local = local_memory_of(m_limits, *facts);
    if (m_limits.memory_bytes > 0 && local > m_limits.memory_bytes / k_local_share) {
        return bad(fmt::format(
            "kernel {}: {} bytes of local memory a thread (arrays, spilled "
            "registers) take {} bytes on this device; at most {} are allowed",
            launch.kernel, facts->local_bytes, local, m_limits.memory_bytes / k_local_share));
    }
    const std::uint64_t fit = blocks_that_fit(m_limits, *facts, threads, launch.shared_bytes);
    if (fit == 0) {
        return bad(
            fmt::format("kernel {}: a block of {} threads with {} registers each and {} "
                        "bytes of shared memory does not fit on a multiprocessor",
                        launch.kernel, threads, facts->registers,
                        facts->static_shared_bytes + launch.shared_bytes));
    }
    // Multiplied one by one: grids may have 2^63 blocks.
    const std::uint64_t room = fit * m_limits.multiprocessors;
    std::uint64_t blocks = 1;
    for (const std::uint32_t extent : launch.grid) {
        blocks = std::min(blocks, room + 1) * extent;
    }
    if (launch.cooperative && blocks > room) {
        return bad(fmt::format(
            "kernel {}: a cooperative launch of {}x{}x{} blocks, {} fit on the device at once",
            launch.kernel, launch.grid[0], launch.grid[1], launch.grid[2], room));
    }
    return {};
}

Status PlanCheck::check_step(const PlanLaunch& launch) {
    ATOLL_TRY(check_shape(launch));
    ATOLL_TRY(check_cluster(launch));
    ATOLL_TRY(check_shared(launch));
    ATOLL_TRY(check_arguments(launch));
    return m_know_kernels ? check_kernel(launch) : Status{};
}

Status PlanCheck::check_step(const PlanMemset& memset) {
    return check_plan_target(m_spot, memset.to, memset.bytes);
}

Status PlanCheck::check_step(const PlanCopy& copy) {
    ATOLL_TRY(check_plan_range(m_spot, copy.from, copy.bytes));
    ATOLL_TRY(check_plan_target(m_spot, copy.to, copy.bytes));
    const bool same = copy.from.buffer == copy.to.buffer && copy.from.index == copy.to.index;
    if (same && copy.from.offset < copy.to.offset + copy.bytes &&
        copy.to.offset < copy.from.offset + copy.bytes) {
        return bad("copies between places that overlap");
    }
    return {};
}

Status PlanCheck::check_step(const PlanWrite& write) {
    ATOLL_TRY(check_plan_target(m_spot, write.to, write.data.bytes.size()));
    return check_plan_data(m_spot, write.data, "what is written");
}

}  // namespace

Status check_plan(const Plan& plan, const DeviceLimits& limits) {
    return PlanCheck(plan, limits, nullptr).check();
}

Status check_plan(const Plan& plan, const DeviceLimits& limits,
                  std::span<const KernelFacts> kernels) {
    return PlanCheck(plan, limits, &kernels).check();
}

}  // namespace atl
