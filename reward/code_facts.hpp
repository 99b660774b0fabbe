#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What the machine code of a candidate has in it, by name: what archives may be spread over
/// (search/measures.hpp). Counts are of instructions as they stand in the code, whatever loops make
/// of them. A fact that cannot be told is absent. Pure; hostile bytes give no facts and nothing
/// worse. Linear time.

/// Of a shared object (kind cpu_cpp), from its sections and dynamic symbols:
///     text_bytes    instructions of its own
///     data_bytes    constants and variables
///     imports       functions that it takes from libraries
[[nodiscard]] std::map<std::string, double> shared_object_facts(std::string_view elf);

/// Of a cubin of compute capability 7.0 or later, all kernels together:
///     instructions    but for those that fill up
///     tensor          on tensor cores: HMMA, IMMA, DMMA, QMMA, HGMMA, IGMMA, QGMMA, UTC*MMA
///     loads           from global memory: LDG, LD
///     wide_loads      those of 16 bytes or more
///     shared          from and to shared memory: LDS, STS, LDSM, STSM, ATOMS
///     async_copies    into and out of shared memory: LDGSTS, UBLKCP, UTMALDG, UTMASTG
///     barriers        of a block or cluster: BAR, UCGABAR
///     warp            exchange within a warp: SHFL, VOTE, MATCH, REDUX
///     atomics         in global memory: ATOM, ATOMG, RED, REDG
///     memory_level    0 plain; 1 wide loads; 2 shared memory; 3 asynchronous copies
///     sync_level      0 none; 1 barriers; 2 exchange within a warp; 3 atomics
/// The last two are the highest that occurs, after KernelFoundry's axes d_mem {scalar, coalesced,
/// shared tile, multi-level} and d_sync {none, barrier, sub-group, global}; whether accesses are
/// coalesced is not seen in code, so wide ones stand in.
///
/// NVIDIA documents no encoding. An instruction takes 16 bytes, of which the lowest 9 bits are the
/// operation and bits 73 to 75 the width of a load; the numbers are those that nvdisasm 13.5 shows
/// for code of ptxas 13.0 for sm_80, sm_89, sm_90a, sm_100a and sm_120a.
[[nodiscard]] std::map<std::string, double> cubin_code_facts(std::string_view cubin);

/// Every name of the two lists.
[[nodiscard]] const std::vector<std::string>& code_fact_names();

}  // namespace atl
