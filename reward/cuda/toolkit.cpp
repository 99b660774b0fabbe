#include "reward/cuda/toolkit.hpp"

#include "reward/base/files.hpp"
#include "reward/cuda/jit_link_library.hpp"
#include "reward/cuda/shared_library.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace atl {

namespace {

namespace fs = std::filesystem;

#if defined(__aarch64__)
constexpr const char* k_target = "targets/sbsa-linux/";
#else
constexpr const char* k_target = "targets/x86_64-linux/";
#endif

/// Where libraries lie in a toolkit, in a conda environment, and in pip's packages (one folder for
/// all of CUDA 13, one for each part of CUDA 12).
std::vector<std::string> library_folders() {
    return {"lib64/",
            "lib/",
            "extras/CUPTI/lib64/",
            k_target + std::string("lib/"),
            "cu13/lib/",
            "cuda_nvrtc/lib/",
            "nvjitlink/lib/",
            "cuda_cupti/lib/"};
}

std::vector<std::string> header_folders() {
    return {"include", k_target + std::string("include"), "cu13/include", "cuda_runtime/include"};
}

/// Versioned names first: the one without a version says nothing, and may be a stub.
constexpr std::array k_nvrtc_names{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
constexpr std::array k_jit_link_names{"libnvJitLink.so.13", "libnvJitLink.so.12",
                                      "libnvJitLink.so"};
constexpr std::array k_cupti_names{"libcupti.so.13", "libcupti.so.12", "libcupti.so"};

constexpr const char* k_install =
    "install a CUDA toolkit of 12.4 to 13.x, or name the folder of one in ATOLL_CUDA_HOME";
constexpr const char* k_without_cupti =
    "install CUPTI of CUDA 13; without it kernels are timed with events, which are less exact";

std::string text_of(int major, int minor) {
    return std::to_string(major) + "." + std::to_string(minor);
}

/// What a library says of itself, or why it cannot be used.
using Ask = std::function<Expected<CudaLibrary>(const SharedLibrary&)>;

Status did_answer(int code, const char* function, const std::string& path) {
    return code == 0 ? Status{}
                     : failure(ErrorCode::unavailable,
                               std::string(function) + " failed with " + std::to_string(code), path,
                               "is it the library of a CUDA toolkit or driver?");
}

Expected<CudaLibrary> ask_driver(const SharedLibrary& library) {
    int (*get_version)(int*) = nullptr;
    ATOLL_TRY(library.load("cuDriverGetVersion", get_version));
    int version = 0;  // 1000 * major + 10 * minor (cuda.h)
    ATOLL_TRY(did_answer(get_version(&version), "cuDriverGetVersion", library.path()));
    return CudaLibrary{library.path(), version / 1000, version % 1000 / 10};
}

/// A driver runs code of its own major version of CUDA and of older ones ("CUDA Compatibility",
/// minor version compatibility).
Status fits_driver(const CudaLibrary& found, const std::optional<CudaLibrary>& driver) {
    if (!driver || found.major <= driver->major) {
        return {};
    }
    return failure(
        ErrorCode::unavailable,
        "is of CUDA " + text_of(found.major, found.minor) + ", but the driver supports CUDA " +
            text_of(driver->major, driver->minor),
        found.path,
        "update the driver, or install CUDA " + std::to_string(driver->major) + " beside it");
}

Expected<CudaLibrary> ask_nvrtc(const SharedLibrary& library,
                                const std::optional<CudaLibrary>& driver) {
    int (*get_version)(int*, int*) = nullptr;
    ATOLL_TRY(library.load("nvrtcVersion", get_version));
    CudaLibrary found{library.path(), 0, 0};
    ATOLL_TRY(did_answer(get_version(&found.major, &found.minor), "nvrtcVersion", found.path));
    const bool old = found.major < 12 || (found.major == 12 && found.minor < 4);
    if (old || found.major > 13) {
        return failure(ErrorCode::unavailable,
                       "NVRTC " + text_of(found.major, found.minor) + " is too " +
                           (old ? "old" : "new") + ": 12.4 to 13.x can be used",
                       found.path, k_install);
    }
    ATOLL_TRY(fits_driver(found, driver));
    ATOLL_TRY(load_nvrtc_builtins(found));
    return found;
}

Expected<CudaLibrary> ask_jit_link(const SharedLibrary& library,
                                   const std::optional<CudaLibrary>& driver) {
    ATOLL_TRY_ASSIGN(const JitLinkLibrary found, JitLinkLibrary::open(library.path()));
    const CudaLibrary about{found.path(), found.major(), found.minor()};
    ATOLL_TRY(fits_driver(about, driver));
    return about;
}

Expected<CudaLibrary> ask_cupti(const SharedLibrary& library,
                                const std::optional<CudaLibrary>& driver) {
    int (*get_version)(std::uint32_t*) = nullptr;
    ATOLL_TRY(library.load("cuptiGetVersion", get_version));
    std::uint32_t version = 0;
    ATOLL_TRY(did_answer(get_version(&version), "cuptiGetVersion", library.path()));
    const CudaVersion toolkit = toolkit_of_cupti(version);
    if (toolkit.major != 13) {
        return failure(ErrorCode::unavailable,
                       "CUPTI of " +
                           (toolkit.major == 0 ? "an unknown CUDA"
                                               : "CUDA " + text_of(toolkit.major, toolkit.minor)) +
                           " (API version " + std::to_string(version) +
                           ") has other records than CUDA 13, which can be used",
                       library.path(), k_without_cupti);
    }
    const CudaLibrary found{library.path(), toolkit.major, toolkit.minor};
    ATOLL_TRY(fits_driver(found, driver));
    return found;
}

/// The first file that can be used. What was found and cannot be used is a problem only if there
/// is none.
std::optional<CudaLibrary> first_usable(const std::vector<std::string>& files, const Ask& ask,
                                        std::vector<std::string>& problems) {
    std::vector<std::string> refusals;
    for (const std::string& file : files) {
        const Expected<SharedLibrary> library = SharedLibrary::open(file);
        if (!library && library.error().code == ErrorCode::not_found) {
            continue;
        }
        const Expected<CudaLibrary> found =
            library ? ask(*library) : Expected<CudaLibrary>(tl::unexpected(library.error()));
        if (found) {
            return *found;
        }
        // Many names lead to one file.
        const std::string refusal = found.error().message();
        if (std::find(refusals.begin(), refusals.end(), refusal) == refusals.end()) {
            refusals.push_back(refusal);
        }
    }
    problems.insert(problems.end(), refusals.begin(), refusals.end());
    return std::nullopt;
}

template <class Names>
std::vector<std::string> files_in(const std::vector<std::string>& homes, const Names& names) {
    std::vector<std::string> files;
    for (const std::string& home : homes) {
        if (home.empty()) {
            files.insert(files.end(), names.begin(), names.end());
            continue;
        }
        for (const std::string& folder : library_folders()) {
            for (const char* name : names) {
                files.push_back((fs::path(home) / (folder + name)).string());
            }
        }
    }
    return files;
}

/// CUDA_VERSION of the cuda.h in that folder.
std::optional<CudaVersion> version_of_headers(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_regular_file(folder / "cuda_fp16.h", error)) {
        return std::nullopt;
    }
    constexpr std::string_view k_define = "#define CUDA_VERSION ";
    std::ifstream file(folder / "cuda.h");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(k_define)) {
            const int version = std::atoi(line.c_str() + k_define.size());
            return CudaVersion{version / 1000, version % 1000 / 10};
        }
    }
    return std::nullopt;
}

