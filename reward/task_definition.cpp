#include "reward/base/settings.hpp"
#include "reward/task_parts.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <climits>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

// Words that cannot name an argument of launch(), or that the generated entry point needs.
constexpr std::array<std::string_view, 98> k_reserved = {
    "alignas",       "alignof",     "and",
    "and_eq",        "asm",         "auto",
    "bitand",        "bitor",       "bool",
    "break",         "case",        "catch",
    "char",          "char8_t",     "char16_t",
    "char32_t",      "class",       "compl",
    "concept",       "const",       "consteval",
    "constexpr",     "constinit",   "const_cast",
    "continue",      "co_await",    "co_return",
    "co_yield",      "decltype",    "default",
    "delete",        "do",          "double",
    "dynamic_cast",  "else",        "enum",
    "explicit",      "export",      "extern",
    "false",         "float",       "for",
    "friend",        "goto",        "if",
    "inline",        "int",         "long",
    "mutable",       "namespace",   "new",
    "noexcept",      "not",         "not_eq",
    "nullptr",       "operator",    "or",
    "or_eq",         "private",     "protected",
    "public",        "register",    "reinterpret_cast",
    "requires",      "return",      "short",
    "signed",        "sizeof",      "static",
    "static_assert", "static_cast", "struct",
    "switch",        "template",    "this",
    "thread_local",  "throw",       "true",
    "try",           "typedef",     "typeid",
    "typename",      "union",       "unsigned",
    "using",         "virtual",     "void",
    "volatile",      "wchar_t",     "while",
    "xor",           "xor_eq",      "launch",
    "reference",     "typeof",      "__restrict__",
    "restrict",      "main"};

void read_axis(JsonObject axis, const std::string& name, Task& task) {
    Axis result;
    result.name = name;
    result.description = axis.text("description", "");
    const std::string type = axis.required_text("type");
    if (type == "const") {
        result.kind = Axis::Kind::constant;
        if (!axis.has("value")) {
            axis.fail("value", "a const axis needs a value");
        }
        result.value = axis.integer("value", 1, 1, INT_MAX);
    } else if (type == "var") {
        result.kind = Axis::Kind::variable;
    } else if (type == "expr") {
        result.kind = Axis::Kind::expression;
        result.expression = axis.required_text("expression");
    } else {
        axis.fail("type", "unknown axis type '" + type + "'", "use const, var or expr");
    }
    task.axes.push_back(std::move(result));
}

void read_shape(JsonObject& tensor, TensorSpec& result, bool is_output) {
    if (!tensor.has("shape")) {
        tensor.fail("shape", "this key is missing", "a list of axis names, or null for a scalar");
        return;
    }
    const Json& shape = tensor.raw("shape");
    if (shape.is_null()) {
        result.scalar = true;
        if (is_output) {
            tensor.fail("shape", "an output cannot be a scalar passed by value",
                        "give it the shape [1]");
        }
        return;
    }
    if (!shape.is_array() || shape.size() > k_max_dimensions) {
        tensor.fail("shape", "a list of at most " + std::to_string(k_max_dimensions) +
                                 " axis names is needed, or null for a scalar");
        return;
    }
    for (const Json& extent : shape) {
        if (extent.is_string()) {
            result.shape.push_back(extent.get<std::string>());
        } else if (extent.is_number_unsigned()) {
            result.shape.push_back(std::to_string(extent.get<std::uint64_t>()));
        } else {
            tensor.fail("shape", "an extent is an axis name, an expression or a positive integer");
        }
    }
}

void read_tensors(JsonObject tensors, bool are_outputs, std::vector<TensorSpec>& result) {
    for (const std::string& name : tensors.keys(k_max_tensors)) {
        JsonObject tensor = tensors.object(name);
        TensorSpec spec;
        spec.name = name;
        spec.description = tensor.text("description", "");
        const std::string dtype = tensor.required_text("dtype");
        const std::optional<DType> known = dtype_from(dtype);
        if (!known && !tensor.failed()) {
            tensor.fail(
                "dtype", "dtype '" + dtype.substr(0, 40) + "' is not supported",
                "supported: float64 float32 float16 bfloat16 float8_e4m3fn int64 int32 int16 "
                "int8 uint8");
        }
        spec.dtype = known.value_or(DType::f32);
        read_shape(tensor, spec, are_outputs);
        if (spec.scalar && spec.dtype == DType::f8e4m3) {
            tensor.fail("dtype", "a scalar cannot be of type " + dtype, "take float32");
        }
        result.push_back(std::move(spec));
    }
}

// Definitions of other systems have keys of their own, so only a key that looks like one of ours,
// where ours is absent, is a mistake.
void refuse_near_misses(JsonObject& definition, const Json& root) {
    const std::vector<std::string> ours = {"name",   "description", "axes",
                                           "inputs", "outputs",     "atoll"};
    for (const auto& [key, value] : root.items()) {
        const std::string nearest = nearest_word(key, ours);
        if (!nearest.empty() && !root.contains(nearest)) {
            definition.fail(key.substr(0, 80), "unknown key", "did you mean '" + nearest + "'?");
        }
    }
}

}  // namespace

bool is_identifier(const std::string& name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    const auto inner = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !name.empty() && name.size() <= 64 && letter(name[0]) &&
           std::all_of(name.begin(), name.end(), inner) && name.find("__") == std::string::npos &&
           name.rfind("atoll_", 0) != 0 &&
           std::find(k_reserved.begin(), k_reserved.end(), name) == k_reserved.end();
}

Status parse_definition(const std::string& json, const std::string& where, Task& task,
                        std::vector<std::string>& baseline_files) {
    ATOLL_TRY_ASSIGN(const Json root, parse_json_strictly(json, where));
    std::optional<Error> error;
    JsonObject definition(root, where, error);
    if (root.is_object()) {
        refuse_near_misses(definition, root);
    }
    task.name = definition.required_text("name");
    if (!error && !is_plain_name(task.name)) {
        definition.fail("name", "'" + task.name.substr(0, 80) + "' cannot name a task",
                        k_plain_name_rule);
    }
    task.description = definition.text("description", "", 64 << 10);
    JsonObject axes = definition.object("axes");
    for (const std::string& name : axes.keys(k_max_axes)) {
        read_axis(axes.object(name), name, task);
    }
    read_tensors(definition.object("inputs"), false, task.inputs);
    read_tensors(definition.object("outputs"), true, task.outputs);
    if (definition.has("custom_inputs_entrypoint") &&
        !definition.raw("custom_inputs_entrypoint").is_null()) {
        definition.fail("custom_inputs_entrypoint", "inputs made by Python code are not supported",
                        "describe them as distributions in the atoll block");
    }
    parse_atoll_block(definition.object("atoll"), task, baseline_files);
    if (error) {
        return tl::unexpected<Error>(*error);
    }
    return {};
}

}  // namespace atl
