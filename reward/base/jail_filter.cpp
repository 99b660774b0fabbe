#include "reward/base/jail_filter.hpp"

#include "reward/base/files.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace atl {

constexpr std::uint32_t k_last_system_call = 0xffff;

static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));

namespace {

Status load_program(std::vector<std::uint64_t> program, unsigned flags = 0) {
    sock_fprog description{};
    description.len = static_cast<unsigned short>(program.size());
    description.filter = reinterpret_cast<sock_filter*>(program.data());
    const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &description);
    if (result > 0) {
        return failure(ErrorCode::internal,
                       "thread " + std::to_string(result) + " has a filter of its own", "sandbox");
    }
    if (result != 0) {
        return tl::unexpected(errno_error("seccomp", "sandbox", errno));
    }
    return {};
}

Error seccomp_error(const char* call, int result) {
    return errno_error(call, "sandbox", -result);
}

}  // namespace

bool SyscallFilter::supported() {
    std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Status SyscallFilter::apply() const {
    return load_program(m_program);
}

Status SyscallFilter::apply_to_all_threads() const {
    return load_program(m_program, SECCOMP_FILTER_FLAG_TSYNC);
}

Status SyscallFilter::apply_for_own_pid() const {
    std::vector<std::uint64_t> program = m_program;
    for (std::uint64_t& instruction : program) {
        auto decoded = std::bit_cast<sock_filter>(instruction);
        if (BPF_CLASS(decoded.code) == BPF_JMP && decoded.k == FilterBuilder::k_own_pid) {
            decoded.k = static_cast<std::uint32_t>(::getpid());
            instruction = std::bit_cast<std::uint64_t>(decoded);
        }
    }
    return load_program(std::move(program));
}

std::string system_call_name(std::uint32_t number) {
    if (number > k_last_system_call) {  // libseccomp has numbers of its own beyond
        return "";
    }
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)), &std::free);
    return name ? name.get() : "";
}

struct FilterBuilder::State {
    scmp_filter_ctx context = nullptr;
    Status status;
};

FilterBuilder::FilterBuilder(FilterDefault default_action) : m_state(std::make_unique<State>()) {
    m_state->context = ::seccomp_init(
        default_action == FilterDefault::trap ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS));
    if (m_state->context == nullptr) {
        m_state->status = failure(ErrorCode::no_space, "seccomp_init failed", "sandbox");
        return;
    }
    // System calls of other instruction sets (int 0x80): the default would kill one thread only.
    ::seccomp_attr_set(m_state->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
}

FilterBuilder::~FilterBuilder() {
    if (m_state->context != nullptr) {
        ::seccomp_release(m_state->context);
    }
}

void FilterBuilder::add(std::uint32_t action, const char* name,
                        const std::vector<ArgumentRule>& rules) {
    if (!m_state->status) {
        return;
    }
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number < 0) {
        return;
    }
    std::vector<scmp_arg_cmp> conditions;
    for (const ArgumentRule& rule : rules) {
        conditions.push_back(SCMP_CMP(rule.index, SCMP_CMP_MASKED_EQ, rule.mask, rule.value));
    }
    const int result =
        ::seccomp_rule_add_array(m_state->context, action, number,
                                 static_cast<unsigned>(conditions.size()), conditions.data());
    if (result != 0) {
        m_state->status = tl::unexpected(seccomp_error(name, result));
    }
}

FilterBuilder& FilterBuilder::allow(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        add(SCMP_ACT_ALLOW, name, {});
    }
    return *this;
}

FilterBuilder& FilterBuilder::allow_if(const char* name, std::vector<ArgumentRule> rules) {
    add(SCMP_ACT_ALLOW, name, rules);
    return *this;
}

FilterBuilder& FilterBuilder::refuse(std::initializer_list<const char*> names, int errno_value) {
    for (const char* name : names) {
        add(SCMP_ACT_ERRNO(static_cast<unsigned>(errno_value)), name, {});
    }
    return *this;
}

FilterBuilder& FilterBuilder::refuse_if(const char* name, std::vector<ArgumentRule> rules,
                                        int errno_value) {
    add(SCMP_ACT_ERRNO(static_cast<unsigned>(errno_value)), name, rules);
    return *this;
}

FilterBuilder& FilterBuilder::kill(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        add(SCMP_ACT_KILL_PROCESS, name, {});
    }
    return *this;
}

Expected<SyscallFilter> FilterBuilder::build() {
    ATOLL_TRY(m_state->status);
    const FileHandle file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", "sandbox", errno));
    }
    // Without this the filter is a long chain of comparisons, walked on every system call.
    ::seccomp_attr_set(m_state->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (const int result = ::seccomp_export_bpf(m_state->context, file.get()); result != 0) {
        return tl::unexpected(seccomp_error("seccomp_export_bpf", result));
    }
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    SyscallFilter filter;
    filter.m_program.resize(static_cast<std::size_t>(size) / sizeof(sock_filter));
    if (filter.m_program.empty() ||
        ::pread(file.get(), filter.m_program.data(), static_cast<std::size_t>(size), 0) != size) {
        return failure(ErrorCode::internal, "the exported filter cannot be read", "sandbox");
    }
    return filter;
}

}  // namespace atl
