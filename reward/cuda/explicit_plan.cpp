#include "reward/cuda/explicit_plan.hpp"

#include "reward/cuda/explicit_plan_names.hpp"
#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_portable_cluster_blocks = 8;
constexpr std::int64_t k_most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr auto k_most_bytes = static_cast<std::int64_t>(k_max_plan_buffer);

/// Goes through one plan; the first mistake is kept and ends it.
class Evaluation {
  public:
    explicit Evaluation(ExplicitPlanNames names) : m_names(std::move(names)) {}

    [[nodiscard]] Expected<Plan> run(const Json& json);

  private:
    using Step = decltype(PlanStep::what);

    void take_tensors();
    void take_scratch(JsonObject scratch);
    void take_map(JsonObject map, const std::string& name);
    [[nodiscard]] Step step(JsonObject& json);
    [[nodiscard]] PlanLaunch launch(JsonObject& json);
    [[nodiscard]] PlanData argument(JsonObject& launch, const Json& value, const std::string& key);
    [[nodiscard]] PlanData typed_argument(JsonObject object);
    [[nodiscard]] PlanData named_argument(JsonObject& launch, const std::string& key,
                                          const std::string& name);
    [[nodiscard]] PlanAddress place(JsonObject& object, const std::string& key);
    [[nodiscard]] PlanDim dims(JsonObject& object, const std::string& key, std::uint32_t otherwise);
    [[nodiscard]] std::int64_t number(JsonObject& object, const std::string& key, const Json& value,
                                      std::int64_t most);
    [[nodiscard]] std::int64_t number(JsonObject& object, const std::string& key,
                                      std::int64_t otherwise, std::int64_t most);
    template <std::size_t N>
    void numbers(JsonObject& object, const std::string& key, std::int64_t most,
                 std::array<std::uint64_t, N>& out, std::size_t count);
    void derive_settings();
    void fail(JsonObject& object, const std::string& key, const Error& error) {
        object.fail(key, error.message(), error.hint, error.code);
    }

    ExplicitPlanNames m_names;
    std::optional<Error> m_error;
    Plan m_plan;
    std::size_t m_data_bytes = 0;  ///< of all arguments so far
};

void Evaluation::take_tensors() {
    m_plan.inputs = m_names.input_bytes();
    m_plan.outputs = m_names.output_bytes();
}

std::int64_t Evaluation::number(JsonObject& object, const std::string& key, const Json& value,
                                std::int64_t most) {
    const Expected<std::int64_t> result = m_names.integer(value);
    if (!result) {
        fail(object, key, result.error());
        return 0;
    }
    if (*result < 0 || *result > most) {
        object.fail(key, std::to_string(*result) + " is out of range",
                    "from 0 to " + std::to_string(most), ErrorCode::limit);
        return 0;
    }
    return *result;
}

std::int64_t Evaluation::number(JsonObject& object, const std::string& key, std::int64_t otherwise,
                                std::int64_t most) {
    const Json& value = object.raw(key);
    return value.is_null() ? otherwise : number(object, key, value, most);
}

template <std::size_t N>
void Evaluation::numbers(JsonObject& object, const std::string& key, std::int64_t most,
                         std::array<std::uint64_t, N>& out, std::size_t count) {
    const Json& list = object.raw(key);
    if (!list.is_array() || list.size() != count || count > N) {
        object.fail(key, "a list of " + std::to_string(count) + " numbers is needed here");
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::uint64_t>(number(object, key, list[i], most));
    }
}

/// One number, or a list of one to three; missing ones are 1, or all are `otherwise`.
PlanDim Evaluation::dims(JsonObject& object, const std::string& key, std::uint32_t otherwise) {
    const Json& value = object.raw(key);
    if (value.is_null()) {
        return {otherwise, otherwise, otherwise};
    }
    PlanDim dim{1, 1, 1};
    if (!value.is_array()) {
        dim[0] = static_cast<std::uint32_t>(number(object, key, value, k_most_u32));
        return dim;
    }
    if (value.empty() || value.size() > dim.size()) {
        object.fail(key, "one to three numbers are needed here");
        return dim;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
        dim[i] = static_cast<std::uint32_t>(number(object, key, value[i], k_most_u32));
    }
    return dim;
}

void Evaluation::take_scratch(JsonObject scratch) {
    for (const std::string& name : scratch.keys(k_max_plan_scratch)) {
        if (const Status added = m_names.add_scratch(name); !added) {
            return fail(scratch, name, added.error());
        }
        m_plan.scratch.push_back(
            static_cast<std::uint64_t>(number(scratch, name, 0, k_most_bytes)));
    }
}

