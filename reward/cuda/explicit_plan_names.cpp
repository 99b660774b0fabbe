#include "reward/cuda/explicit_plan_names.hpp"

#include "reward/base/settings.hpp"
#include "reward/expression.hpp"
#include "reward/inputs.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <limits>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;
using Buffer = PlanAddress::Buffer;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t k_max_name_bytes = 64;

tl::unexpected<Error> bad(std::string what, std::string hint = {}) {
    return failure(ErrorCode::invalid_argument, std::move(what), {}, std::move(hint));
}

bool is_identifier(const std::string& name) {
    return !name.empty() && name.size() <= k_max_name_bytes &&
           std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return c < 128 && (std::isalnum(c) != 0 || c == '_');
           });
}

template <class T>
Bytes bytes_of(T value) {
    Bytes bytes(sizeof(value));
    std::memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
}

Bytes bytes_of(DType dtype, double value) {
    Bytes bytes(size_of(dtype));
    store_element(dtype, reinterpret_cast<std::byte*>(bytes.data()), 0, value);
    return bytes;
}

template <class T>
Expected<Bytes> checked(std::int64_t value) {
    // Of unsigned 64-bit numbers only those that expressions can have.
    if constexpr (sizeof(T) < sizeof(value)) {
        if (value < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
            value > static_cast<std::int64_t>(std::numeric_limits<T>::max())) {
            return bad(std::to_string(value) + " does not fit into the type");
        }
    } else if (std::is_unsigned_v<T> && value < 0) {
        return bad(std::to_string(value) + " does not fit into the type");
    }
    return bytes_of(static_cast<T>(value));
}

std::optional<DType> real_type(const std::string& name) {
    if (name == "f64") {
        return DType::f64;
    }
    if (name == "f32") {
        return DType::f32;
    }
    if (name == "f16") {
        return DType::f16;
    }
    return name == "bf16" ? std::optional(DType::bf16) : std::nullopt;
}

}  // namespace

Expected<ExplicitPlanNames> ExplicitPlanNames::of(const Task& task, const Workload& workload) {
    ExplicitPlanNames names;
    ATOLL_TRY_ASSIGN(names.m_axes, bind_axes(task, workload));
    const auto add = [&](const TensorSpec& tensor, Buffer buffer,
                         std::vector<std::uint64_t>& sizes) -> Status {
        ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(tensor, names.m_axes));
        names.m_buffers[tensor.name] = {buffer, static_cast<std::uint32_t>(sizes.size()), 0};
        sizes.push_back(static_cast<std::uint64_t>(count) * size_of(tensor.dtype));
        return {};
    };
    for (const TensorSpec& input : task.inputs) {
        if (!input.scalar) {
            ATOLL_TRY(add(input, Buffer::input, names.m_input_bytes));
            continue;
        }
        const auto value = workload.scalars.find(input.name);
        if (value == workload.scalars.end()) {
            return failure(ErrorCode::invalid_argument, "scalar input has no value",
                           task.name + "/" + workload.id + "/" + input.name);
        }
        names.m_scalars[input.name] = {input.dtype, value->second};
    }
    for (const TensorSpec& output : task.outputs) {
        ATOLL_TRY(add(output, Buffer::output, names.m_output_bytes));
    }
    return names;
}

Status ExplicitPlanNames::claim(const std::string& name) {
    if (!is_identifier(name)) {
        return bad("a name must be an identifier of at most 64 characters");
    }
    if (m_buffers.contains(name) || m_maps.contains(name) || m_scalars.contains(name) ||
        m_axes.contains(name)) {
        return bad("the name '" + name + "' is taken");
    }
    return {};
}

Status ExplicitPlanNames::add_scratch(const std::string& name) {
    ATOLL_TRY(claim(name));
    m_buffers[name] = {Buffer::scratch, m_scratch++, 0};
    return {};
}

Status ExplicitPlanNames::add_map(const std::string& name) {
    ATOLL_TRY(claim(name));
    const auto number = static_cast<std::uint32_t>(m_maps.size());
    m_maps[name] = number;
    return {};
}

std::optional<PlanAddress> ExplicitPlanNames::buffer(const std::string& name) const {
    const auto found = m_buffers.find(name);
    return found == m_buffers.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint32_t> ExplicitPlanNames::map(const std::string& name) const {
    const auto found = m_maps.find(name);
    return found == m_maps.end() ? std::nullopt : std::optional(found->second);
}

Expected<Bytes> ExplicitPlanNames::value_of(const std::string& name) const {
    if (const auto scalar = m_scalars.find(name); scalar != m_scalars.end()) {
        return bytes_of(scalar->second.dtype, scalar->second.value);
    }
    if (const auto axis = m_axes.find(name); axis != m_axes.end()) {
        return checked<std::int32_t>(axis->second);
    }
    return bad("'" + name.substr(0, 80) + "' is no tensor, scalar, axis, scratch or map",
               nearest(name));
}

Expected<Bytes> ExplicitPlanNames::typed_value(const std::string& type, const Json& value) const {
    if (const std::optional<DType> real = real_type(type)) {
        if (value.is_number()) {
            return bytes_of(*real, value.get<double>());
        }
        if (!value.is_string()) {
            return bad("a number or an expression is needed here");
        }
        ATOLL_TRY_ASSIGN(const double number,
                         evaluate_expression(value.get<std::string>(), m_axes));
        return bytes_of(*real, number);
    }
    ATOLL_TRY_ASSIGN(const std::int64_t number, integer(value));
    if (type == "i32") {
        return checked<std::int32_t>(number);
    }
    if (type == "u32") {
        return checked<std::uint32_t>(number);
    }
    if (type == "i64") {
        return checked<std::int64_t>(number);
    }
    if (type == "u64") {
        return checked<std::uint64_t>(number);
    }
    return bad("no type of an argument: '" + type.substr(0, 40) + "'",
               "use i32, u32, i64, u64, f16, bf16, f32, f64, or \"at\" for a pointer");
}

Expected<std::int64_t> ExplicitPlanNames::integer(const Json& value) const {
    if (value.is_string()) {
        return evaluate_integer_expression(value.get<std::string>(), m_axes);
    }
    const bool too_large = value.is_number_unsigned() &&
                           value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    if (!value.is_number_integer() || too_large) {
        return bad("an integer or an expression over the axes is needed here");
    }
    return value.get<std::int64_t>();
}

std::string ExplicitPlanNames::nearest(const std::string& name) const {
    std::vector<std::string> known;
    const auto add = [&](const auto& named) {
        for (const auto& [one, what] : named) {
            known.push_back(one);
        }
    };
    add(m_buffers);
    add(m_maps);
    add(m_scalars);
    add(m_axes);
    const std::string found = nearest_word(name.substr(0, k_max_name_bytes), known);
    return found.empty() ? "" : "did you mean '" + found + "'?";
}

}  // namespace atl
