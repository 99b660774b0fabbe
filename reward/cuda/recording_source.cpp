#include "reward/cuda/recording_source.hpp"

#include "reward/cpp_lexer.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "reward/cuda/plain_launches.hpp"
#include "reward/cuda/record.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace atl {

namespace {

constexpr std::string_view k_types =
#include "reward/cuda/shim/types.inc"
    ;
constexpr std::string_view k_libc =
#include "reward/cuda/shim/libc.inc"
    ;
constexpr std::string_view k_record =
#include "reward/cuda/shim/record.inc"
    ;
constexpr std::string_view k_api =
#include "reward/cuda/shim/api.inc"
    ;
constexpr std::string_view k_runtime =
#include "reward/cuda/shim/runtime.inc"
    ;
/// What nvcc includes by itself.
constexpr std::string_view k_host_headers =
    "#include <cmath>\n#include <cstdio>\n#include <cstdlib>\n#include <cstring>\n"
    "#include <math.h>\n#include <stdlib.h>\n";
/// What launchers include most, for a prelude that has it ready; clang's own <algorithm> for CUDA
/// wants the words of the shim.
constexpr std::string_view k_usual_headers =
    "#include <algorithm>\n#include <array>\n#include <cassert>\n#include <cfloat>\n"
    "#include <climits>\n#include <cstddef>\n#include <cstdint>\n#include <functional>\n"
    "#include <limits>\n#include <memory>\n#include <numeric>\n#include <stdexcept>\n"
    "#include <string>\n#include <tuple>\n#include <type_traits>\n#include <utility>\n"
    "#include <vector>\n";

/// Stands for the stream that launch() is given.
constexpr std::int64_t k_stream = 0x5eed00;

struct Argument {
    std::string type;
    std::string name;
    std::string expression;
};

std::string cuda_type(DType dtype) {
    switch (dtype) {
        case DType::f16:
            return "__half";
        case DType::bf16:
            return "__nv_bfloat16";
        case DType::f8e4m3:
            return "__nv_fp8_e4m3";
        default:
            return c_type(dtype);
    }
}

const char* name_of(CudaEntry entry) {
    return entry == CudaEntry::launch ? "launch" : "reference";
}

std::vector<Argument> arguments_of(const Task& task, CudaEntry entry) {
    std::vector<Argument> arguments;
    std::size_t number = k_recording_numbers;
    std::size_t scalars = 0;
    const auto add = [&](const std::string& type, const std::string& name) {
        arguments.push_back(
            {type, name, "(" + type + ")atoll_numbers[" + std::to_string(number++) + "]"});
    };
    for (const TensorSpec& input : task.inputs) {
        const std::string type = cuda_type(input.dtype);
        if (input.scalar) {
            arguments.push_back({type, input.name,
                                 "(" + type + ")atoll_scalars[" + std::to_string(scalars++) + "]"});
        } else {
            add("const " + type + "*", input.name);
        }
    }
    for (const TensorSpec& output : task.outputs) {
        const std::string type = entry == CudaEntry::reference ? "double" : cuda_type(output.dtype);
        add(type + "*", output.name);
    }
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            add("int", axis.name);
        }
    }
    arguments.push_back({"cudaStream_t", "stream", "atoll_recording::g_stream"});
    return arguments;
}

// A macro of the candidate must not change the generated lines.
constexpr std::array k_words{"extern",
                             "void",
                             "const",
                             "int",
                             "long",
                             "short",
                             "char",
                             "float",
                             "double",
                             "signed",
                             "unsigned",
                             "sizeof",
                             "static_assert",
                             "namespace",
                             "__attribute__",
                             "visibility",
                             "launch",
                             "reference",
                             "atoll_entry",
                             "atoll_tensors",
                             "atoll_scalars",
                             "atoll_numbers",
                             "atoll_matches",
                             "atoll_contract",
                             "atoll_recording",
                             "begin",
                             "finish",
                             "wipe_stack",
                             "g_stream",
                             "cudaStream_t",
                             "__half",
                             "__nv_bfloat16",
                             "__nv_fp8_e4m3"};

