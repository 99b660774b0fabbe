#include "tools/atoll/task_template.hpp"

#include "reward/base/files.hpp"
#include "reward/task.hpp"

#include <cerrno>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_definition = R"({
    "name": "@NAME@",
    "op_type": "custom",
    "description": "y = bias + alpha * (running maximum of x along each row). Replace this by your own.",
    "axes": {
        "rows": {"type": "var"},
        "cols": {"type": "var"}
    },
    "inputs": {
        "x": {"shape": ["rows", "cols"], "dtype": "float32"},
        "bias": {"shape": ["cols"], "dtype": "float32"},
        "alpha": {"shape": null, "dtype": "float32"}
    },
    "outputs": {
        "y": {"shape": ["rows", "cols"], "dtype": "float32"}
    },
    "atoll": {
        "schema": 1,
        "kind": "cpu_cpp",
        "distributions": {
            "normal": {"x": {"kind": "normal"}, "bias": {"kind": "normal"}},
            "ramps": {"x": {"kind": "ramp", "start": 1, "step": -3}, "bias": {"kind": "alternate", "value": 0.7}}
        },
        "tolerance": {"rtol": 1e-6, "atol_rms": 1e-6},
        "precision": {"accumulate": "float32", "fast_math": false},
        "work": {"flops": "3*rows*cols", "bytes": "8*rows*cols + 4*cols"},
        "allowed_flags": ["-funroll-loops", "-mprefer-vector-width=512"]
    }
}
)";

constexpr const char* k_reference =
    R"(// The oracle: plain, trusted, accumulating in double, every output element written.
extern "C" void reference(const float* x, const float* bias, float alpha, double* y, int rows,
                          int cols) {
    for (long row = 0; row < rows; ++row) {
        double largest = x[row * cols];
        for (long col = 0; col < cols; ++col) {
            const double value = x[row * cols + col];
            largest = value > largest ? value : largest;
            y[row * cols + col] = bias[col] + double{alpha} * largest;
        }
    }
}
)";

constexpr const char* k_plain =
    R"(// Row by row, in blocks: the maxima wait for each other, the rest of a block does not.
#ifndef BLOCK
#define BLOCK 64  // tune: 16, 32, 64, 128, 256
#endif

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long row = 0; row < rows; ++row) {
        float largest = x[row * cols];
        for (long first = 0; first < cols; first += BLOCK) {
            const long last = first + BLOCK < cols ? first + BLOCK : cols;
            float maxima[BLOCK];
            for (long col = first; col < last; ++col) {
                const float value = x[row * cols + col];
                largest = value > largest ? value : largest;
                maxima[col - first] = largest;
            }
            for (long col = first; col < last; ++col) {
                y[row * cols + col] = bias[col] + alpha * maxima[col - first];
            }
        }
    }
}
)";

constexpr const char* k_columns =
    R"(// A group of rows at a time, so that their maxima do not wait for each other.
#ifndef GROUP
#define GROUP 8  // tune: 2, 4, 8, 16
#endif

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long first = 0; first < rows; first += GROUP) {
        const long count = rows - first < GROUP ? rows - first : GROUP;
        float largest[GROUP];
        for (long i = 0; i < count; ++i) {
            largest[i] = x[(first + i) * cols];
        }
        for (long col = 0; col < cols; ++col) {
            for (long i = 0; i < count; ++i) {
                const float value = x[(first + i) * cols + col];
                largest[i] = value > largest[i] ? value : largest[i];
                y[(first + i) * cols + col] = bias[col] + alpha * largest[i];
            }
        }
    }
}
)";

struct TemplateWorkload {
    const char* id;
    int rows;
    int cols;
    const char* alpha;
    const char* use;
    bool hidden;
};

constexpr TemplateWorkload k_workloads[] = {
    {"large", 512, 1024, "1.5", "measure", false},
    {"one", 1, 1, "2", "verify", false},
    {"odd", 3, 17, "-0.5", "verify", false},
    {"prime", 31, 127, "1", "verify", false},
    {"secret_odd", 7, 61, "0.75", "verify", true},
    {"secret_large", 384, 1100, "2", "measure", true},
};

