#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What this machine gives to processes, to judge a benchmark's scaling by.
namespace machine {

/// How many times the work of one process `processes` of them do in the same time, where each only
/// computes: hardware threads that share a core, and clocks, show here.
[[nodiscard]] double scaling_of_arithmetic(int processes);
/// The same where each forks children that touch fresh memory, as compilers do: the kernel's share.
[[nodiscard]] double scaling_of_forks(int processes);

/// The cores that this process may use, and a change of that for it and what it starts.
[[nodiscard]] std::vector<int> allowed_cores();
void use_cores(const std::vector<int>& cores);

/// CPU seconds so far of this process's workers that play `role` ("nvrtc") and of all that they
/// have started and waited for; of this process itself for "".
[[nodiscard]] double cpu_seconds_of(std::string_view role);

}  // namespace machine
