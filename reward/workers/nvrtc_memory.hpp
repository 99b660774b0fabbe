#pragma once

#include "reward/base/error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace atl {

/// How a process that forks a child for each compilation gives them memory: faults and copies of
/// single pages were half of a small compilation's time (3,700 of them for an addition, 39,000 with
/// cub's precompiled headers; 2 us each). Nothing here is needed for a right answer, and without
/// transparent huge pages most of it does nothing.

/// Copies the code and the constants of a loaded library to huge pages of its own: forks share them
/// without tables of pages, and faults. To be called before the library has threads; `path` as the
/// dynamic linker knows it. False when all was left where it is.
bool move_to_huge_pages(const std::string& path);

/// For a child with one thread, before its compilation: gives it its own copy of what it would copy
/// page by page, the variables of the library `path`, and memory that malloc() and the mapping of
/// precompiled headers hand out first; all of it in huge pages where that goes.
void take_own_memory(const std::string& path);

/// From here on map_memory() looks for NVRTC's mapping; before, and in every process that has not
/// called this, it is the kernel's mmap() and no more. Process-wide, since so is mmap().
void begin_to_keep_precompiled_headers();

/// To be what mmap() is to the libraries of a program (see nvrtc_mapping.cpp). NVRTC has one
/// mapping of `precompiled_heap_bytes` to which it maps a file of precompiled headers in pieces of
/// 64 KiB, privately, and then writes to most of their pages: they are read into huge pages
/// instead. All other mappings are the kernel's.
void* map_memory(void* address, std::size_t bytes, int protection, int flags, int fd,
                 off_t offset) noexcept;
inline constexpr std::size_t k_precompiled_heap_bytes = 1u << 30;  ///< 0.4 GiB are used

}  // namespace atl