std::string workload_lines(const std::string& name) {
    std::string lines;
    for (const TemplateWorkload& workload : k_workloads) {
        lines += R"({"definition": ")" + name + R"(", "workload": {"uuid": ")" + workload.id +
                 R"(", "axes": {"rows": )" + std::to_string(workload.rows) + R"(, "cols": )" +
                 std::to_string(workload.cols) +
                 R"(}, "inputs": {"alpha": {"type": "scalar", "value": )" + workload.alpha +
                 R"(}}}, "atoll": {"use": ")" + workload.use + R"(")" +
                 (workload.hidden ? R"(, "hidden": true)" : "") + "}}\n";
    }
    return lines;
}

/// Replaces `from` by `to`: the first occurrence, or all.
std::string replaced(std::string text, const std::string& from, const std::string& to, bool all) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = all ? text.find(from, at + to.size()) : std::string::npos) {
        text.replace(at, from.size(), to);
    }
    return text;
}

Status make_folder(const fs::path& folder) {
    std::error_code code;
    if (fs::exists(folder, code)) {
        return failure(ErrorCode::already_exists, "this exists already", folder.string(),
                       "choose another name");
    }
    fs::create_directories(folder, code);
    if (code) {
        return tl::unexpected(errno_error("mkdir", folder.string(), code.value()));
    }
    return {};
}

/// Gives the task in `folder` its new name, in whatever spacing the files use.
Status rename_task(const fs::path& folder, const std::string& old_name, const std::string& name) {
    constexpr std::uint64_t k_max_bytes = 16 << 20;
    ATOLL_TRY_ASSIGN(std::string definition, read_file(folder / "definition.json", k_max_bytes));
    for (const char* key : {"\"name\": ", "\"name\":"}) {
        definition = replaced(std::move(definition), key + ("\"" + old_name + "\""),
                              key + ("\"" + name + "\""), false);
    }
    ATOLL_TRY(write_file_durably(folder / "definition.json", definition));
    std::error_code code;
    if (!fs::exists(folder / "workload.jsonl", code)) {
        return {};
    }
    ATOLL_TRY_ASSIGN(std::string lines, read_file(folder / "workload.jsonl", k_max_bytes));
    for (const char* key : {"\"definition\": ", "\"definition\":"}) {
        lines = replaced(std::move(lines), key + ("\"" + old_name + "\""),
                         key + ("\"" + name + "\""), true);
    }
    return write_file_durably(folder / "workload.jsonl", lines);
}

}  // namespace

Status write_task_template(const fs::path& folder, const std::string& name) {
    ATOLL_TRY(make_folder(folder));
    ATOLL_TRY(make_folder(folder / "starters"));
    ATOLL_TRY(write_file_durably(folder / "definition.json",
                                 replaced(k_definition, "@NAME@", name, false)));
    ATOLL_TRY(write_file_durably(folder / "workload.jsonl", workload_lines(name)));
    ATOLL_TRY(write_file_durably(folder / "reference.cpp", k_reference));
    ATOLL_TRY(write_file_durably(folder / "starters/1_rows.cpp", k_plain));
    return write_file_durably(folder / "starters/2_row_groups.cpp", k_columns);
}

Status copy_task(const fs::path& from, const fs::path& folder, const std::string& name) {
    ATOLL_TRY_ASSIGN(const TaskPtr task, load_task(from));
    std::error_code code;
    const fs::path below = fs::weakly_canonical(folder, code)
                               .lexically_relative(fs::weakly_canonical(task->folder, code));
    if (!below.empty() && *below.begin() != "..") {
        return failure(ErrorCode::invalid_argument,
                       "is inside of the task that it would be a copy of", folder.string(),
                       "name a place outside of " + task->folder.string());
    }
    ATOLL_TRY(make_folder(folder));
    fs::copy(task->folder, folder, fs::copy_options::recursive, code);
    if (code) {
        return tl::unexpected(errno_error("copy", folder.string(), code.value()));
    }
    ATOLL_TRY(rename_task(folder, task->name, name));
    ATOLL_TRY_ASSIGN(const TaskPtr copied, load_task(folder));
    return copied->name == name
               ? Status()
               : failure(ErrorCode::invalid_argument, "still has the name " + copied->name,
                         folder.string(), "write the new name into definition.json");
}

}  // namespace atl
