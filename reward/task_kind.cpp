#include "reward/base/settings.hpp"
#include "reward/task_parts.hpp"

#include <algorithm>

namespace atl {

namespace {

namespace fs = std::filesystem;

Error unknown_kind(const std::string& kind) {
    const std::string nearest = nearest_word(kind, launched_kinds());
    return {ErrorCode::invalid_argument, "unknown kind of candidates '" + kind.substr(0, 80) + "'",
            "",
            nearest.empty() ? "use " + launched_kinds_text() : "did you mean '" + nearest + "'?"};
}

/// Flags of NVRTC that the tune operator may choose from: the same for every task, since they say
/// nothing about the task but whether its arithmetic may be less exact. Registers from where 2,048
/// threads fit on a multiprocessor to where 512 do.
std::vector<std::string> device_tune_flags(bool fast_math) {
    std::vector<std::string> flags = {"--maxrregcount=32",           "--maxrregcount=40",
                                      "--maxrregcount=48",           "--maxrregcount=64",
                                      "--maxrregcount=96",           "--maxrregcount=128",
                                      "--extra-device-vectorization"};
    if (fast_math) {
        flags.emplace_back("--use_fast_math");
    }
    return flags;
}

}  // namespace

const std::vector<std::string>& launched_kinds() {
    static const std::vector<std::string> kinds = {"cpu_cpp", "cuda", "ptx", "cubin"};
    return kinds;
}

std::string launched_kinds_text() {
    std::string text;
    for (const std::string& name : launched_kinds()) {
        text += (text.empty() ? "" : " or ") + name;
    }
    return text;
}

std::string source_kind(const std::string& kind) {
    return kind == "ptx" || kind == "cubin" ? "cuda" : kind;
}

bool is_gpu_kind(const std::string& kind) {
    return source_kind(kind) == "cuda";
}

std::string kind_of_file(const fs::path& file) {
    const std::string extension = file.extension().string();
    if (extension == ".cu") {
        return "cuda";
    }
    if (extension == ".ptx") {
        return "ptx";
    }
    if (file.filename().string().ends_with(".cubin.json")) {
        return "cubin";
    }
    return extension == ".cpp" || extension == ".cc" || extension == ".cxx" ? "cpu_cpp" : "";
}

std::string source_extension(const std::string& kind) {
    return is_gpu_kind(kind) ? ".cu" : ".cpp";
}

fs::path reference_file(const Task& task) {
    return task.folder / ("reference" + source_extension(task.kind));
}

fs::path workload_file(const Task& task) {
    const fs::path own = task.folder / ("workload_" + source_kind(task.kind) + ".jsonl");
    std::error_code code;
    return fs::exists(fs::symlink_status(own, code)) ? own : task.folder / "workload.jsonl";
}

Status choose_kind(Task& task, const std::string& kind) {
    if (!kind.empty() && kind != task.kind) {
        const std::vector<std::string>& kinds = launched_kinds();
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
            return tl::unexpected(unknown_kind(kind));
        }
        if (task.kind == "external") {
            return failure(ErrorCode::invalid_argument,
                           "task " + task.name +
                               " is judged by a program of its own: it has no candidates of kind " +
                               kind,
                           task.folder.string(), "leave the kind to the task");
        }
        task.kind = kind;
    }
    if (is_gpu_kind(task.kind)) {  // a definition's are all for a C++ compiler
        task.allowed_flags = task.kind == "cuda" ? device_tune_flags(task.precision.fast_math)
                                                 : std::vector<std::string>();
    }
    return {};
}

}  // namespace atl
