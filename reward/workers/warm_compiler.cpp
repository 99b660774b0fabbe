#include "reward/workers/warm_compiler.hpp"

#include "reward/base/frame.hpp"
#include "reward/base/jail_limits.hpp"
#include "reward/base/jail_root.hpp"
#include "reward/base/process.hpp"
#include "reward/workers/warm_command.hpp"
#include "reward/workers/warm_library.hpp"
#include "reward/workers/warm_messages.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace atl {

namespace {

static_assert(k_warm_own_pid == FilterBuilder::k_own_pid);

constexpr int k_patience_ms = 60'000;  ///< for each step of making one
constexpr int k_answer_ms = 10'000;    ///< for a fork
constexpr std::uint64_t k_making_cpu_seconds = 60;
constexpr std::uint64_t k_open_files = 256;
constexpr std::size_t k_said_bytes = 256u << 10;

tl::unexpected<Error> not_here(const std::string& what, const std::string& said = "") {
    return failure(ErrorCode::unavailable, what + (said.empty() ? "" : ": " + said.substr(0, 1000)),
                   "warm compiler");
}

Status write_text(const std::string& path, std::string_view text) {
    const FileHandle file(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700));
    while (file && !text.empty()) {
        const ssize_t step = ::write(file.get(), text.data(), text.size());
        if (step <= 0) {
            return tl::unexpected(errno_error("write", path, errno));
        }
        text.remove_prefix(static_cast<std::size_t>(step));
    }
    return file ? Status{} : tl::unexpected(errno_error("open", path, errno));
}

std::string text_of(const FileHandle& file) {
    std::string text(k_said_bytes, '\0');
    const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

std::vector<char*> c_strings(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// What a process of the place may do, but for its system calls. `reads_only`: not even in the
/// folder does it write.
Status confine(const WarmPlace& place, bool reads_only) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
        return tl::unexpected(errno_error("prctl", "warm compiler", errno));
    }
    JailLimits limits;
    limits.address_space_bytes = place.memory_bytes;
    limits.file_bytes = place.file_bytes;
    limits.open_files = k_open_files;
    if (!reads_only) {
        limits.cpu_seconds = k_making_cpu_seconds;
    }
    ATOLL_TRY(apply_limits(limits));
    ATOLL_TRY(drop_capabilities());
    if (place.landlock != nullptr) {
        LandlockRules rules = *place.landlock;
        rules.writable.clear();
        (reads_only ? rules.readable : rules.writable).push_back(place.folder);
        ATOLL_TRY(apply_landlock(rules));
    }
    return {};
}

[[noreturn]] void become(std::vector<std::string> words, std::vector<std::string> environment) {
    environment.insert(environment.end(), {"PATH=/usr/bin:/bin", "LC_ALL=C"});
    ::execve(words[0].c_str(), c_strings(words).data(), c_strings(environment).data());
    ::_exit(k_warm_not_confined);
}

void kill_and_reap(pid_t pid) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

/// Runs a command of ours in the folder; what it said, when it ended well.
Expected<std::string> run(const WarmPlace& place, const std::vector<std::string>& words) {
    const FileHandle said(::memfd_create("said", MFD_CLOEXEC));
    if (!said) {
        return tl::unexpected(errno_error("memfd_create", "warm compiler", errno));
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
        const bool ready =
            ::dup2(said.get(), STDOUT_FILENO) >= 0 && ::dup2(said.get(), STDERR_FILENO) >= 0 &&
            ::chdir(place.folder.c_str()) == 0 && ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
            confine(place, false) && (place.making == nullptr || place.making->apply());
        if (!ready) {
            ::_exit(k_warm_not_confined);
        }
        become(words, {"TMPDIR=" + place.folder});
    }
    ATOLL_TRY_ASSIGN(const FileHandle end, open_pidfd(pid));
    pollfd entry{end.get(), POLLIN, 0};
    if (::poll(&entry, 1, k_patience_ms) <= 0) {
        kill_and_reap(pid);
        return not_here("a command takes too long", words[0]);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        return not_here(words[0] + " " + decode_wait_status(status).text(), text_of(said));
    }
    return text_of(said);
}

/// The quickest one: what it is given is one object of some KB and the runtime.
std::string find_linker() {
    for (const char* path : {"/usr/bin/ld", "/usr/bin/ld.bfd", "/usr/bin/ld.lld"}) {
        if (::access(path, X_OK) == 0) {
            return path;
        }
    }
    return "";
}

}  // namespace

