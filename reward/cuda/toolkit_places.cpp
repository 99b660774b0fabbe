#include "reward/cuda/toolkit_places.hpp"

#include "reward/base/programs.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// Folders of `parent` whose names begin so, by version: the newest first.
std::vector<std::string> folders_of(const fs::path& parent, const std::string& prefix) {
    std::vector<std::pair<std::pair<int, int>, std::string>> found;
    std::error_code error;
    for (fs::directory_iterator entry(parent, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        int major = 0;
        int minor = 0;
        if (name.starts_with(prefix) &&
            std::sscanf(name.c_str() + prefix.size(), "%d.%d", &major, &minor) >= 1) {
            found.push_back({{major, minor}, entry->path().string()});
        }
    }
    std::sort(found.rbegin(), found.rend());
    std::vector<std::string> folders;
    for (auto& [version, folder] : found) {
        folders.push_back(std::move(folder));
    }
    return folders;
}

/// Where pip puts NVIDIA's packages for the python3 in $PATH, without starting it.
std::vector<std::string> python_homes() {
    std::vector<std::string> homes;
    for (const std::string& python : find_programs("python3")) {
        const fs::path prefix = fs::path(python).parent_path().parent_path();
        for (const fs::path& lib : {prefix / "lib", prefix / "local" / "lib"}) {
            for (const std::string& version : folders_of(lib, "python")) {
                for (const char* packages : {"site-packages", "dist-packages"}) {
                    const fs::path home = fs::path(version) / packages / "nvidia";
                    std::error_code error;
                    if (fs::is_directory(home, error)) {
                        homes.push_back(home.string());
                    }
                }
            }
        }
    }
    return homes;
}

}  // namespace

CudaPlaces usual_cuda_places() {
    CudaPlaces places;
    places.drivers = {"libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1",
                      "/usr/lib/wsl/lib/libcuda.so.1"};
    places.cutlass = variable("ATOLL_CUTLASS");
    if (const std::string home = variable("ATOLL_CUDA_HOME"); !home.empty()) {
        places.homes = {home};
        return places;
    }
    for (const char* name : {"CUDA_HOME", "CUDA_PATH"}) {
        if (const std::string home = variable(name); !home.empty()) {
            places.homes.push_back(home);
        }
    }
    places.homes.emplace_back();
    places.homes.emplace_back("/usr/local/cuda");
    for (const auto& more : {folders_of("/usr/local", "cuda-"), python_homes()}) {
        places.homes.insert(places.homes.end(), more.begin(), more.end());
    }
    return places;
}

}  // namespace atl
