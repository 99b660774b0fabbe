#pragma once

#include "reward/base/files.hpp"
#include "reward/workers/nvrtc_child.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// An order as a child of the NVRTC zygote has it: what to compile, and where to answer.
struct NvrtcWork {
    NvrtcOrder order;
    std::string source;
    FileHandle log;
    FileHandle cubin;
    FileHandle names;
    FileHandle words;
};

inline constexpr int k_nvrtc_orders_fd = 3;  ///< where a child has its socket

/// Gives this process a folder for temporary files that no other one sees (or, below level full,
/// one of its own).
[[nodiscard]] Status enter_own_folder(const NvrtcPlan& plan);

/// Waits for the order, then closes the jail: from here on the process has nothing but its order
/// and its answer. nullopt when no order comes or the jail cannot be closed; whoever waits for an
/// answer has been told.
[[nodiscard]] std::optional<NvrtcWork> take_order(const NvrtcPlan& plan);

/// For a child that cannot take one: waits for the order and says why.
void refuse_order(const Error& why);

[[nodiscard]] Status write_all(int fd, std::string_view bytes);

/// Leaves what came of it, and says so.
void answer(const NvrtcWork& work, const Expected<NvrtcOutput>& made);

}  // namespace atl
