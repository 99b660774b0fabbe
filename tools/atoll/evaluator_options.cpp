#include "tools/atoll/evaluator_options.hpp"

#include "reward/base/words.hpp"
#include "reward/peaks_file.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"

#include <CLI/CLI.hpp>

namespace atl {

void add_machine_options(CLI::App& verb, LocalEvaluatorOptions& options) {
    verb.add_option("--compiler", options.compiler,
                    "C++ compiler (default: $CXX, g++, c++, clang++, the first that exists)");
    verb.add_option("--sandbox", options.required_sandbox,
                    "Refuse to run below this level: full, restricted or none")
        ->check(CLI::IsMember({"full", "restricted", "none"}))
        ->capture_default_str();
    verb.add_option("--device-cores", options.device_cores, "Cores of each device")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    verb.add_option("--cutlass", options.cutlass,
                    "Clone of CUTLASS, or its folder of headers, that CUDA candidates may include "
                    "(default: $ATOLL_CUTLASS, else none)")
        ->type_name("DIR");
    verb.add_option("--compile-workers", options.compile_workers,
                    "Compiles at once (default: one per core that no device owns)")
        ->check(CLI::Range(0, 1024));
    verb.add_option(
        "--cache", options.cache_folder,
        "Folder where verdicts are kept for later calls (default: none); a few KB each, and "
        "none is ever removed: any file in it may be deleted at any time");
}

void add_evaluator_options(CLI::App& verb, LocalEvaluatorOptions& options) {
    verb.add_option("--devices", options.devices, "CPU devices that measure side by side")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    verb.add_option("--gpu", options.gpus, "GPU that measures CUDA candidates (default: 0)")
        ->check(CLI::Range(0, 1023))
        ->expected(1)
        ->type_name("N");
    add_machine_options(verb, options);
}

std::string evaluator_words(const LocalEvaluatorOptions& options) {
    const LocalEvaluatorOptions defaults;
    std::string text;
    if (!options.needs_device) {
        return text;
    }
    const bool on_gpu = is_gpu_kind(options.kind);
    if (!on_gpu && options.compiler != defaults.compiler) {
        text += " --compiler " + shell_quoted(options.compiler);
    }
    if (options.required_sandbox != defaults.required_sandbox) {
        text += " --sandbox " + options.required_sandbox;
    }
    for (const int gpu : on_gpu ? options.gpus : std::vector<int>{}) {
        text += " --gpu " + std::to_string(gpu);
    }
    if (on_gpu && !options.cutlass.empty()) {
        text += " --cutlass " + shell_quoted(options.cutlass);
    }
    if (!on_gpu && options.device_cores != defaults.device_cores) {
        text += " --device-cores " + std::to_string(options.device_cores);
    }
    return text;
}

std::unique_ptr<Evaluator> make_evaluator_or_throw(LocalEvaluatorOptions options) {
    options.peaks_files = {user_peaks_file()};
    options.on_cache_trouble = [](const Error& error) {
        complain("not all verdicts are kept in the cache folder: " + error.message());
    };
    return value_or_end(make_local_evaluator(options));
}

}  // namespace atl
