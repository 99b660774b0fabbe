#include "reward/workers/run_child.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/base/process.hpp"
#include "reward/launch_contract.hpp"
#include "reward/workers/futex.hpp"
#include "reward/workers/run_control.hpp"
#include "reward/workers/variable_snapshot.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>

namespace atl {

namespace {

constexpr int k_fault_fd = 3;
constexpr int k_binary_fd = 4;
constexpr std::uint64_t k_max_open_files = 16;

/// One argument set, in memory that the candidate cannot write.
struct Arguments {
    void* const* tensors = nullptr;
    const double* scalars = nullptr;
    const long long* axes = nullptr;
};

struct Prepared {
    RunControl* control = nullptr;
    const Arguments* launches = nullptr;
    std::size_t launch_count = 0;
};

Expected<char*> map_guarded(int fd, std::uint64_t bytes) {
    void* space = ::mmap(nullptr, bytes + 2 * k_guard_bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) {
        return tl::unexpected(errno_error("mmap", "guard pages", errno));
    }
    char* place = static_cast<char*>(space) + k_guard_bytes;
    if (::mmap(place, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
               0) == MAP_FAILED) {
        return tl::unexpected(errno_error("mmap", "buffer", errno));
    }
    return place;
}

/// Lays arrays one after the other into anonymous memory that is then made read-only.
class ReadOnlyArena {
  public:
    [[nodiscard]] Status reserve(std::size_t bytes) {
        m_bytes = std::max<std::size_t>(bytes, 1);
        void* memory =
            ::mmap(nullptr, m_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            return tl::unexpected(errno_error("mmap", "arguments", errno));
        }
        m_base = static_cast<char*>(memory);
        return {};
    }

    template <class Item>
    Item* place(std::size_t count) {
        static_assert(alignof(Item) <= sizeof(void*) && sizeof(Item) % sizeof(void*) == 0);
        Item* items = reinterpret_cast<Item*>(m_base + m_used);
        m_used += count * sizeof(Item);
        return items;
    }

    [[nodiscard]] Status seal() {
        if (::mprotect(m_base, m_bytes, PROT_READ) != 0) {
            return tl::unexpected(errno_error("mprotect", "arguments", errno));
        }
        return {};
    }