/// Headers of NVRTC's own version, else of the same major version.
std::string find_headers(const CudaLibrary& nvrtc, const std::vector<std::string>& homes,
                         std::vector<std::string>& problems) {
    const fs::path beside = fs::path(nvrtc.path).parent_path().parent_path();
    std::vector<fs::path> folders{beside / "include", beside.parent_path() / "include"};
    for (const std::string& home : homes) {
        for (const std::string& folder :
             home.empty() ? std::vector<std::string>{} : header_folders()) {
            folders.push_back(fs::path(home) / folder);
        }
    }
    std::string related;
    std::string other;
    for (const fs::path& folder : folders) {
        const std::optional<CudaVersion> version = version_of_headers(folder);
        if (!version) {
            continue;
        }
        if (*version == CudaVersion{nvrtc.major, nvrtc.minor}) {
            return folder.string();
        }
        std::string& place = version->major == nvrtc.major ? related : other;
        if (place.empty()) {
            place = folder.string();
        }
    }
    if (related.empty()) {
        problems.push_back(
            (other.empty() ? "there are no CUDA headers (cuda_fp16.h)"
                           : "the CUDA headers in " + other + " are of another major version") +
            " for NVRTC " + text_of(nvrtc.major, nvrtc.minor) + " at " + nvrtc.path +
            " (install the headers of the same toolkit, e.g. its cuda-runtime package)");
    }
    return related;
}

/// The number that a header defines; -1 where it does not.
int number_defined(const std::string& header, const std::string& name) {
    const std::string define = "#define " + name + " ";
    const std::size_t at = header.find(define);
    return at == std::string::npos ? -1 : std::atoi(header.c_str() + at + define.size());
}

