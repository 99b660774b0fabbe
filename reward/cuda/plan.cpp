#include "reward/cuda/plan.hpp"

#include "reward/base/json_reader.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace atl {

namespace {

using Json = nlohmann::json;
using Buffer = PlanAddress::Buffer;

constexpr std::array k_buffers{Buffer::input, Buffer::output, Buffer::scratch, Buffer::symbol};
constexpr std::uint32_t k_most_index = 1024;
constexpr std::uint32_t k_most_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t k_most_offset = k_max_plan_buffer;

std::string to_hex(const std::vector<std::uint8_t>& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::optional<std::uint8_t> digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<std::uint8_t>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<std::uint8_t>(c - 'a' + 10);
    }
    return std::nullopt;
}

bool from_hex(const std::string& text, std::vector<std::uint8_t>& bytes) {
    if (text.size() % 2 != 0) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = digit(text[i]);
        const auto low = digit(text[i + 1]);
        if (!high || !low) {
            return false;
        }
        bytes.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return true;
}

Json json_of(const PlanAddress& address) {
    return {{"buffer", to_string(address.buffer)},
            {"index", address.index},
            {"offset", address.offset}};
}

Json json_of(const PlanData& data) {
    Json pointers = Json::array();
    for (const PlanRelocation& pointer : data.pointers) {
        pointers.push_back({{"at", pointer.at}, {"target", json_of(pointer.target)}});
    }
    Json maps = Json::array();
    for (const PlanMapUse& map : data.maps) {
        maps.push_back({{"at", map.at}, {"index", map.index}});
    }
    return {{"bytes", to_hex(data.bytes)},
            {"pointers", std::move(pointers)},
            {"maps", std::move(maps)}};
}

Json json_of(const PlanLaunch& launch) {
    Json arguments = Json::array();
    for (const PlanData& argument : launch.arguments) {
        arguments.push_back(json_of(argument));
    }
    return {{"do", "launch"},
            {"kernel", launch.kernel},
            {"grid", launch.grid},
            {"block", launch.block},
            {"cluster", launch.cluster},
            {"shared_bytes", launch.shared_bytes},
            {"cooperative", launch.cooperative},
            {"programmatic", launch.programmatic},
            {"arguments", std::move(arguments)}};
}

Json json_of(const PlanMemset& memset) {
    return {{"do", "memset"},
            {"to", json_of(memset.to)},
            {"value", memset.value},
            {"bytes", memset.bytes}};
}

Json json_of(const PlanCopy& copy) {
    return {{"do", "copy"},
            {"to", json_of(copy.to)},
            {"from", json_of(copy.from)},
            {"bytes", copy.bytes}};
}

Json json_of(const PlanWrite& write) {
    return {{"do", "write"}, {"to", json_of(write.to)}, {"data", json_of(write.data)}};
}

Json json_of(const PlanKernelSettings& settings) {
    return {{"kernel", settings.kernel},
            {"max_dynamic_shared", settings.max_dynamic_shared},
            {"shared_carveout", settings.shared_carveout},
            {"non_portable_cluster", settings.non_portable_cluster}};
}

Json json_of(const PlanTensorMap& map) {
    return {{"data_type", map.data_type},
            {"rank", map.rank},
            {"address", json_of(map.address)},
            {"dims", map.dims},
            {"strides", map.strides},
            {"box", map.box},
            {"element_strides", map.element_strides},
            {"interleave", map.interleave},
            {"swizzle", map.swizzle},
            {"l2_promotion", map.l2_promotion},
            {"oob_fill", map.oob_fill}};
}

/// Parses one plan, and counts what its parts have in common.
class PlanParser {
  public:
    [[nodiscard]] Expected<Plan> parse(const Json& json);

  private:
    [[nodiscard]] Expected<PlanAddress> address(const Json* json, const std::string& where);
    [[nodiscard]] Expected<PlanData> data(const Json* json, const std::string& where);
    [[nodiscard]] Expected<PlanTensorMap> tensor_map(const Json& json, const std::string& where);
    [[nodiscard]] Status launch(JsonReader& fields, PlanLaunch& launch);
    [[nodiscard]] Expected<PlanStep> step(const Json& json, const std::string& where);

    std::size_t m_data_bytes = 0;
};

Expected<PlanAddress> PlanParser::address(const Json* json, const std::string& where) {
    PlanAddress address;
    if (json == nullptr) {
        return address;  // the reader that was asked for it has the error
    }
    JsonReader fields(*json, where);
    std::string buffer;
    fields.text("buffer", buffer, 16)
        .integer("index", address.index, 0, k_most_index)
        .integer("offset", address.offset, 0, k_most_offset);
    bool known = false;
    for (const Buffer one : k_buffers) {
        if (buffer == to_string(one)) {
            address.buffer = one;
            known = true;
        }
    }
    if (!known) {
        fields.fail("'buffer' must be input, output, scratch or symbol");
    }
    ATOLL_TRY(fields.finish());
    return address;
}

