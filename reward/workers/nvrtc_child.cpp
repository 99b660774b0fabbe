#include "reward/workers/nvrtc_child.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/jail_limits.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/cuda/device_binary.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "reward/workers/nvrtc_memory.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace atl {

namespace {

constexpr const char* k_bundle_name = "atoll_bundle.h";
constexpr const char* k_empty_kernel = "__global__ void nothing() {}\n";
/// The one flag that headers see which the tune operator chooses.
constexpr const char* k_fast_math = "--use_fast_math";
constexpr std::uint64_t k_max_open_files = 64;
/// Deeply nested sources crash the front end with the usual 8 MB.
constexpr rlim_t k_stack_bytes = 64u << 20;

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

Status write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t step = ::write(fd, bytes.data(), bytes.size());
        if (step < 0 && errno != EINTR) {
            return tl::unexpected(errno_error("write", "NVRTC", errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(step, 0)));
    }
    return {};
}

Expected<std::string> read_source(int fd) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) {
        return tl::unexpected(errno_error("fstat", "source", errno));
    }
    std::string source(static_cast<std::size_t>(about.st_size), '\0');
    for (std::size_t done = 0; done < source.size();) {
        const ssize_t got =
            ::pread(fd, source.data() + done, source.size() - done, static_cast<off_t>(done));
        if (got <= 0) {
            return tl::unexpected(errno_error("read", "source", got == 0 ? EIO : errno));
        }
        done += static_cast<std::size_t>(got);
    }
    // NVRTC takes C strings: what follows a NUL would not be compiled, and nobody told.
    std::replace(source.begin(), source.end(), '\0', ' ');
    return source;
}

constexpr int k_first_fd = 3;
constexpr int k_orders_fd = k_first_fd;
constexpr int k_log_fd = k_first_fd;
constexpr int k_cubin_fd = k_first_fd + 1;
constexpr int k_names_fd = k_first_fd + 2;
constexpr int k_words_fd = k_first_fd + 3;

/// The only descriptors that survive, beside the standard three: those in `kept` become 3, 4, ...
template <std::size_t N>
Status keep_descriptors(std::array<int, N> kept) {
    // First out of each other's way, to numbers that nothing has.
    for (int& fd : kept) {
        fd = ::fcntl(fd, F_DUPFD, k_first_fd + static_cast<int>(N));
        if (fd < 0) {
            return tl::unexpected(errno_error("fcntl", "NVRTC", errno));
        }
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (::dup2(kept[i], k_first_fd + static_cast<int>(i)) < 0) {
            return tl::unexpected(errno_error("dup2", "NVRTC", errno));
        }
    }
    ::close_range(k_first_fd + static_cast<int>(N), ~0u, 0);
    return {};
}

Status limit_resources(const NvrtcOrder& order, std::uint64_t base_bytes) {
    const rlimit stack{k_stack_bytes, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_STACK, &stack) != 0) {
        const rlimit lower{k_stack_bytes, k_stack_bytes};
        ::setrlimit(RLIMIT_STACK, &lower);  // a hard limit below it stays as it is
    }
    JailLimits limits;
    limits.address_space_bytes = base_bytes + order.memory_bytes;
    limits.cpu_seconds = static_cast<std::uint64_t>(std::ceil(order.timeout_s)) + 1;
    limits.file_bytes = order.memory_bytes;  // its front end keeps its data in a temporary file
    limits.open_files = k_max_open_files;
    return apply_limits(limits);
}