/// `__noinline__` blanked out, columns kept: no macro can stand for it (headers of libstdc++ 13 use
/// the word inside of __attribute__), and a recording does not mind what is inlined.
std::string without_noinline(std::string source) {
    constexpr std::string_view k_word = "__noinline__";
    const auto is_part = [&](std::size_t at) {
        return at < source.size() &&
               (std::isalnum(static_cast<unsigned char>(source[at])) != 0 || source[at] == '_');
    };
    for (std::size_t at = source.find(k_word); at != std::string::npos;
         at = source.find(k_word, at + k_word.size())) {
        if ((at == 0 || !is_part(at - 1)) && !is_part(at + k_word.size())) {
            source.replace(at, k_word.size(), k_word.size(), ' ');
        }
    }
    return source;
}

std::string entry_point(const Task& task, CudaEntry entry) {
    const std::string name = name_of(entry);
    const std::string wanted = cuda_launch_prototype(task, entry);
    std::string types;
    std::string values;
    for (const Argument& argument : arguments_of(task, entry)) {
        types += (types.empty() ? "" : ", ") + argument.type;
        values += (values.empty() ? "" : ", ") + argument.expression;
    }
    // Two line ends, so that a trailing backslash cannot swallow the directive.
    std::string text = "\n\n#line 1 \"required: " + wanted + "\"\n";
    for (const char* word : k_words) {
        text += std::string("#undef ") + word + "\n";
    }
    text += "namespace atoll_contract {\nchar atoll_matches(void (*)(" + types +
            "));\nlong atoll_matches(...);\n}\n";
    text += "static_assert(sizeof(atoll_contract::atoll_matches(&::" + name + ")) == 1, \"" + name +
            " has the wrong signature; required is: " + wanted + "\");\n";
    text +=
        "extern \"C\" __attribute__((visibility(\"default\"))) void atoll_entry(\n"
        "    void* const* atoll_tensors, const double* atoll_scalars,\n"
        "    const long long* atoll_numbers) {\n"
        "    (void)atoll_scalars;\n"
        "    ::atoll_recording::begin(atoll_tensors, atoll_numbers);\n"
        "    atoll_recording::wipe_stack();\n"
        "    ::" +
        name + "(" + values + ");\n    atoll_recording::finish();\n}\n";
    return text;
}

/// Whether the text names more of namespace std than k_libc declares: nvcc's own headers include
/// <utility>, <limits> and parts of <algorithm>, and many a source asks for no others.
bool names_more_of_std(std::string_view host) {
    std::array<std::string, 2> before;
    CppLexer lexer(host);
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind == CppToken::Kind::comment) {
            continue;
        }
        if (before[0] == "std" && before[1] == "::" && token->kind == CppToken::Kind::word &&
            k_libc.find("using ::" + token->text + ";") == std::string_view::npos) {
            return true;
        }
        before[0] = std::exchange(before[1], std::move(token->text));
    }
    return false;
}

/// The interface of the runtime after headers of the host, or with declarations in their stead.
std::string prelude_after(std::string_view headers, std::string_view declarations) {
    std::string text(headers);
    return text.append(k_types).append(declarations).append(k_record).append(k_api);
}

}  // namespace

std::string cuda_launch_prototype(const Task& task, CudaEntry entry) {
    std::string text = std::string("void ") + name_of(entry) + "(";
    const std::vector<Argument> arguments = arguments_of(task, entry);
    for (const Argument& argument : arguments) {
        text += (&argument == &arguments.front() ? "" : ", ") + argument.type + " " + argument.name;
    }
    return text + ")";
}