Expected<PlanData> PlanParser::data(const Json* json, const std::string& where) {
    PlanData data;
    if (json == nullptr) {
        return data;
    }
    JsonReader fields(*json, where);
    std::string hex;
    fields.text("bytes", hex, 2 * k_max_plan_data_bytes);
    if (fields.ok() && !from_hex(hex, data.bytes)) {
        fields.fail("'bytes' must be pairs of the digits 0-9 and a-f");
    }
    m_data_bytes += data.bytes.size();
    if (m_data_bytes > k_max_plan_total_data) {
        fields.fail("arguments and constants are larger than 4 MiB together");
    }
    std::uint64_t free_from = 0;
    const Json* items = fields.array("pointers", data.bytes.size() / k_pointer_bytes);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        PlanRelocation& pointer = data.pointers.emplace_back();
        JsonReader inner((*items)[i], fields.path("pointers"));
        inner.integer("at", pointer.at, 0, static_cast<std::uint32_t>(k_max_plan_data_bytes));
        ATOLL_TRY_ASSIGN(pointer.target, address(inner.object("target", 3), inner.path("target")));
        ATOLL_TRY(inner.finish());
        if (pointer.at < free_from || pointer.at + k_pointer_bytes > data.bytes.size()) {
            inner.fail("pointers must lie one after the other inside the bytes");
        }
        for (std::size_t b = 0; inner.ok() && b < k_pointer_bytes; ++b) {
            if (data.bytes[pointer.at + b] != 0) {
                inner.fail("the bytes of a pointer must be zero");
            }
        }
        ATOLL_TRY(inner.finish());
        free_from = pointer.at + k_pointer_bytes;
    }
    items = fields.array("maps", data.bytes.size() / k_tensor_map_bytes);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        PlanMapUse& map = data.maps.emplace_back();
        JsonReader inner((*items)[i], fields.path("maps"));
        inner.integer("at", map.at, 0, static_cast<std::uint32_t>(k_max_plan_data_bytes))
            .integer("index", map.index, 0, k_most_index);
        ATOLL_TRY(inner.finish());
    }
    ATOLL_TRY(fields.finish());
    return data;
}

void read_five(JsonReader& fields, const char* key, std::array<std::uint64_t, 5>& out) {
    std::vector<std::int64_t> values;
    fields.integers(key, values, 5, 0, k_max_plan_buffer);
    if (values.size() != out.size()) {
        fields.fail(std::string("'") + key + "' must be five numbers");
        return;
    }
    std::copy(values.begin(), values.end(), out.begin());
}

Expected<PlanTensorMap> PlanParser::tensor_map(const Json& json, const std::string& where) {
    PlanTensorMap map;
    JsonReader fields(json, where);
    fields.integer("data_type", map.data_type, 0, k_most_u32)
        .integer("rank", map.rank, 0, k_most_u32)
        .integer("interleave", map.interleave, 0, k_most_u32)
        .integer("swizzle", map.swizzle, 0, k_most_u32)
        .integer("l2_promotion", map.l2_promotion, 0, k_most_u32)
        .integer("oob_fill", map.oob_fill, 0, k_most_u32);
    ATOLL_TRY_ASSIGN(map.address, address(fields.object("address", 3), fields.path("address")));
    read_five(fields, "dims", map.dims);
    read_five(fields, "strides", map.strides);
    read_five(fields, "box", map.box);
    read_five(fields, "element_strides", map.element_strides);
    ATOLL_TRY(fields.finish());
    return map;
}

void read_dim(JsonReader& fields, const char* key, PlanDim& dim) {
    std::vector<std::int64_t> values;
    fields.integers(key, values, 3, 0, k_most_u32);
    if (values.size() != 3) {
        fields.fail(std::string("'") + key + "' must be three numbers");
        return;
    }
    for (std::size_t i = 0; i < 3; ++i) {
        dim[i] = static_cast<std::uint32_t>(values[i]);
    }
}

Status PlanParser::launch(JsonReader& fields, PlanLaunch& launch) {
    fields.text("kernel", launch.kernel, k_max_plan_name)
        .integer("shared_bytes", launch.shared_bytes, 0, k_max_plan_buffer)
        .boolean("cooperative", launch.cooperative)
        .boolean("programmatic", launch.programmatic);
    read_dim(fields, "grid", launch.grid);
    read_dim(fields, "block", launch.block);
    read_dim(fields, "cluster", launch.cluster);
    const Json* items = fields.array("arguments", k_max_plan_arguments);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        ATOLL_TRY_ASSIGN(PlanData argument, data(&(*items)[i], fields.path("arguments")));
        launch.arguments.push_back(std::move(argument));
    }
    return {};
}

