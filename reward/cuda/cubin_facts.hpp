#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/kernel_facts.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace atl {

/// Of variables of the device in one cubin (.nv.global and whatever else takes memory when it is
/// loaded but is not in the file). They are zeroed at each load, before anything is known of the
/// code; honest programs have scratch memory for what is large.
inline constexpr std::uint64_t k_max_variable_bytes = 256u << 20;

/// What a cubin (the machine code of one device, an ELF file) says of its kernels, in the order of
/// its symbols. Hostile bytes give an error of code corrupt or limit and nothing worse, and so do
/// variables beyond k_max_variable_bytes; time and memory are linear in the size. Symbols that the
/// driver must bring along, but for malloc, free, vprintf and failed assertions, are an error of
/// code invalid_argument: functions of the driver (__cuda_syscall_cnpv2LaunchDeviceV2, which ptxas
/// takes from any source) launch kernels from a kernel, whose time is in no record of a plan's
/// step. Pure.
///
/// NVIDIA documents neither sections nor attributes. What is read here was found by comparing
/// cubins of NVRTC 12.4, 12.8 and 13.0 for sm_80, sm_90a and sm_100 with what ptxas says of the
/// same kernels (the tests do the same): e_machine 190; kernels are the functions whose st_other
/// has 0x10; .nv.info holds REGCOUNT and FRAME_SIZE by symbol, .nv.info.NAME the rest;
/// .nv.shared.NAME is the static shared memory, with 1024 bytes that the device reserves from
/// compute capability 9.0 on (e_flags have it: in the lowest byte up to ABI version 7, in the next
/// one since).
[[nodiscard]] Expected<std::vector<KernelFacts>> read_cubin_facts(std::string_view cubin);

/// Of variables that no kernel touches: constants whose values the code has in itself. Only a
/// guessed address leads to them, as it does to what the device has around any code.
inline constexpr std::uint64_t k_max_untouched_bytes = 256;

/// Whether something in a cubin that a compiler made outlives a launch of its kernels: variables
/// of the device (sections .nv.global, .nv.global.init and .nv.constant3, and whatever else a
/// kernel may write to but its shared memory), unless the compiler says that the kernels touch none
/// and all together have at most k_max_untouched_bytes. Machine code alone does not tell: a table
/// (.nv.constant4) has every variable's address, and code reads it without a relocation. True for
/// bytes that are no cubin. Not for machine code from elsewhere, whose sections may be called
/// anything. Pure.
[[nodiscard]] bool keeps_state(std::string_view cubin, bool touches_variables);

/// Whether a cubin that read_cubin_facts() could read has symbols that the driver must bring along
/// (malloc, free, vprintf; undefined ones), but for that of failed assertions, which end the
/// process anyhow. The heap of such kernels belongs to the process and outlives their code. Pure.
[[nodiscard]] bool calls_driver_code(std::string_view cubin);

/// The compute capability that it was made for: 90 for 9.0. Errors as above.
[[nodiscard]] Expected<std::uint32_t> read_cubin_capability(std::string_view cubin);

/// Adds the spills that ptxas reported (option -v) to the kernels of those names. Only the last
/// report of a name counts: text before it may come from the source. Kernels that the log does not
/// know keep theirs.
void add_spills(std::string_view log, std::vector<KernelFacts>& kernels);

}  // namespace atl
