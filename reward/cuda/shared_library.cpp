#include "reward/cuda/shared_library.hpp"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>

namespace atl {

namespace {

std::string linker_message() {
    const char* const message = dlerror();
    return message == nullptr ? "the dynamic linker gives no reason" : message;
}

std::string path_of(void* handle, const std::string& name) {
    const link_map* map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&map)) != 0 || map == nullptr ||
        map->l_name == nullptr) {
        return name;
    }
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(map->l_name, error);
    return error ? std::string(map->l_name) : path.string();
}

}  // namespace

Expected<SharedLibrary> SharedLibrary::open(const std::string& name) {
    void* const handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) {
        const std::string reason = linker_message();
        // The linker has no codes: a file that is not there says so in words of the C library.
        const bool missing = reason.starts_with(name + ": cannot open shared object file: No such");
        return failure(missing ? ErrorCode::not_found : ErrorCode::unavailable, reason, name);
    }
    return SharedLibrary(handle, path_of(handle, name));
}

Expected<void*> SharedLibrary::find(const char* symbol) const {
    void* const address = dlsym(m_handle, symbol);
    if (address == nullptr) {
        return failure(ErrorCode::unavailable, linker_message(), m_path,
                       "another version of the library may have it");
    }
    return address;
}

}  // namespace atl