/// The arguments of cuTensorMapEncodeTiled by its numbers, as PlanTensorMap has them.
void Evaluation::take_map(JsonObject json, const std::string& name) {
    PlanTensorMap map;
    map.address = place(json, "at");
    map.data_type = static_cast<std::uint32_t>(json.integer("data_type", 0, 0, 15));
    const Json& dims = json.raw("dims");
    const std::size_t rank = dims.is_array() ? dims.size() : 0;
    if (rank < 1 || rank > map.dims.size()) {
        json.fail("dims", "a list of one to five numbers is needed here");
        return;
    }
    map.rank = static_cast<std::uint32_t>(rank);
    numbers(json, "dims", k_most_bytes, map.dims, rank);
    if (rank > 1) {
        numbers(json, "strides", k_most_bytes, map.strides, rank - 1);
    }
    numbers(json, "box", k_most_u32, map.box, rank);
    std::fill_n(map.element_strides.begin(), rank, 1);
    map.interleave = static_cast<std::uint32_t>(json.integer("interleave", 0, 0, 2));
    map.swizzle = static_cast<std::uint32_t>(json.integer("swizzle", 0, 0, 6));
    map.l2_promotion = static_cast<std::uint32_t>(json.integer("l2_promotion", 0, 0, 3));
    map.oob_fill = static_cast<std::uint32_t>(json.integer("oob_fill", 0, 0, 1));
    json.refuse_other_keys();
    if (const Status added = m_names.add_map(name); !added) {
        fail(json, {}, added.error());
    }
    m_plan.tensor_maps.push_back(map);
}

/// A buffer's name, or {"at": name, "offset": bytes}.
PlanAddress Evaluation::place(JsonObject& object, const std::string& key) {
    const Json& value = object.raw(key);
    PlanAddress address;
    const auto find = [&](JsonObject& from, const std::string& at, const std::string& name) {
        if (const std::optional<PlanAddress> found = m_names.buffer(name)) {
            address = *found;
        } else {
            from.fail(at, "'" + name.substr(0, 80) + "' is no tensor and no scratch",
                      m_names.nearest(name));
        }
    };
    if (value.is_string()) {
        find(object, key, object.text(key, ""));
    } else if (value.is_object()) {
        JsonObject inner = object.object(key);
        find(inner, "at", inner.required_text("at"));
        address.offset = static_cast<std::uint64_t>(number(inner, "offset", 0, k_most_bytes));
        inner.refuse_other_keys();
    } else {
        object.fail(key,
                    "the name of a tensor or scratch is needed here, or {\"at\": name, "
                    "\"offset\": bytes}");
    }
    return address;
}

PlanData pointer_to(const PlanAddress& address) {
    return {std::vector<std::uint8_t>(k_pointer_bytes, 0), {{0, address}}, {}};
}

PlanData Evaluation::named_argument(JsonObject& launch, const std::string& key,
                                    const std::string& name) {
    if (const std::optional<PlanAddress> address = m_names.buffer(name)) {
        return pointer_to(*address);
    }
    if (const std::optional<std::uint32_t> map = m_names.map(name)) {
        return {std::vector<std::uint8_t>(k_tensor_map_bytes, 0), {}, {{0, *map}}};
    }
    const Expected<std::vector<std::uint8_t>> value = m_names.value_of(name);
    if (!value) {
        fail(launch, key, value.error());
        return {};
    }
    return {*value, {}, {}};
}

/// {"i32": expression}, {"at": buffer, "offset": bytes}.
PlanData Evaluation::typed_argument(JsonObject object) {
    if (object.has("at")) {
        const auto found = m_names.buffer(object.required_text("at"));
        if (!found) {
            object.fail("at", "no tensor and no scratch has this name");
            return {};
        }
        PlanAddress address = *found;
        address.offset = static_cast<std::uint64_t>(number(object, "offset", 0, k_most_bytes));
        object.refuse_other_keys();
        return pointer_to(address);
    }
    const std::vector<std::string> keys = object.keys(1);
    if (keys.empty()) {
        object.fail({}, "an argument has a type and a value: {\"i32\": \"rows * cols\"}");
        return {};
    }
    const Expected<std::vector<std::uint8_t>> bytes =
        m_names.typed_value(keys[0], object.raw(keys[0]));
    if (!bytes) {
        fail(object, keys[0], bytes.error());
        return {};
    }
    return {*bytes, {}, {}};
}

PlanData Evaluation::argument(JsonObject& launch, const Json& value, const std::string& key) {
    if (value.is_string()) {
        return named_argument(launch, key, value.get<std::string>());
    }
    return typed_argument(JsonObject(value, launch.where(key), m_error));
}

