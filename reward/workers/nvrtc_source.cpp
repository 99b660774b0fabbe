#include "reward/workers/nvrtc_source.hpp"

#include <dlfcn.h>

#include <cerrno>
#include <utility>

namespace atl {

namespace {

using Open = std::FILE* (*)(const char*, const char*);

struct Promise {
    std::string path;
    std::function<std::FILE*()> source;
};

/// fopen() is told nothing but its arguments.
Promise& promised() {
    static Promise promise;
    return promise;
}

}  // namespace

void promise_source(std::string path, std::function<std::FILE*()> source) {
    promised() = {std::move(path), std::move(source)};
}

std::FILE* open_file(const char* path, const char* mode) noexcept {
    const Promise& promise = promised();
    if (path != nullptr && !promise.path.empty() && promise.path == path) {
        return promise.source();
    }
    static const auto next = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "fopen"));
    if (next == nullptr) {
        errno = ENOSYS;
        return nullptr;
    }
    return next(path, mode);
}

}  // namespace atl
