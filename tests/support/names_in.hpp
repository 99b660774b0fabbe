#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

namespace atl::testing {

/// The names (without extension) of what stands in a folder and `wanted` says yes to, sorted: the
/// parameters of a test of everything there, so that adding one more touches no list.
template <class Wanted>
std::vector<std::string> names_in(const std::filesystem::path& folder, Wanted wanted) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (wanted(entry.path())) {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// A parameter's name as GoogleTest takes it.
inline std::string plain(std::string name) {
    for (char& c : name) {
        c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    }
    return name;
}

}  // namespace atl::testing