PlanLaunch Evaluation::launch(JsonObject& json) {
    PlanLaunch launch;
    launch.kernel = json.required_text("launch", k_max_plan_name);
    if (!json.has("grid") || !json.has("block")) {
        json.fail({}, "a launch needs 'grid' and 'block'");
    }
    launch.grid = dims(json, "grid", 1);
    launch.block = dims(json, "block", 1);
    launch.cluster = dims(json, "cluster", 0);
    launch.shared_bytes = static_cast<std::uint64_t>(number(json, "shared", 0, k_most_bytes));
    launch.cooperative = json.boolean("cooperative", false);
    launch.programmatic = json.boolean("programmatic", false);
    const Json& list = json.raw("arguments");
    if (!list.is_array() && !list.is_null()) {
        json.fail("arguments", "a list is needed here");
        return launch;
    }
    if (list.size() > k_max_plan_arguments) {
        json.fail("arguments", std::to_string(list.size()) + " arguments",
                  "at most " + std::to_string(k_max_plan_arguments), ErrorCode::limit);
        return launch;
    }
    for (std::size_t i = 0; i < list.size() && !m_error; ++i) {
        launch.arguments.push_back(argument(json, list[i], "arguments[" + std::to_string(i) + "]"));
        m_data_bytes += launch.arguments.back().bytes.size();
        if (m_data_bytes > k_max_plan_total_data) {
            json.fail("arguments", "all arguments of all launches take too much",
                      "at most " + std::to_string(k_max_plan_total_data) + " bytes",
                      ErrorCode::limit);
            return launch;
        }
    }
    return launch;
}

Evaluation::Step Evaluation::step(JsonObject& json) {
    if (json.has("launch")) {
        return launch(json);
    }
    if (json.has("memset")) {
        PlanMemset memset;
        memset.to = place(json, "memset");
        memset.value = static_cast<std::uint8_t>(json.integer("value", 0, 0, 255));
        memset.bytes = static_cast<std::uint64_t>(number(json, "bytes", 0, k_most_bytes));
        return memset;
    }
    if (json.has("copy")) {
        PlanCopy copy;
        copy.from = place(json, "copy");
        copy.to = place(json, "to");
        copy.bytes = static_cast<std::uint64_t>(number(json, "bytes", 0, k_most_bytes));
        return copy;
    }
    json.fail({}, "a step is a 'launch', a 'memset' or a 'copy'");
    return PlanMemset{};
}

/// What cudaFuncSetAttribute would have been asked for: as much as the launches need.
void Evaluation::derive_settings() {
    for (const PlanStep& step : m_plan.steps) {
        const auto* launch = std::get_if<PlanLaunch>(&step.what);
        if (launch == nullptr) {
            continue;
        }
        std::uint64_t blocks = 1;
        for (const std::uint32_t extent : launch->cluster) {
            blocks = std::min<std::uint64_t>(blocks * std::max(extent, 1u), 1u << 20);
        }
        const bool wide = blocks > k_portable_cluster_blocks;
        if (launch->shared_bytes == 0 && !wide) {
            continue;
        }
        auto& all = m_plan.settings;
        auto found = std::find_if(all.begin(), all.end(), [&](const PlanKernelSettings& one) {
            return one.kernel == launch->kernel;
        });
        if (found == all.end()) {
            if (all.size() >= k_max_plan_kernels) {
                m_error =
                    Error{ErrorCode::limit, "launches too many different kernels", "plan", ""};
                return;
            }
            found = all.insert(all.end(), PlanKernelSettings{launch->kernel, 0, -1, false});
        }
        found->max_dynamic_shared = std::max(found->max_dynamic_shared, launch->shared_bytes);
        found->non_portable_cluster = found->non_portable_cluster || wide;
    }
}

Expected<Plan> Evaluation::run(const Json& json) {
    JsonObject plan(json, "plan", m_error);
    take_tensors();
    take_scratch(plan.object("scratch"));
    JsonObject maps = plan.object("maps");
    for (const std::string& name : maps.keys(k_max_plan_tensor_maps)) {
        take_map(maps.object(name), name);
    }
    std::vector<JsonObject> steps = plan.objects("steps", k_max_plan_steps);
    if (steps.empty()) {
        plan.fail("steps", "the plan launches nothing");
    }
    plan.refuse_other_keys();
    for (std::size_t i = 0; i < steps.size() && !m_error; ++i) {
        m_plan.steps.push_back({0, step(steps[i])});
        steps[i].refuse_other_keys();
    }
    if (!m_error) {
        derive_settings();
    }
    if (m_error) {
        return tl::unexpected(*m_error);
    }
    return std::move(m_plan);
}

}  // namespace

Expected<Plan> evaluate_explicit_plan(const Json& plan, const Task& task,
                                      const Workload& workload) {
    ATOLL_TRY_ASSIGN(ExplicitPlanNames names, ExplicitPlanNames::of(task, workload));
    return Evaluation(std::move(names)).run(plan);
}

}  // namespace atl
