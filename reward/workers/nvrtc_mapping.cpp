// The worker's own mmap() and fopen(), which its libraries take for those of the C library: see
// map_memory() and open_file(). A part of the program and of no library, so that no other program
// has them. Sanitizers have their own.

#include "reward/workers/nvrtc_memory.hpp"
#include "reward/workers/nvrtc_source.hpp"

#include <sys/mman.h>

#include <cstdio>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ATOLL_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ATOLL_SANITIZED
#endif
#endif

#ifndef ATOLL_SANITIZED
extern "C" [[gnu::visibility("default")]] void* mmap(void* address, std::size_t bytes,
                                                     int protection, int flags, int fd,
                                                     off_t offset) noexcept {
    return atl::map_memory(address, bytes, protection, flags, fd, offset);
}

extern "C" [[gnu::visibility("default")]] std::FILE* fopen(const char* path, const char* mode) {
    return atl::open_file(path, mode);
}
#endif
