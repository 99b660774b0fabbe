#include "reward/workers/nvrtc_child.hpp"

#include "reward/cuda/device_prelude.hpp"
#include "reward/workers/nvrtc_memory.hpp"
#include "reward/workers/nvrtc_work.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

namespace atl {

namespace {

constexpr const char* k_bundle_name = "atoll_bundle.h";
constexpr const char* k_empty_kernel = "__global__ void nothing() {}\n";
/// The one flag that headers see which the tune operator chooses.
constexpr const char* k_fast_math = "--use_fast_math";

std::vector<std::string> options_for(const WarmNvrtc& warm, const std::string& architecture) {
    std::vector<std::string> options{"--gpu-architecture=" + architecture,
                                     "--modify-stack-limit=false", "--generate-line-info",
                                     "--disable-warnings", "--ptxas-options=-v",
                                     "--device-int128",  // as nvcc does on Linux
                                     // split_cuda_source() leaves constants and constexpr
                                     // functions without a space, which both halves use.
                                     "--device-as-default-execution-space"};
    for (const std::string& folder : warm.include) {
        options.push_back("--include-path=" + folder);
    }
    return options;
}

bool is_standard(const std::string& flag) {
    return flag.starts_with("--std=");
}

/// `bundle`: null for none.
NvrtcInput input_for(const WarmNvrtc& warm, const NvrtcOrder& order, const std::string& source,
                     const PrecompiledBundle* bundle) {
    NvrtcInput input;
    input.source = source;
    input.name = k_device_source_name;
    input.headers = host_headers();
    input.options = options_for(warm, order.architecture);
    input.options.insert(input.options.end(), order.flags.begin(), order.flags.end());
    if (std::none_of(order.flags.begin(), order.flags.end(), is_standard)) {
        input.options.emplace_back(k_cuda_standard);
    }
    input.name_expressions = order.name_expressions;
    if (bundle != nullptr) {
        input.headers.push_back({k_bundle_name, bundle_text(bundle->bundle)});
        input.options.insert(input.options.end(), {"--pch-verbose=false", "--pch-messages=false"});
        input.options.push_back(std::string("--pre-include=") + k_bundle_name);
        if (!bundle->file.empty()) {
            input.options.push_back("--use-pch=" + bundle->file);
        }
    }
    return input;
}

/// Flags that no header sees: they are for what comes after the front end.
bool is_for_the_back_end(const std::string& flag) {
    return flag.starts_with("--maxrregcount=") || flag.starts_with("--fmad=") ||
           flag == "--extra-device-vectorization";
}

/// What is in a precompiled header was read with certain options; with others it is not used, and
/// the whole bundle would be compiled. Null when there is none for the order.
const PrecompiledBundle* usable_bundle(const WarmNvrtc& warm, const NvrtcOrder& order,
                                       HeaderBundle wanted) {
    std::vector<std::string> seen = order.flags;
    std::erase_if(seen, is_for_the_back_end);
    const auto found = std::find_if(
        warm.bundles.begin(), warm.bundles.end(),
        [&](const PrecompiledBundle& one) { return one.bundle == wanted && one.flags == seen; });
    const bool usable = found != warm.bundles.end() && order.architecture == warm.architecture;
    return usable ? &*found : nullptr;
}

/// Whether an error may come of a header that the source did not ask for.
bool may_be_of_the_bundle(std::string_view log) {
    return log.find("already") != std::string_view::npos ||
           log.find("redefinition") != std::string_view::npos ||
           log.find("redeclaration") != std::string_view::npos ||
           log.find("incompatible") != std::string_view::npos ||
           log.find("overload") != std::string_view::npos ||
           log.find("ambiguous") != std::string_view::npos;
}

/// Descriptors that it has of its parent go, but for the standard three and its socket.
Status keep_orders_only(int orders) {
    if (orders != k_nvrtc_orders_fd && ::dup2(orders, k_nvrtc_orders_fd) < 0) {
        return tl::unexpected(errno_error("dup2", "NVRTC", errno));
    }
    ::close_range(k_nvrtc_orders_fd + 1, ~0u, 0);
    return {};
}

Expected<NvrtcOutput> assemble(const WarmNvrtc& warm, const NvrtcOrder& order,
                               const std::string& source) {
    const std::optional<JitLinkLibrary>& jit_link = warm.jit_link;
    return jit_link ? jit_link->assemble(source, order.architecture)
                    : failure(ErrorCode::unavailable, "there is no nvJitLink", "PTX");
}

Expected<NvrtcOutput> compile(const WarmNvrtc& warm, const NvrtcOrder& order,
                              const std::string& source) {
    const HeaderBundle wanted = order.bundle;
    const auto usable = [&](HeaderBundle bundle) { return usable_bundle(warm, order, bundle); };
    const auto attempt = [&](const PrecompiledBundle* with) {
        return warm.library.compile(input_for(warm, order, source, with));
    };
    const PrecompiledBundle* used = usable(wanted);
    Expected<NvrtcOutput> output = attempt(used);
    const auto failed = [&] { return output && !output->ok; };
    if (failed() && used == nullptr && wanted != HeaderBundle::none) {
        // A header that it forgot, and a bundle has, must not be missed for a flag's sake.
        const bool groups = wanted == HeaderBundle::groups;
        const PrecompiledBundle as_text{groups ? HeaderBundle::library : wanted, {}, ""};
        Expected<NvrtcOutput> second = attempt(&as_text);
        return second && second->ok ? std::move(second) : std::move(output);
    }
    if (failed() && used != nullptr && wanted == HeaderBundle::groups) {
        used = usable(HeaderBundle::library);  // maybe for want of what `groups` leaves out
        output = attempt(used);
    }
    if (failed() && used != nullptr && wanted != HeaderBundle::none &&
        may_be_of_the_bundle(output->log)) {
        output = attempt(usable(HeaderBundle::none));
    }
    return output;
}

[[noreturn]] void compile_when_ordered(const NvrtcPlan& plan) {
    const std::optional<NvrtcWork> work = take_order(plan);
    if (!work) {
        ::_exit(1);  // the zygote is gone, or has been told why
    }
    const WarmNvrtc& warm = *plan.warm;
    answer(*work, work->order.ptx ? assemble(warm, work->order, work->source)
                                  : compile(warm, work->order, work->source));
    ::_exit(0);
}

/// Alone with its socket, its memory and its folder.
Status prepare_to_wait(const NvrtcPlan& plan) {
    ATOLL_TRY(keep_orders_only(plan.orders.get()));
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl", "NVRTC", errno));
    }
    take_own_memory(plan.warm->library.path());
    return enter_own_folder(plan);
}

/// What does not compile with these headers is left out.
void precompile(WarmNvrtc& warm, HeaderBundle bundle, std::vector<std::string> flags) {
    const std::string file =
        warm.folder + "/" + to_string(bundle) + (flags.empty() ? "" : "-with-flags") + ".pch";
    NvrtcOrder order;
    order.architecture = warm.architecture;
    order.flags = flags;
    const PrecompiledBundle made{bundle, std::move(flags), file};
    NvrtcInput input = input_for(warm, order, k_empty_kernel, &made);
    input.options.back() = "--create-pch=" + file;
    const Expected<NvrtcOutput> output = warm.library.compile(input);
    if (output && output->ok) {
        warm.bundles.push_back(made);
    }
}

}  // namespace

