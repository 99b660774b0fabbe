#include "reward/workers/nvrtc_work.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/jail_limits.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/cuda/device_binary.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace atl {

namespace {

constexpr std::uint64_t k_max_open_files = 64;
constexpr std::uint64_t k_temporary_bytes = 2ull << 30;
/// Deeply nested sources crash the front end with the usual 8 MB.
constexpr rlim_t k_stack_bytes = 64u << 20;

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
    ATOLL_TRY(limit_resources(order, plan.base_bytes));
    ATOLL_TRY(drop_capabilities());
    if (plan.landlock != nullptr) {
        LandlockRules rules = *plan.landlock;
        rules.writable = {plan.work_folder};  // not the folders of other compilations
        ATOLL_TRY(apply_landlock(rules));
    }
    return plan.filter != nullptr ? plan.filter->apply_for_own_pid() : Status{};
}

void say(const NvrtcWork& work, NvrtcWord word) {
    const char byte = static_cast<char>(word);
    (void)write_all(work.words.get(), std::string_view(&byte, 1));
}

NvrtcWord report(const NvrtcWork& work, const Expected<NvrtcOutput>& made) {
    if (!made) {
        const std::string text = made.error().message() + "\n";
        (void)write_all(work.log.get(), text.substr(0, k_max_nvrtc_log_bytes));
        return NvrtcWord::error;
    }
    const NvrtcOutput& output = *made;
    const std::string_view log = output.log;
    if (!write_all(work.log.get(), log.substr(0, k_max_nvrtc_log_bytes))) {
        return NvrtcWord::error;
    }
    if (!output.ok) {
        return output.out_of_memory ? NvrtcWord::no_memory : NvrtcWord::error;
    }
    std::string names = name_of_use(output.touches_variables) + "\n";
    for (const std::string& name : output.names) {
        names += name + "\n";
    }
    const bool written =
        write_all(work.cubin.get(), output.cubin) && write_all(work.names.get(), names);
    return written ? NvrtcWord::ok : NvrtcWord::error;
}

/// Blocks until there is one; nullopt when there is none to come.
std::optional<NvrtcWork> receive_order() {
    FrameChannel orders{FileHandle(k_nvrtc_orders_fd)};
    Expected<Frame> frame = orders.receive(std::chrono::milliseconds(-1));
    if (!frame || frame->handles.size() != static_cast<std::size_t>(NvrtcHandle::count)) {
        return std::nullopt;
    }
    const auto handle = [&frame](NvrtcHandle which) -> FileHandle& {
        return frame->handles[static_cast<std::size_t>(which)];
    };
    Expected<NvrtcOrder> order = parse_nvrtc_order(frame->payload);
    Expected<std::string> source = read_source(handle(NvrtcHandle::source).get());
    if (!order || !source) {
        const Error& error = order ? source.error() : order.error();
        (void)write_all(handle(NvrtcHandle::log).get(), error.message());
        return std::nullopt;
    }
    return NvrtcWork{std::move(*order),
                     std::move(*source),
                     std::move(handle(NvrtcHandle::log)),
                     std::move(handle(NvrtcHandle::cubin)),
                     std::move(handle(NvrtcHandle::names)),
                     std::move(handle(NvrtcHandle::words))};
}

}  // namespace

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

Status enter_own_folder(const NvrtcPlan& plan) {
    if (plan.level == SandboxLevel::full) {
        if (::unshare(CLONE_NEWNS) != 0) {
            return tl::unexpected(errno_error("unshare", "NVRTC", errno));
        }
        ATOLL_TRY(mount_tmpfs(plan.work_folder, k_temporary_bytes));
    }
    if (::chdir(plan.work_folder.c_str()) != 0) {
        return tl::unexpected(errno_error("chdir", plan.work_folder, errno));
    }
    ::setenv("TMPDIR", plan.work_folder.c_str(), 1);
    return {};
}

std::optional<NvrtcWork> take_order(const NvrtcPlan& plan) {
    std::optional<NvrtcWork> work = receive_order();
    const Status confined = work ? confine(plan, work->order) : Status{};
    if (!confined) {
        (void)write_all(work->log.get(), confined.error().message());
        return std::nullopt;
    }
    if (work) {
        say(*work, NvrtcWord::confined);
    }
    return work;
}

void refuse_order(const Error& why) {
    if (const std::optional<NvrtcWork> work = receive_order()) {
        (void)write_all(work->log.get(), why.message());
    }
}

void answer(const NvrtcWork& work, const Expected<NvrtcOutput>& made) {
    say(work, report(work, made));
}

}  // namespace atl