  private:
    char* m_base = nullptr;
    std::size_t m_bytes = 0;
    std::size_t m_used = 0;
};

std::size_t argument_bytes(const StartRun& order) {
    std::size_t words = 0;
    for (const StartRun::LaunchArguments& launch : order.launches) {
        words += launch.tensors.size() + launch.scalars.size() + launch.axes.size();
    }
    return words * sizeof(void*) + order.launches.size() * sizeof(Arguments);
}

Status lay_out_arguments(const StartRun& order, const std::vector<char*>& bases, Prepared& out) {
    ReadOnlyArena arena;
    ATOLL_TRY(arena.reserve(argument_bytes(order)));
    Arguments* sets = arena.place<Arguments>(order.launches.size());
    for (std::size_t i = 0; i < order.launches.size(); ++i) {
        const StartRun::LaunchArguments& launch = order.launches[i];
        void** tensors = arena.place<void*>(launch.tensors.size());
        for (std::size_t t = 0; t < launch.tensors.size(); ++t) {
            tensors[t] = bases[launch.tensors[t].mapping] + launch.tensors[t].offset;
        }
        double* scalars = arena.place<double>(launch.scalars.size());
        std::copy(launch.scalars.begin(), launch.scalars.end(), scalars);
        long long* axes = arena.place<long long>(launch.axes.size());
        std::copy(launch.axes.begin(), launch.axes.end(), axes);
        sets[i] = {tensors, scalars, axes};
    }
    out.launches = sets;
    out.launch_count = order.launches.size();
    return arena.seal();
}

Expected<Prepared> map_everything(const RunPlan& plan) {
    Prepared prepared;
    void* page = ::mmap(nullptr, k_run_control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                        plan.handles[1].get(), 0);
    if (page == MAP_FAILED) {
        return tl::unexpected(errno_error("mmap", "control page", errno));
    }
    prepared.control = static_cast<RunControl*>(page);
    std::vector<char*> bases;
    for (const StartRun::Mapping& mapping : plan.order.mappings) {
        ATOLL_TRY_ASSIGN(bases.emplace_back(),
                         map_guarded(plan.handles[mapping.handle].get(), mapping.map_bytes));
    }
    ATOLL_TRY(lay_out_arguments(plan.order, bases, prepared));
    return prepared;
}

JailLimits limits_of(const RunPlan& plan) {
    std::uint64_t mapped = argument_bytes(plan.order) + k_run_control_bytes;
    for (const StartRun::Mapping& mapping : plan.order.mappings) {
        mapped += mapping.map_bytes + 2 * k_guard_bytes;
    }
    JailLimits limits;
    limits.address_space_bytes = plan.address_space_bytes + mapped + plan.order.memory_bytes;
    limits.cpu_seconds = static_cast<std::uint64_t>(std::ceil(plan.order.cpu_seconds));
    limits.file_bytes = 0;
    limits.open_files = k_max_open_files;
    if (plan.max_processes > 0) {
        limits.processes = plan.max_processes;
    }
    return limits;
}

/// Leaves 0-2 (/dev/null), the fault pipe as 3 and, where it is loaded by handle, the binary as 4.
/// The handles stay owned by the caller's objects, which this process never destroys.
Status keep_only_needed_handles(const RunPlan& plan, FileHandle& fault_pipe) {
    // Out of the way first, so that neither overwrites the other.
    const int fault = ::fcntl(fault_pipe.get(), F_DUPFD, k_binary_fd + 1);
    const int binary = ::fcntl(plan.handles[0].get(), F_DUPFD, k_binary_fd + 1);
    if (fault < 0 || binary < 0 || ::dup2(fault, k_fault_fd) < 0 ||
        ::dup2(binary, k_binary_fd) < 0) {
        return tl::unexpected(errno_error("dup2", "run", errno));
    }
    if (::close_range(plan.binary_path.empty() ? k_binary_fd + 1 : k_binary_fd, ~0u, 0) != 0) {
        return tl::unexpected(errno_error("close_range", "run", errno));
    }
    (void)fault_pipe.release();
    return {};
}

/// A signal handler is told nothing but the signal, so what it needs has to be here. Written
/// once, by a process that runs one candidate.
RunControl* g_control_of_handler = nullptr;

/// Leaves the number of the system call where the zygote finds it. The handler's own call is not
/// allowed either, and SIGSYS, blocked while its handler runs, then ends the process.
void note_refused_call(int /*signal*/, siginfo_t* about, void* /*context*/) {
    g_control_of_handler->refused_call.store(static_cast<std::uint32_t>(about->si_syscall) + 1);
    ::kill(::getpid(), SIGSYS);
}

/// To be called before the filter, which lets nobody set a handler.
Status catch_refused_calls(RunControl& control) {
    g_control_of_handler = &control;
    struct sigaction action {};
    action.sa_sigaction = note_refused_call;
    action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
    if (::sigaction(SIGSYS, &action, nullptr) != 0) {
        return tl::unexpected(errno_error("sigaction", "run", errno));
    }
    return {};
}

/// What the process has before the candidate has any: the buffers, all of whose pages are there,
/// and what a fork takes over. A fork begins its peak with what it has then, so that nothing the
/// zygote once used counts.
Status note_given_memory(RunControl& control) {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) {
        return tl::unexpected(errno_error("getrusage", "run", errno));
    }
    control.given_bytes.store(static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
    return {};
}

Expected<Prepared> prepare(const RunPlan& plan, FileHandle& fault_pipe) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl", "run", errno));
    }
    ATOLL_TRY(pin_to_cores(plan.order.cores));
    ATOLL_TRY_ASSIGN(Prepared prepared, map_everything(plan));
    ATOLL_TRY(keep_only_needed_handles(plan, fault_pipe));
    ATOLL_TRY(apply_limits(limits_of(plan)));
    ATOLL_TRY(note_given_memory(*prepared.control));  // which no filter allows
    if (plan.filters != nullptr) {
        ATOLL_TRY(catch_refused_calls(*prepared.control));
        ATOLL_TRY(plan.filters->load.apply_for_own_pid());
    }
    return prepared;
}

void publish_state(RunControl& control, std::uint32_t state) {
    control.state.store(state);
    futex_wake(control.state);
}

[[noreturn]] void report_load_failure(RunControl& control, const std::string& path) {
    const char* message = ::dlerror();
    std::string text = message != nullptr ? message : "unknown error";
    if (const std::size_t at = text.find(path); at != std::string::npos) {
        text.replace(at, path.size(), "candidate.so");
    }
    text.resize(std::min<std::size_t>(text.size(), k_run_control_bytes - k_run_text_offset - 1));
    std::memcpy(reinterpret_cast<char*>(&control) + k_run_text_offset, text.c_str(),
                text.size() + 1);
    publish_state(control, k_run_load_failed);
    ::_exit(0);
}

