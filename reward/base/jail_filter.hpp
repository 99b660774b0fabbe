#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// A condition on one argument of a system call: (argument & mask) == value.
struct ArgumentRule {
    unsigned index = 0;
    std::uint64_t mask = 0;
    std::uint64_t value = 0;
};

/// What happens to a system call that no rule names.
enum class FilterDefault {
    trap,   ///< SIGSYS, which says which call it was to a handler that was there before
    enosys  ///< "not implemented": for programs that probe for newer calls
};

/// A seccomp filter as a compiled program, ready to be put on a process in a few microseconds.
/// Immutable once built.
class SyscallFilter {
  public:
    /// True where seccomp can be used on this machine (asks the kernel, changes nothing).
    [[nodiscard]] static bool supported();

    /// Restricts the calling thread and all its later children for good. Needs no_new_privs.
    [[nodiscard]] Status apply() const;
    /// The same for every thread of the process. An error where one of them has another filter.
    [[nodiscard]] Status apply_to_all_threads() const;
    /// As apply(), with the caller's pid wherever FilterBuilder::k_own_pid was named.
    [[nodiscard]] Status apply_for_own_pid() const;
    [[nodiscard]] std::size_t instructions() const { return m_program.size(); }
    /// struct sock_filter, for another program to apply.
    [[nodiscard]] const std::vector<std::uint64_t>& program() const { return m_program; }

  private:
    friend class FilterBuilder;
    /// struct sock_filter, kept opaque so that the header stays light.
    std::vector<std::uint64_t> m_program;
};

/// "socket"; empty for a number that no system call has.
[[nodiscard]] std::string system_call_name(std::uint32_t number);

/// Collects rules; names that this kernel or architecture lacks are ignored, since what is not
/// named is refused anyway. The first error is kept and returned by build().
class FilterBuilder {
  public:
    /// Stands for the pid of the process that applies the filter, in rules on a whole argument.
    static constexpr std::uint32_t k_own_pid = 0x5eedf11e;

    explicit FilterBuilder(FilterDefault default_action);
    ~FilterBuilder();
    FilterBuilder(const FilterBuilder&) = delete;
    FilterBuilder& operator=(const FilterBuilder&) = delete;

    FilterBuilder& allow(std::initializer_list<const char*> names);
    /// Allowed when every rule holds.
    FilterBuilder& allow_if(const char* name, std::vector<ArgumentRule> rules);
    FilterBuilder& refuse(std::initializer_list<const char*> names, int errno_value);
    /// Refused when every rule holds; otherwise what is the default, or said elsewhere.
    FilterBuilder& refuse_if(const char* name, std::vector<ArgumentRule> rules, int errno_value);
    FilterBuilder& kill(std::initializer_list<const char*> names);
    [[nodiscard]] Expected<SyscallFilter> build();

  private:
    void add(std::uint32_t action, const char* name, const std::vector<ArgumentRule>& rules);

    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace atl
