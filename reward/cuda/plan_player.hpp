#pragma once

#include "reward/cuda/gpu_memory.hpp"
#include "reward/cuda/plan.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// Whether the driver says by `result` that what was asked for cannot be: an image, a name, a
/// launch or an attribute. Of a candidate's requests it is the candidate's fault; every other
/// failure that is no fault of a kernel (is_kernel_fault()) is the machine's.
[[nodiscard]] bool is_refusal(cuda::Result result);

/// Where the tensors of one launch lie.
struct PlanTensors {
    std::vector<cuda::Address> inputs;   ///< one per Plan::inputs
    std::vector<cuda::Address> outputs;  ///< one per Plan::outputs
};

/// Machine code loaded on a device. What a candidate keeps in global variables of the device ends
/// with it. Used on the thread of its Gpu; kernels of it must be done before it ends.
class PlanModule {
  public:
    /// An error of code invalid_argument is the candidate's fault (is_refusal()), and one of code
    /// no_space where nobody else has the memory; the rest are ours.
    [[nodiscard]] static Expected<std::shared_ptr<const PlanModule>> load(const Gpu& gpu,
                                                                          std::string_view cubin);
    [[nodiscard]] cuda::Module handle() const { return m_module.get(); }

  private:
    struct UnloadModule {
        cuda::Result (*unload)(cuda::Module);
        void operator()(cuda::Module module) const { unload(module); }
    };
    using Loaded = std::unique_ptr<std::remove_pointer_t<cuda::Module>, UnloadModule>;
    explicit PlanModule(Loaded module) : m_module(std::move(module)) {}

    Loaded m_module;
};

/// The machine code of one candidate on a device, with the plan of one workload ready to be carried
/// out. Used on the thread of its Gpu; what it queued must be done before it ends. Movable.
class PlanPlayer {
  public:
    using Clock = std::chrono::steady_clock;

    /// Finds kernels and symbols, sets the kernels' attributes (which stay set in the module),
    /// takes scratch memory and fills it with 0xFF. REQUIRES that check_plan() passed for this
    /// device. An error of code invalid_argument is the candidate's fault (is_refusal() of the
    /// cubin or of an attribute), and one of code no_space (scratch memory or variables that do not
    /// fit) where nobody else has the memory; the rest are ours.
    [[nodiscard]] static Expected<PlanPlayer> load(const Gpu& gpu,
                                                   std::shared_ptr<const PlanModule> module,
                                                   const Plan& plan);
    /// The same on a load of the cubin of its own.
    [[nodiscard]] static Expected<PlanPlayer> load(const Gpu& gpu, std::string_view cubin,
                                                   const Plan& plan);

    /// Whether the driver's parameters of each kernel are those of the plan, which it copies from
    /// this process when it launches: for machine code that was not compiled here, and may tell the
    /// driver other things than it tells cubin_facts. Errors as of load(); unavailable where the
    /// driver cannot be asked (before 12.4).
    [[nodiscard]] Status check_parameters() const;

    /// Puts the addresses of `tensors` into all arguments. Cheap: of the driver's functions only
    /// the encoder of tensor maps is called, which works on the host. invalid_argument: it refuses
    /// one.
    [[nodiscard]] Status bind(const PlanTensors& tensors);

    /// Queues every step. REQUIRES bind(). The first result that is no success: of a launch that
    /// the driver refuses, or of a fault of something before it. Waits for nothing, but for the
    /// stream after every 500 steps, since it takes no more than some 1000: k_not_ready when it is
    /// not done by `deadline`.
    [[nodiscard]] cuda::Result play(cuda::Stream stream,
                                    Clock::time_point deadline = Clock::time_point::max());

    /// Queues filling the scratch memory as load() does, so that a launch finds nothing there of
    /// the one before.
    [[nodiscard]] Status clear_scratch(cuda::Stream stream) const;

    /// Which launch the last play() ended with: an index of Plan::steps.
    [[nodiscard]] std::uint64_t scratch_bytes() const { return m_scratch_bytes; }
    [[nodiscard]] std::size_t last_step() const { return m_last_step; }

  private:
    struct alignas(64) EncodedMap {
        std::array<std::uint8_t, k_tensor_map_bytes> bytes{};
    };
    /// One step with its bytes at addresses that stay.
    struct Ready {
        std::vector<std::vector<std::uint8_t>> data;  ///< arguments, or what is written
        std::vector<void*> parameters;
        std::vector<cuda::LaunchAttribute> attributes;
        cuda::LaunchConfig config;
        cuda::Function function = nullptr;
        cuda::Address to = 0;
        cuda::Address from = 0;
    };

    PlanPlayer(const Gpu& gpu, std::shared_ptr<const PlanModule> module, const Plan& plan)
        : m_gpu(&gpu), m_module(std::move(module)), m_plan(plan) {}
    [[nodiscard]] Status find_kernels();
    [[nodiscard]] Status find_symbols();
    [[nodiscard]] Status take_scratch();
    [[nodiscard]] Status apply_settings();
    void prepare_launches();
    [[nodiscard]] Status encode_maps(const PlanTensors& tensors);
    void put(const PlanData& data, const PlanTensors& tensors,
             std::vector<std::uint8_t>& bytes) const;
    [[nodiscard]] cuda::Address resolve(const PlanAddress& address,
                                        const PlanTensors& tensors) const;
    [[nodiscard]] cuda::Result play_step(std::size_t index, cuda::Stream stream);
    [[nodiscard]] cuda::Result wait(cuda::Stream stream, Clock::time_point deadline) const;

    const Gpu* m_gpu;
    std::shared_ptr<const PlanModule> m_module;
    Plan m_plan;
    std::map<std::string, cuda::Function> m_functions;
    std::vector<cuda::Address> m_symbols;
    std::optional<GpuBuffer> m_scratch;       ///< all of Plan::scratch; none: there is none
    std::vector<std::uint64_t> m_scratch_at;  ///< one per Plan::scratch, bytes from its begin
    std::uint64_t m_scratch_bytes = 0;
    std::vector<EncodedMap> m_maps;  ///< one per Plan::tensor_maps
    std::vector<Ready> m_ready;      ///< one per step
    std::size_t m_last_step = 0;
};

}  // namespace atl
