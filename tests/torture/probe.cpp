// Preloaded into `atoll`: stands between it and the kernel where the kernel's answers are what a
// test wants to know or to change. The processes that `atoll` starts are not touched: none of them
// inherits LD_PRELOAD.

#include "tests/torture/probe_page.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

using atl::torture::ProbePage;

constexpr std::int64_t k_second_ns = 1'000'000'000;

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Null when no test listens.
ProbePage* open_page() {
    const char* file = std::getenv(atl::torture::k_page_variable);
    const int fd = file == nullptr ? -1 : ::open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return nullptr;
    }
    void* memory = ::mmap(nullptr, sizeof(ProbePage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<ProbePage*>(memory);
}

ProbePage* page() {
    static ProbePage* const shared = open_page();
    return shared;
}

bool in_run_folder(const char* path) {
    static const char* const folder = std::getenv(atl::torture::k_folder_variable);
    return folder != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool path_of(int fd, char (&path)[PATH_MAX]) {
    char link[64];
    std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t size = ::readlink(link, path, sizeof(path) - 1);
    path[size > 0 ? size : 0] = '\0';
    return size > 0;
}

void count_change() {
    const std::uint64_t number = page()->changes.fetch_add(1) + 1;
    if (number == page()->die_at_change.load()) {
        ::kill(0, SIGKILL);
    }
}

void before_change(const char* path) {
    if (page() != nullptr && in_run_folder(path)) {
        count_change();
    }
}

void before_change(int fd) {
    char path[PATH_MAX];
    if (page() != nullptr && fd > 2 && path_of(fd, path) && in_run_folder(path)) {
        count_change();
    }
}

}  // namespace

extern "C" {

int fsync(int fd) {
    static const auto real = next<int(int)>("fsync");
    before_change(fd);
    struct stat about {};
    ::fstat(fd, &about);
    const int result = real(fd);
    char path[PATH_MAX];
    if (result == 0 && page() != nullptr && path_of(fd, path) && in_run_folder(path)) {
        const char* name = std::strrchr(path, '/');
        if (name != nullptr && std::strcmp(name, "/journal") == 0) {
            page()->durable_bytes = static_cast<std::uint64_t>(about.st_size);
            ++page()->syncs;
        }
    }
    return result;
}

ssize_t write(int fd, const void* bytes, size_t size) {
    static const auto real = next<ssize_t(int, const void*, size_t)>("write");
    before_change(fd);
    return real(fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
    static const auto real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    before_change(fd);
    return real(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
    static const auto real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
    before_change(fd);
    return real(fd, bytes, size, at);
}

int ftruncate(int fd, off_t size) noexcept {
    static const auto real = next<int(int, off_t)>("ftruncate");
    before_change(fd);
    return real(fd, size);
}

int ftruncate64(int fd, off64_t size) noexcept {
    static const auto real = next<int(int, off64_t)>("ftruncate64");
    before_change(fd);
    return real(fd, size);
}

int rename(const char* from, const char* to) noexcept {
    static const auto real = next<int(const char*, const char*)>("rename");
    before_change(to);
    return real(from, to);
}

int unlink(const char* path) noexcept {
    static const auto real = next<int(const char*)>("unlink");
    before_change(path);
    return real(path);
}

int remove(const char* path) noexcept {
    static const auto real = next<int(const char*)>("remove");
    before_change(path);
    return real(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
    static const auto real = next<int(const char*, mode_t)>("mkdir");
    before_change(path);
    return real(path, mode);
}

int open(const char* path, int flags, ...) {
    static const auto real = next<int(const char*, int, ...)>("open");
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & O_CREAT) != 0) {
        before_change(path);
    }
    return real(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    static const auto real = next<int(const char*, int, ...)>("open64");
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if ((flags & O_CREAT) != 0) {
        before_change(path);
    }
    return real(path, flags, mode);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
    static const auto real = next<int(clockid_t, timespec*)>("clock_gettime");
    const int result = real(clock, now);
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (result == 0 && wall && page() != nullptr) {
        const std::int64_t ns = now->tv_sec * k_second_ns + now->tv_nsec + page()->wall_offset_ns;
        now->tv_sec = ns / k_second_ns;
        now->tv_nsec = ns % k_second_ns;
    }
    return result;
}

time_t time(time_t* out) noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(timeval* now, void*) noexcept {
    timespec precise{};
    ::clock_gettime(CLOCK_REALTIME, &precise);
    *now = {precise.tv_sec, precise.tv_nsec / 1000};
    return 0;
}

}  // extern "C"