Status WarmCompiler::prepare(const WarmPlace& place) {
    const std::string stem = place.folder + "/" + place.name;
    ATOLL_TRY(write_text(stem + ".h", m_prelude));
    ATOLL_TRY(write_text(stem + ".cpp", m_runtime));
    std::vector<std::string> words{place.compiler, "-###"};
    words.insert(words.end(), m_flags.begin(), m_flags.end());
    words.insert(words.end(), {"-c", "-o", stem + ".o", stem + ".cpp"});
    ATOLL_TRY_ASSIGN(const std::string said, run(place, words));
    ATOLL_TRY_ASSIGN(const std::vector<std::string> frontend, frontend_command(said));
    std::vector<std::string> precompile =
        with_action(frontend, "-emit-pch", {"-fpch-instantiate-templates", "-o", stem + ".pch"});
    precompile.push_back(stem + ".h");
    ATOLL_TRY(run(place, precompile).map([](const std::string&) {}));
    const std::vector<std::string> use{"-fpch-instantiate-templates", "-include-pch", stem + ".pch",
                                       "-o"};
    m_command = with_action(frontend, "-emit-obj", use);
    std::vector<std::string> runtime = m_command;
    runtime.insert(runtime.end() - 2, stem + ".o");
    runtime.push_back(stem + ".cpp");
    ATOLL_TRY(run(place, runtime).map([](const std::string&) {}));
    m_command.insert(m_command.end() - 2, "-");
    m_command.emplace_back("-");
    const std::string linker = find_linker();
    if (linker.empty()) {
        return not_here("there is no linker /usr/bin/ld");
    }
    // No libraries: their symbols are looked up when the binary is loaded, where all that a
    // launcher may use is there. To read them would take longer than all of the rest.
    m_link_command = {linker,        "-shared", "-Bsymbolic",   "--eh-frame-hdr", "-z",
                      "noexecstack", "-o",      "candidate.so", "candidate.o",    stem + ".o"};
    return {};
}

Status WarmCompiler::launch(const WarmPlace& place) {
    const std::string library = place.folder + "/" + place.name + ".so";
    ATOLL_TRY(write_text(library, warm_library()));
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return tl::unexpected(errno_error("socketpair", "warm compiler", errno));
    }
    m_socket.reset(ends[0]);
    const FileHandle other(ends[1]);
    m_pid = ::fork();
    if (m_pid < 0) {
        return tl::unexpected(errno_error("fork", "warm compiler", errno));
    }
    if (m_pid == 0) {
        const bool ready = ::dup2(other.get(), k_warm_fd) >= 0 &&
                           ::close_range(k_warm_fd + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
                           ::chdir("/") == 0 && confine(place, true);
        if (!ready) {
            ::_exit(k_warm_not_confined);
        }
        become(m_command, {"LD_PRELOAD=" + library});
    }
    const void* filter = nullptr;
    std::size_t bytes = 0;
    if (place.compiling != nullptr) {
        filter = place.compiling->program().data();
        bytes = place.compiling->program().size() * sizeof(std::uint64_t);
    }
    if (bytes > k_max_warm_filter * sizeof(std::uint64_t) ||
        ::send(m_socket.get(), filter, bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes)) {
        return not_here("cannot be told its filter");
    }
    return receive_pid().map([](pid_t) {});
}

Expected<std::unique_ptr<WarmCompiler>> WarmCompiler::make(const WarmPlace& place,
                                                           const std::vector<std::string>& flags,
                                                           std::string prelude,
                                                           std::string runtime) {
    std::unique_ptr<WarmCompiler> made(new WarmCompiler);
    made->m_flags = flags;
    made->m_prelude = std::move(prelude);
    made->m_runtime = std::move(runtime);
    ATOLL_TRY(made->prepare(place));
    ATOLL_TRY(made->launch(place));
    return made;
}

WarmCompiler::~WarmCompiler() {
    if (m_pid > 0) {
        kill_and_reap(m_pid);
    }
}

Expected<pid_t> WarmCompiler::receive_pid() const {
    WarmAnswer answer;
    pollfd entry{m_socket.get(), POLLIN, 0};
    if (::poll(&entry, 1, k_answer_ms) <= 0 || ::recv(m_socket.get(), &answer, sizeof(answer), 0) !=
                                                   static_cast<ssize_t>(sizeof(answer))) {
        return not_here("does not answer");
    }
    if (answer.pid < 0) {
        return tl::unexpected(errno_error("clone", "warm compiler", static_cast<int>(-answer.pid)));
    }
    return static_cast<pid_t>(answer.pid);
}

Expected<pid_t> WarmCompiler::start(const FileHandle& source, const FileHandle& object,
                                    const FileHandle& log, std::uint64_t cpu_seconds) {
    WarmOrder order{cpu_seconds};
    const std::array<int, k_warm_handles> handles{source.get(), object.get(), log.get()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(handles))> control{};
    iovec data{&order, sizeof(order)};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(handles));
    std::memcpy(CMSG_DATA(head), handles.data(), sizeof(handles));
    if (::sendmsg(m_socket.get(), &message, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof(order))) {
        return not_here("is gone");
    }
    return receive_pid();
}

bool WarmCompiler::still_works() {
    const FileHandle source(::memfd_create("source", MFD_CLOEXEC));
    const FileHandle object(::memfd_create("object", MFD_CLOEXEC));
    const FileHandle log(::memfd_create("log", MFD_CLOEXEC));
    const Expected<pid_t> pid = source && object && log
                                    ? start(source, object, log, k_making_cpu_seconds)
                                    : not_here("cannot be tried");
    const Expected<FileHandle> end = pid ? open_pidfd(*pid) : not_here("is gone");
    pollfd entry{end ? end->get() : -1, POLLIN, 0};
    if (!pid) {
        return false;
    }
    if (!end || ::poll(&entry, 1, k_answer_ms) <= 0) {
        kill_and_reap(*pid);
        return false;
    }
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
}

}  // namespace atl