NativeFunction load_binary(const RunPlan& plan, RunControl& control) {
    const std::string path = plan.binary_path.empty()
                                 ? "/proc/self/fd/" + std::to_string(k_binary_fd)
                                 : plan.binary_path;
    // From here on the candidate's constructors run.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        report_load_failure(control, path);
    }
    void* symbol = ::dlsym(library, k_entry_symbol);
    if (symbol == nullptr) {
        report_load_failure(control, path);
    }
    if (plan.binary_path.empty()) {
        ::close(k_binary_fd);
    }
    NativeFunction entry = nullptr;
    std::memcpy(&entry, &symbol, sizeof(entry));
    return entry;
}

/// Sleeps until the verifier wants something new; the launch it wants.
std::uint32_t wait_for_command(RunControl& control, std::uint32_t& command) {
    const std::uint32_t done = command;
    command = control.command.load();
    while (command == done) {
        futex_wait(control.command, done);
        command = control.command.load();
    }
    return control.launch;
}

void answer(RunControl& control, std::uint32_t command) {
    control.reply.store(command);
    futex_wake(control.reply);
}

/// What a launch left on the stack must not pass for numbers in the next one: a candidate that
/// reads there what it never wrote finds huge ones.
[[gnu::noinline]] void poison_stack() {
    std::array<std::byte, 4096> below;
    std::memset(below.data(), 0x7F, below.size());
    asm volatile("" : : "r"(below.data()) : "memory");
}

/// Empty rounds, until the binary is to be loaded.
std::uint32_t serve_empty_rounds(RunControl& control) {
    std::uint32_t command = 0;
    while (wait_for_command(control, command) == k_launch_nothing) {
        poison_stack();  // as a launch does, so that it is part of what is subtracted
        answer(control, command);
    }
    return command;
}

/// `variables`: to be as they are there before each launch.
[[noreturn]] void serve_launches(const Prepared& prepared, NativeFunction entry,
                                 const VariableSnapshot& variables, std::uint32_t command) {
    RunControl& control = *prepared.control;
    publish_state(control, k_run_loaded);
    while (true) {
        answer(control, command);
        const std::uint32_t launch = wait_for_command(control, command);
        if (launch >= prepared.launch_count) {
            ::_exit(1);
        }
        const Arguments& arguments = prepared.launches[launch];
        variables.restore();
        poison_stack();
        entry(arguments.tensors, arguments.scalars, arguments.axes);
    }
}

Status check_size(const FileHandle& handle, std::uint64_t bytes, const char* what) {
    struct stat about {};
    if (::fstat(handle.get(), &about) != 0) {
        return tl::unexpected(errno_error("fstat", what, errno));
    }
    if (!S_ISREG(about.st_mode) || std::cmp_less(about.st_size, bytes)) {
        return failure(ErrorCode::corrupt, "is smaller than what is to be mapped", what);
    }
    return {};
}

}  // namespace

Status check_run_plan(const RunPlan& plan) {
    if (plan.handles.size() < 2) {
        return failure(ErrorCode::corrupt, "the binary or the control page is missing",
                       "start_run");
    }
    ATOLL_TRY(check_size(plan.handles[0], 1, "binary"));
    ATOLL_TRY(check_size(plan.handles[1], k_run_control_bytes, "control page"));
    for (const StartRun::Mapping& mapping : plan.order.mappings) {
        if (mapping.handle >= plan.handles.size()) {
            return failure(ErrorCode::corrupt, "a mapping has no handle", "start_run");
        }
        ATOLL_TRY(check_size(plan.handles[mapping.handle], mapping.map_bytes, "buffer"));
    }
    return {};
}

void run_candidate(const RunPlan& plan, FileHandle fault_pipe) {
    Expected<Prepared> prepared = prepare(plan, fault_pipe);
    const int fault_fd = fault_pipe ? fault_pipe.get() : k_fault_fd;
    if (!prepared) {
        const std::string text = prepared.error().message();
        const bool told =
            ::write(fault_fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
        ::_exit(told ? 1 : 2);
    }
    ::close(fault_fd);
    const std::uint32_t command = serve_empty_rounds(*prepared->control);
    NativeFunction entry = load_binary(plan, *prepared->control);
    // The candidate's constructors could have tampered with this filter, but not with the one
    // already in force, which lets nothing out either.
    if (plan.filters != nullptr && !plan.filters->run.apply_for_own_pid()) {
        ::_exit(1);
    }
    const VariableSnapshot variables =
        plan.order.fresh_variables ? VariableSnapshot::of(reinterpret_cast<const void*>(entry))
                                   : VariableSnapshot();
    serve_launches(*prepared, entry, variables, command);
}

}  // namespace atl