Status precompile_headers(WarmNvrtc& warm) {
    begin_to_keep_precompiled_headers();
    ATOLL_TRY(warm.library.reserve_precompiled_headers(k_precompiled_heap_bytes));
    NvrtcOrder order;
    order.architecture = warm.architecture;
    // Once without: what is loaded when first used must be, before the jail closes.
    ATOLL_TRY_ASSIGN(const NvrtcOutput plain,
                     warm.library.compile(input_for(warm, order, k_empty_kernel, nullptr)));
    if (!plain.ok) {
        return failure(ErrorCode::unavailable,
                       "cannot compile an empty kernel: " + plain.log.substr(0, 1000),
                       warm.library.path());
    }
    if (warm.folder.empty()) {
        return {};
    }
    for (const HeaderBundle bundle : k_precompiled_bundles) {
        precompile(warm, bundle, {});
        // The largest takes seconds, and is rare beside that flag.
        if (bundle != HeaderBundle::library) {
            precompile(warm, bundle, {k_fast_math});
        }
    }
    return {};
}

void compile_device_code(const NvrtcPlan& plan) {
    const Status waits = prepare_to_wait(plan);
    if (!waits) {
        refuse_order(waits.error());
        ::_exit(1);
    }
    compile_when_ordered(plan);
}

}  // namespace atl
