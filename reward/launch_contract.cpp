#include "reward/launch_contract.hpp"

#include <array>
#include <vector>

namespace atl {

namespace {

/// One argument of launch() or reference().
struct Argument {
    std::string type;
    std::string name;
    std::string expression;  ///< its value inside atoll_entry()
};

std::vector<Argument> arguments_of(const Task& task, bool reference) {
    std::vector<Argument> arguments;
    std::size_t tensors = 0;
    std::size_t scalars = 0;
    std::size_t axes = 0;
    const auto add = [&](const std::string& type, const std::string& name, const char* array,
                         std::size_t index) {
        arguments.push_back(
            {type, name,
             "static_cast<" + type + ">(" + array + "[" + std::to_string(index) + "])"});
    };
    for (const TensorSpec& input : task.inputs) {
        const std::string type = c_type(input.dtype);
        if (input.scalar) {
            add(type, input.name, "atoll_scalars", scalars++);
        } else {
            add("const " + type + "*", input.name, "atoll_tensors", tensors++);
        }
    }
    for (const TensorSpec& output : task.outputs) {
        const std::string type = reference ? "double" : c_type(output.dtype);
        add(type + "*", output.name, "atoll_tensors", tensors++);
    }
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            add("int", axis.name, "atoll_axes", axes++);
        }
    }
    return arguments;
}

std::string prototype(const std::string& function, const std::vector<Argument>& arguments) {
    std::string text = "extern \"C\" void " + function + "(";
    for (const Argument& argument : arguments) {
        text += (&argument == &arguments.front() ? "" : ", ") + argument.type + " " + argument.name;
    }
    return text + ")";
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return result + "\"";
}

// A macro of the candidate must not change the generated lines.
constexpr std::array<const char*, 27> k_words = {
    "extern",         "void",          "const",         "int",           "long",
    "short",          "char",          "float",         "double",        "signed",
    "unsigned",       "sizeof",        "static_cast",   "static_assert", "namespace",
    "_Float16",       "__attribute__", "visibility",    "launch",        "reference",
    "atoll_entry",    "atoll_tensors", "atoll_scalars", "atoll_axes",    "atoll_matches",
    "atoll_contract", "__restrict__"};

std::string entry_point(const std::string& function, const std::vector<Argument>& arguments) {
    const std::string wanted = prototype(function, arguments);
    std::string types;
    std::string values;
    for (const Argument& argument : arguments) {
        const char* comma = &argument == &arguments.front() ? "" : ", ";
        types += comma + argument.type;
        values += comma + argument.expression;
    }
    // Two line ends, so that a trailing backslash cannot swallow the directive. The "file name" of
    // the generated lines is what a compiler's message about them should say.
    std::string text = "\n\n#line 1 " + quoted("required: " + wanted) + "\n";
    for (const char* word : k_words) {
        text += std::string("#undef ") + word + "\n";
    }
    text += "namespace atoll_contract {\n";
    text += "char atoll_matches(void (*)(" + types + "));\n";
    text += "long atoll_matches(...);\n";
    text += "}\n";
    text += "static_assert(sizeof(atoll_contract::atoll_matches(&::" + function + ")) == 1, " +
            quoted(function + " has the wrong signature; required is: " + wanted) + ");\n";
    text += "extern \"C\" __attribute__((visibility(\"default\"))) void atoll_entry(\n";
    text += "    void* const* atoll_tensors, const double* atoll_scalars,\n";
    text += "    const long long* atoll_axes) {\n";
    text += "    (void)atoll_tensors, (void)atoll_scalars, (void)atoll_axes;\n";
    text += "    ::" + function + "(" + values + ");\n";
    text += "}\n";
    return text;
}

}  // namespace

std::string launch_prototype(const Task& task) {
    return prototype("launch", arguments_of(task, false));
}

std::string reference_prototype(const Task& task) {
    return prototype("reference", arguments_of(task, true));
}

std::string with_entry_point(const Task& task, const std::string& source) {
    // Nothing before it: the compiler quotes lines of the file as they are numbered there.
    return source + entry_point("launch", arguments_of(task, false));
}

std::string with_reference_entry_point(const Task& task) {
    return "#line 1 \"reference.cpp\"\n" + task.reference_source +
           entry_point("reference", arguments_of(task, true));
}

}  // namespace atl