/// Headers of the folder itself, of a clone or an installation.
void find_cutlass(const std::string& place, CudaToolkit& toolkit) {
    constexpr std::uint64_t k_max_header_bytes = 1 << 20;
    toolkit.cutlass_wanted = !place.empty();
    if (place.empty()) {
        return;
    }
    for (const fs::path& folder : {fs::path(place), fs::path(place) / "include"}) {
        const Expected<std::string> header =
            read_regular_file(folder / "cutlass" / "version.h", k_max_header_bytes);
        if (!header) {
            continue;
        }
        std::error_code error;
        const fs::path real = fs::canonical(folder, error);
        toolkit.cutlass = error ? folder.string() : real.string();
        for (const char* part : {"CUTLASS_MAJOR", "CUTLASS_MINOR", "CUTLASS_PATCH"}) {
            toolkit.cutlass_version += (toolkit.cutlass_version.empty() ? "" : ".") +
                                       std::to_string(number_defined(*header, part));
        }
        return;
    }
    toolkit.problems.push_back(
        place +
        " has no CUTLASS: neither cutlass/version.h nor include/cutlass/version.h can be read "
        "(name a clone of it, or its folder of headers)");
}

/// What is missing beside a driver, so that somebody wants to use it.
void note_missing(CudaToolkit& toolkit, const CudaPlaces& places, bool nvrtc_refused,
                  bool cupti_refused) {
    const bool named = places.homes.size() == 1 && !places.homes[0].empty();
    const std::string where = named ? " in " + places.homes[0] : "";
    if (!toolkit.nvrtc && !nvrtc_refused && (toolkit.driver || toolkit.cupti || named)) {
        toolkit.problems.push_back("there is no NVRTC" + where +
                                   ", so kernels cannot be compiled (" + k_install + ")");
    }
    if (!toolkit.cupti && !cupti_refused && toolkit.driver) {
        toolkit.problems.push_back("there is no CUPTI" + where + " (" + k_without_cupti + ")");
    }
}

}  // namespace

Status load_nvrtc_builtins(const CudaLibrary& nvrtc) {
    const std::string name = "libnvrtc-builtins.so." + text_of(nvrtc.major, nvrtc.minor);
    if (SharedLibrary::open((fs::path(nvrtc.path).parent_path() / name).string())) {
        return {};
    }
    return SharedLibrary::open(name).map([](const SharedLibrary&) {}).map_error([&](Error error) {
        error.where = nvrtc.path;
        error.hint = "NVRTC compiles nothing without " + name + ": install it beside";
        return error;
    });
}

CudaVersion toolkit_of_cupti(std::uint32_t api_version) {
    constexpr std::uint32_t k_first_dotted = 130000;
    if (api_version >= k_first_dotted) {
        return {static_cast<int>(api_version / 10000), static_cast<int>(api_version / 100 % 100)};
    }
    constexpr std::uint32_t k_first_of_12 = 19;
    // Of API versions 19 to 28; 25 was in no release.
    constexpr std::array<int, 10> k_minors{0, 2, 3, 4, 5, 6, -1, 8, 9, 9};
    const std::uint32_t index = api_version - k_first_of_12;
    if (api_version < k_first_of_12 || index >= k_minors.size() || k_minors[index] < 0) {
        return {};
    }
    return {12, k_minors[index]};
}

CudaToolkit find_cuda_toolkit(const CudaPlaces& places) {
    CudaToolkit toolkit;
    std::vector<std::string>& problems = toolkit.problems;
    toolkit.driver = first_usable(places.drivers, ask_driver, problems);
    const std::size_t before_nvrtc = problems.size();
    toolkit.nvrtc = first_usable(
        files_in(places.homes, k_nvrtc_names),
        [&](const SharedLibrary& library) { return ask_nvrtc(library, toolkit.driver); }, problems);
    const std::size_t before_cupti = problems.size();
    toolkit.cupti = first_usable(
        files_in(places.homes, k_cupti_names),
        [&](const SharedLibrary& library) { return ask_cupti(library, toolkit.driver); }, problems);
    const std::size_t after_cupti = problems.size();
    if (toolkit.nvrtc) {
        toolkit.include = find_headers(*toolkit.nvrtc, places.homes, problems);
    }
    std::vector<std::string> why_no_jit_link;  // a matter of PTX candidates only
    toolkit.jit_link = first_usable(
        files_in(places.homes, k_jit_link_names),
        [&](const SharedLibrary& library) { return ask_jit_link(library, toolkit.driver); },
        why_no_jit_link);
    find_cutlass(places.cutlass, toolkit);
    note_missing(toolkit, places, before_cupti > before_nvrtc, after_cupti > before_cupti);
    return toolkit;
}

}  // namespace atl