Expected<PlanStep> PlanParser::step(const Json& json, const std::string& where) {
    PlanStep step;
    JsonReader fields(json, where);
    std::string what;
    fields.text("do", what, 16).integer("line", step.line, 0, k_most_u32);
    if (what == "launch") {
        ATOLL_TRY(launch(fields, step.what.emplace<PlanLaunch>()));
    } else if (what == "memset") {
        auto& memset = step.what.emplace<PlanMemset>();
        fields.integer("value", memset.value, 0, 255)
            .integer("bytes", memset.bytes, 0, k_max_plan_buffer);
        ATOLL_TRY_ASSIGN(memset.to, address(fields.object("to", 3), fields.path("to")));
    } else if (what == "copy") {
        auto& copy = step.what.emplace<PlanCopy>();
        fields.integer("bytes", copy.bytes, 0, k_max_plan_buffer);
        ATOLL_TRY_ASSIGN(copy.to, address(fields.object("to", 3), fields.path("to")));
        ATOLL_TRY_ASSIGN(copy.from, address(fields.object("from", 3), fields.path("from")));
    } else if (what == "write") {
        auto& write = step.what.emplace<PlanWrite>();
        ATOLL_TRY_ASSIGN(write.to, address(fields.object("to", 3), fields.path("to")));
        ATOLL_TRY_ASSIGN(write.data, data(fields.object("data", 3), fields.path("data")));
    } else {
        fields.fail("'do' must be launch, memset, copy or write");
    }
    ATOLL_TRY(fields.finish());
    return step;
}

void read_sizes(JsonReader& fields, const char* key, std::vector<std::uint64_t>& sizes,
                std::size_t most) {
    std::vector<std::int64_t> values;
    fields.integers(key, values, most, 0, k_max_plan_buffer);
    sizes.assign(values.begin(), values.end());
}

Expected<Plan> PlanParser::parse(const Json& json) {
    Plan plan;
    JsonReader fields(json, "plan");
    read_sizes(fields, "inputs", plan.inputs, k_max_plan_tensors);
    read_sizes(fields, "outputs", plan.outputs, k_max_plan_tensors);
    read_sizes(fields, "scratch", plan.scratch, k_max_plan_scratch);
    const Json* items = fields.array("symbols", k_max_plan_symbols);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        PlanSymbol& symbol = plan.symbols.emplace_back();
        JsonReader inner((*items)[i], fields.path("symbols"));
        inner.text("name", symbol.name, k_max_plan_name)
            .integer("bytes", symbol.bytes, 0, k_max_plan_buffer);
        ATOLL_TRY(inner.finish());
    }
    items = fields.array("tensor_maps", k_max_plan_tensor_maps);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        ATOLL_TRY_ASSIGN(PlanTensorMap map, tensor_map((*items)[i], fields.path("tensor_maps")));
        plan.tensor_maps.push_back(map);
    }
    items = fields.array("settings", k_max_plan_kernels);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        PlanKernelSettings& settings = plan.settings.emplace_back();
        JsonReader inner((*items)[i], fields.path("settings"));
        inner.text("kernel", settings.kernel, k_max_plan_name)
            .integer("max_dynamic_shared", settings.max_dynamic_shared, 0, k_max_plan_buffer)
            .integer("shared_carveout", settings.shared_carveout, -1, 100)
            .boolean("non_portable_cluster", settings.non_portable_cluster);
        ATOLL_TRY(inner.finish());
    }
    items = fields.array("steps", k_max_plan_steps);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        ATOLL_TRY_ASSIGN(PlanStep one,
                         step((*items)[i], fields.path("steps") + " " + std::to_string(i + 1)));
        plan.steps.push_back(std::move(one));
    }
    ATOLL_TRY(fields.finish());
    return plan;
}

}  // namespace

const char* to_string(PlanAddress::Buffer buffer) {
    switch (buffer) {
        case Buffer::input:
            return "input";
        case Buffer::output:
            return "output";
        case Buffer::scratch:
            return "scratch";
        case Buffer::symbol:
            break;
    }
    return "symbol";
}

std::string to_json(const Plan& plan) {
    Json symbols = Json::array();
    for (const PlanSymbol& symbol : plan.symbols) {
        symbols.push_back({{"name", symbol.name}, {"bytes", symbol.bytes}});
    }
    Json maps = Json::array();
    for (const PlanTensorMap& map : plan.tensor_maps) {
        maps.push_back(json_of(map));
    }
    Json settings = Json::array();
    for (const PlanKernelSettings& one : plan.settings) {
        settings.push_back(json_of(one));
    }
    Json steps = Json::array();
    for (const PlanStep& step : plan.steps) {
        Json json = std::visit([](const auto& what) { return json_of(what); }, step.what);
        json["line"] = step.line;
        steps.push_back(std::move(json));
    }
    return dump_json({{"inputs", plan.inputs},
                      {"outputs", plan.outputs},
                      {"scratch", plan.scratch},
                      {"symbols", std::move(symbols)},
                      {"tensor_maps", std::move(maps)},
                      {"settings", std::move(settings)},
                      {"steps", std::move(steps)}});
}

Expected<Plan> parse_plan(std::string_view json) {
    ATOLL_TRY_ASSIGN(const Json parsed, parse_json_object(json, k_max_plan_text, "plan"));
    return PlanParser().parse(parsed);
}

}  // namespace atl
