#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What the names in an explicit plan stand for in one workload: tensors, scalars and axes of the
/// task, and the scratch and tensor maps that the plan adds. Not thread-safe.
class ExplicitPlanNames {
  public:
    /// An error is the task's fault.
    [[nodiscard]] static Expected<ExplicitPlanNames> of(const Task& task, const Workload& workload);

    /// invalid_argument when the name is taken, or no identifier of at most 64 characters.
    [[nodiscard]] Status add_scratch(const std::string& name);
    [[nodiscard]] Status add_map(const std::string& name);

    /// The beginning of a tensor or scratch.
    [[nodiscard]] std::optional<PlanAddress> buffer(const std::string& name) const;
    /// The number of a tensor map.
    [[nodiscard]] std::optional<std::uint32_t> map(const std::string& name) const;
    /// A scalar input as its dtype, an axis as int: what launch() would get. invalid_argument for
    /// other names.
    [[nodiscard]] Expected<std::vector<std::uint8_t>> value_of(const std::string& name) const;
    /// "i32" and the like with a number or an expression, rounded to the type as the host would.
    [[nodiscard]] Expected<std::vector<std::uint8_t>> typed_value(
        const std::string& type, const nlohmann::ordered_json& value) const;
    /// An integer: a number, or an expression over the axes.
    [[nodiscard]] Expected<std::int64_t> integer(const nlohmann::ordered_json& value) const;

    [[nodiscard]] const std::vector<std::uint64_t>& input_bytes() const { return m_input_bytes; }
    [[nodiscard]] const std::vector<std::uint64_t>& output_bytes() const { return m_output_bytes; }
    /// "did you mean 'x'?", or nothing.
    [[nodiscard]] std::string nearest(const std::string& name) const;

  private:
    struct Scalar {
        DType dtype = DType::f32;
        double value = 0;
    };
    [[nodiscard]] Status claim(const std::string& name);

    std::map<std::string, std::int64_t> m_axes;
    std::map<std::string, Scalar> m_scalars;
    std::map<std::string, PlanAddress> m_buffers;
    std::map<std::string, std::uint32_t> m_maps;
    std::uint32_t m_scratch = 0;
    std::vector<std::uint64_t> m_input_bytes;  ///< of tensor inputs
    std::vector<std::uint64_t> m_output_bytes;
};

}  // namespace atl
