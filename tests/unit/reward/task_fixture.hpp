#pragma once

#include "reward/task.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace atl::testing {

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

/// A small good task (y = alpha * x + the row's mean of x) that tests break in one way each.
class SmallTask {
  public:
    SmallTask() {
        write("definition.json", R"({
    "name": "small",
    "op_type": "test",
    "axes": {
        "rows": {"type": "var"},
        "cols": {"type": "var"},
        "pad": {"type": "const", "value": 4},
        "padded": {"type": "expr", "expression": "ceil_div(cols, pad) * pad"}
    },
    "inputs": {
        "x": {"shape": ["rows", "cols"], "dtype": "float32"},
        "bias": {"shape": ["cols"], "dtype": "float32"},
        "alpha": {"shape": null, "dtype": "float32"}
    },
    "outputs": {"y": {"shape": ["rows", "cols"], "dtype": "float32"}},
    "atoll": {
        "distributions": {
            "normal": {"x": {"kind": "normal"}, "bias": {"kind": "normal"}},
            "ramp": {"x": {"kind": "ramp", "start": -1, "step": 2}, "bias": {"kind": "uniform"}}
        },
        "tolerance": {"rtol": 1e-5, "atol_rms": 1e-5},
        "work": {"flops": "3*rows*cols", "bytes": "8*rows*cols + 4*cols"},
        "allowed_flags": ["-funroll-loops"]
    }
})");
        write("workload.jsonl",
              line("odd", 3, 17, "verify", false) + line("one", 1, 1, "verify", false) +
                  line("prime", 7, 31, "verify", false) + line("large", 64, 256, "measure", false) +
                  line("secret", 5, 29, "verify", true) +
                  line("secret_large", 48, 200, "measure", true));
        write("reference.cpp", R"(
extern "C" void reference(const float* x, const float* bias, float alpha, double* y, int rows,
                          int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        for (long j = 0; j < cols; ++j)
            y[i * cols + j] = double(alpha) * x[i * cols + j] + bias[j] + sum / cols;
    }
}
)");
        write("starters/plain.cpp", R"(
#ifndef STEP
#define STEP 1  // tune: 1, 2, 4
#endif
extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        const float mean = sum / cols;
        for (long j = 0; j < cols; ++j) y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
    }
}
)");
    }

    static std::string line(const std::string& id, int rows, int cols, const std::string& use,
                            bool hidden, const std::string& alpha = "1.5") {
        return R"({"definition": "small", "workload": {"uuid": ")" + id +
               R"(", "axes": {"rows": )" + std::to_string(rows) + R"(, "cols": )" +
               std::to_string(cols) +
               R"(}, "inputs": {"x": {"type": "random"}, "alpha": {"type": "scalar", "value": )" +
               alpha + R"(}}}, "atoll": {"use": ")" + use + R"(", "hidden": )" +
               (hidden ? "true" : "false") + "}}\n";
    }

    [[nodiscard]] std::filesystem::path folder() const { return m_root.path() / "small"; }
    void write(const std::string& file, const std::string& text) {
        write_text(folder() / file, text);
    }
    void append(const std::string& file, const std::string& text) {
        write(file, read_text(folder() / file) + text);
    }
    /// Replaces the first occurrence of `from`, which must be there.
    void replace(const std::string& file, const std::string& from, const std::string& to) {
        std::string text = read_text(folder() / file);
        const std::size_t at = text.find(from);
        if (at == std::string::npos) {
            throw std::runtime_error("'" + from + "' is not in " + file);
        }
        write(file, text.replace(at, from.size(), to));
    }
    void remove(const std::string& file) { std::filesystem::remove_all(folder() / file); }
    [[nodiscard]] Expected<TaskPtr> load() const { return load_task(folder()); }
    [[nodiscard]] TaskPtr task() const { return value_or_throw(load()); }

  private:
    TemporaryFolder m_root;
};

}  // namespace atl::testing
