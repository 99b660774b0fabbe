#pragma once

#include <string_view>

namespace atl {

/// Whether one process may run a launcher (the bytes of its shared object) for several workloads
/// when its variables (see VariableSnapshot) are put back in between: then each is as in a process
/// of its own, but for seeds and settings of libraries that it does not name. False where a
/// variable may point to memory of the heap once it is loaded (anything is initialised by code), is
/// a thread's own, or takes more than a megabyte, and where the launcher calls functions of the C
/// library that keep what they are told (rand, setenv and the like); also for what is no such
/// file. True is only as good as the compiler's names: a launcher that hides what it keeps has
/// plans for itself alone. Pure; linear in the bytes.
[[nodiscard]] bool can_start_afresh(std::string_view binary);

}  // namespace atl