RecordingSource recording_source(const Task& task, const SplitSource& split,
                                 const std::map<std::string, std::string>& tune, CudaEntry entry) {
    RecordingSource source;
    if (split.host_headers || names_more_of_std(split.host)) {
        source.narrow_prelude = prelude_after(k_host_headers, "");
        source.prelude = source.narrow_prelude + std::string(k_usual_headers);
    } else {
        source.prelude = prelude_after("", k_libc);
    }
    source.runtime = k_runtime;
    // Not by -D, where they would change the shim too.
    for (const auto& [name, value] : tune) {
        source.text += "#define " + name + " " + value + "\n";
    }
    source.text += std::string("#line 1 \"") +
                   (entry == CudaEntry::launch ? "candidate.cu" : "reference.cu") + "\"\n" +
                   without_noinline(split.host) + entry_point(task, entry);
    return source;
}

const std::vector<std::string>& recording_flags() {
    // The device's code is compiled elsewhere: any file will do for it. Without a CUDA version
    // clang uses the launch interface of old, which names the size of every argument. Locals that
    // were never written are the same in every run.
    static const std::vector<std::string> flags{"-x",
                                                "cuda",
                                                "--cuda-host-only",
                                                "-nocudainc",
                                                "-nocudalib",
                                                "--cuda-path=/nonexistent",
                                                "-Xclang",
                                                "-fcuda-include-gpubinary",
                                                "-Xclang",
                                                "/dev/null",
                                                k_cuda_standard,
                                                "-O0",
                                                "-w",
                                                "-shared",
                                                "-fPIC",
                                                "-ferror-limit=20",
                                                "-ftrivial-auto-var-init=pattern",
                                                "-Wl,-z,defs",
                                                "-Wl,--as-needed"};
    return flags;
}

std::string plain_text(const RecordingSource& source, const std::string& prelude) {
    return "#define ATOLL_PLAIN 1\n" + prelude + source.runtime + with_plain_launches(source.text);
}

const std::vector<std::string>& plain_recording_flags() {
    // Symbols are looked up by the table that both kinds of hashes number.
    static const std::vector<std::string> flags{"-x",
                                                "c++",
                                                k_cuda_standard,
                                                "-O0",
                                                "-w",
                                                "-shared",
                                                "-fPIC",
                                                "-fmax-errors=20",
                                                "-ftrivial-auto-var-init=pattern",
                                                "-Wl,-z,defs",
                                                "-Wl,--as-needed",
                                                "-Wl,--hash-style=both"};
    return flags;
}

std::vector<std::int64_t> recording_numbers(const DeviceLimits& device, bool second) {
    const RecordAddresses addresses(second);
    const auto of = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    return {of(k_record_bytes),
            of(addresses.base),
            addresses.shuffled ? 1 : 0,
            of(addresses.tensor_shift),
            of(addresses.other_shift),
            k_stream,
            device.multiprocessors,
            device.warp_size,
            device.threads_per_block,
            device.block[0],
            device.block[1],
            device.block[2],
            device.grid[0],
            device.grid[1],
            device.grid[2],
            device.threads_per_multiprocessor,
            device.blocks_per_multiprocessor,
            device.registers_per_block,
            device.registers_per_multiprocessor,
            of(device.shared_per_block),
            of(device.shared_per_block_optin),
            of(device.shared_per_multiprocessor),
            of(device.shared_reserved_per_block),
            device.major,
            device.minor,
            of(device.l2_bytes),
            of(device.memory_bytes),
            device.cluster_blocks};
}

std::vector<std::uint64_t> recording_facts(std::span<const KernelFacts> kernels,
                                           std::size_t most_bytes) {
    std::vector<std::uint64_t> words{0};
    for (const KernelFacts& kernel : kernels) {
        const std::size_t name_words = (kernel.name.size() + 7) / 8;
        if ((words.size() + 5 + name_words) * 8 > most_bytes) {
            break;
        }
        ++words.front();
        words.insert(words.end(), {kernel.registers, kernel.static_shared_bytes, kernel.max_threads,
                                   kernel.local_bytes, kernel.name.size()});
        words.resize(words.size() + name_words);
        std::memcpy(words.data() + words.size() - name_words, kernel.name.data(),
                    kernel.name.size());
    }
    return words;
}

}  // namespace atl