Status confine(const NvrtcPlan& plan, const NvrtcOrder& order) {
    if (plan.level == SandboxLevel::full) {
        if (::unshare(CLONE_NEWNS) != 0) {
            return tl::unexpected(errno_error("unshare", "NVRTC", errno));
        }
        ATOLL_TRY(mount_tmpfs(plan.work_folder, order.memory_bytes / 2));
    }
    if (::chdir(plan.work_folder.c_str()) != 0) {
        return tl::unexpected(errno_error("chdir", plan.work_folder, errno));
    }
    ::setenv("TMPDIR", plan.work_folder.c_str(), 1);
    ATOLL_TRY(limit_resources(order, plan.base_bytes));
    ATOLL_TRY(drop_capabilities());
    if (plan.landlock != nullptr) {
        LandlockRules rules = *plan.landlock;
        rules.writable = {plan.work_folder};  // not the folders of other compilations
        ATOLL_TRY(apply_landlock(rules));
    }
    return plan.filter != nullptr ? plan.filter->apply_for_own_pid() : Status{};
}

void say(NvrtcWord word) {
    const char byte = static_cast<char>(word);
    (void)write_all(k_words_fd, std::string_view(&byte, 1));
}

NvrtcWord report(const NvrtcOutput& output) {
    const std::string_view log = output.log;
    if (!write_all(k_log_fd, log.substr(0, k_max_nvrtc_log_bytes))) {
        return NvrtcWord::error;
    }
    if (!output.ok) {
        return output.out_of_memory ? NvrtcWord::no_memory : NvrtcWord::error;
    }
    std::string names = name_of_use(output.touches_variables) + "\n";
    for (const std::string& name : output.names) {
        names += name + "\n";
    }
    const bool written = write_all(k_cubin_fd, output.cubin) && write_all(k_names_fd, names);
    return written ? NvrtcWord::ok : NvrtcWord::error;
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

NvrtcWord compile_confined(const WarmNvrtc& warm, const NvrtcOrder& order,
                           const std::string& source) {
    const Expected<NvrtcOutput> output =
        order.ptx ? assemble(warm, order, source) : compile(warm, order, source);
    if (!output) {
        const std::string text = output.error().message() + "\n";
        (void)write_all(k_log_fd, text.substr(0, k_max_nvrtc_log_bytes));
        return NvrtcWord::error;
    }
    return report(*output);
}

struct Work {
    NvrtcOrder order;
    std::string source;
};

/// With what came with the frame as the only descriptors.
Expected<Work> take_order(const Frame& frame) {
    Work work;
    const auto handle = [&frame](NvrtcHandle which) {
        return frame.handles.at(static_cast<std::size_t>(which)).get();
    };
    ATOLL_TRY_ASSIGN(work.order, parse_nvrtc_order(frame.payload));
    ATOLL_TRY_ASSIGN(work.source, read_source(handle(NvrtcHandle::source)));
    ATOLL_TRY(keep_descriptors(std::array{handle(NvrtcHandle::log), handle(NvrtcHandle::cubin),
                                          handle(NvrtcHandle::names), handle(NvrtcHandle::words)}));
    return work;
}

/// Alone with its socket and its memory.
Status prepare_to_wait(const NvrtcPlan& plan) {
    ATOLL_TRY(keep_descriptors(std::array{plan.orders.get()}));
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl", "NVRTC", errno));
    }
    take_own_memory(plan.warm->library.path());
    return {};
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
    FrameChannel orders{FileHandle(k_orders_fd)};
    const Expected<Frame> frame =
        waits ? orders.receive(std::chrono::milliseconds(-1)) : tl::unexpected(waits.error());
    if (!frame || frame->handles.size() != static_cast<std::size_t>(NvrtcHandle::count)) {
        ::_exit(1);  // the zygote is gone, or has the error of its own frame
    }
    const int log_fd = frame->handles[static_cast<std::size_t>(NvrtcHandle::log)].get();
    const Expected<Work> work = take_order(*frame);
    Status ready = work ? Status{} : tl::unexpected(work.error());
    ready = ready ? confine(plan, work->order) : ready;
    if (!ready) {
        (void)write_all(work ? k_log_fd : log_fd, ready.error().message());
        ::_exit(1);
    }
    say(NvrtcWord::confined);
    say(compile_confined(*plan.warm, work->order, work->source));
    ::_exit(0);
}

}  // namespace atl
