// The worker's own mmap(), which its libraries take for that of the C library: see map_memory(). A
// part of the program and of no library, so that no other program has it. Sanitizers have their
// own.

#include "reward/workers/nvrtc_memory.hpp"

#include <sys/mman.h>

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
#endif
