#include "reward/native_library.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace atl {

namespace {

/// A file of its own with the same bytes. The loader gives two loads of one file the same library,
/// under the first one's path: with tasks that share a binary, that path could come to be another
/// task's while the library stayed.
Expected<FileHandle> own_copy(const FileHandle& binary, const std::string& name) {
    FileHandle copy(::memfd_create("native library", MFD_CLOEXEC));
    if (!copy) {
        return tl::unexpected(errno_error("memfd_create", name, errno));
    }
    std::array<char, 65536> buffer;
    off_t done = 0;
    for (;;) {
        const ssize_t size = ::pread(binary.get(), buffer.data(), buffer.size(), done);
        if (size == 0) {
            return copy;
        }
        if (size < 0 ||
            ::pwrite(copy.get(), buffer.data(), static_cast<std::size_t>(size), done) != size) {
            return tl::unexpected(errno_error("copying a library", name, errno));
        }
        done += size;
    }
}

}  // namespace

void NativeLibrary::Closer::operator()(void* library) const {
    ::dlclose(library);
}

Expected<NativeLibrary> NativeLibrary::open(const FileHandle& binary, const std::string& name) {
    NativeLibrary opened;
    ATOLL_TRY_ASSIGN(opened.m_binary, own_copy(binary, name));
    const std::string path = "/proc/self/fd/" + std::to_string(opened.m_binary.get());
    opened.m_library.reset(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!opened.m_library) {
        const char* reason = ::dlerror();
        return failure(
            ErrorCode::invalid_argument,
            std::string("cannot be loaded: ") + (reason == nullptr ? "no reason given" : reason),
            name);
    }
    opened.m_function =
        reinterpret_cast<NativeFunction>(::dlsym(opened.m_library.get(), k_entry_symbol));
    if (opened.m_function == nullptr) {
        return failure(ErrorCode::invalid_argument, "has no entry point", name);
    }
    return opened;
}

Expected<std::vector<long long>> axis_arguments(
    const Task& task, const std::map<std::string, std::int64_t>& bound_axes) {
    std::vector<long long> axes;
    for (const Axis& axis : task.axes) {
        if (axis.kind != Axis::Kind::variable) {
            continue;
        }
        const auto bound = bound_axes.find(axis.name);
        if (bound == bound_axes.end()) {
            return failure(ErrorCode::invalid_argument, "axis is not bound", axis.name);
        }
        axes.push_back(bound->second);
    }
    return axes;
}

}  // namespace atl
