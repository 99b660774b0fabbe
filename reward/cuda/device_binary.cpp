#include "reward/cuda/device_binary.hpp"

#include "reward/cuda/cubin_facts.hpp"
#include "reward/worker_calls.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

namespace atl {

namespace {

constexpr std::size_t k_max_log_bytes = 16u << 10;
constexpr std::size_t k_max_line_bytes = 1000;

std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    return line;
}

bool is_report_of_ptxas(std::string_view line) {
    return line.starts_with("ptxas info") || line.starts_with("ptxas         .");
}

std::string clean_line(std::string_view raw, const std::vector<std::string>& include) {
    std::string line(raw.substr(0, k_max_line_bytes));
    for (const std::string& folder : include) {
        const std::string prefix = folder + "/";
        for (std::size_t at = line.find(prefix); at != std::string::npos;
             at = line.find(prefix, at)) {
            line.erase(at, prefix.size());
        }
    }
    if (raw.size() > k_max_line_bytes) {
        line += "...";
    }
    for (char& c : line) {
        if (std::iscntrl(static_cast<unsigned char>(c)) != 0 && c != '\t') {
            c = '?';
        }
    }
    return line;
}

DeviceBinary error_of_the_candidate(std::string log) {
    DeviceBinary binary;
    binary.log = std::move(log);
    return binary;
}

}  // namespace

std::string name_of_use(bool touches_variables) {
    return touches_variables ? "touches variables" : "touches no variable";
}

Expected<DeviceBinary> binary_from(const DeviceArtifact& artifact) {
    auto kernels = read_cubin_facts(artifact.cubin);
    if (!kernels && kernels.error().code == ErrorCode::limit) {
        DeviceBinary binary = error_of_the_candidate("error: " + kernels.error().message() + "\n");
        binary.status = DeviceBinary::Status::limit;
        return binary;
    }
    if (!kernels && kernels.error().code == ErrorCode::invalid_argument) {
        return error_of_the_candidate("error: " + kernels.error().message() + "\n");
    }
    if (!kernels) {
        return error_of_the_candidate(
            "error: the compiler made no machine code that can be read (" +
            kernels.error().message() + ")\n");
    }
    if (kernels->empty()) {
        return error_of_the_candidate(
            "error: there is no kernel: no __global__ function that is not an uninstantiated "
            "template\n");
    }
    DeviceBinary binary;
    binary.status = DeviceBinary::Status::ok;
    binary.kernels = std::move(*kernels);
    add_spills(artifact.log, binary.kernels);
    std::string_view rest = artifact.names;
    binary.touches_variables = take_line(rest) != name_of_use(false);
    while (!rest.empty()) {
        binary.names.emplace_back(take_line(rest));
    }
    ATOLL_TRY_ASSIGN(FileHandle file, memory_file_of(artifact.cubin));
    constexpr int k_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (::fcntl(file.get(), F_ADD_SEALS, k_seals) != 0) {
        return tl::unexpected(errno_error("fcntl(F_ADD_SEALS)", "cubin", errno));
    }
    binary.cubin = std::make_shared<const FileHandle>(std::move(file));
    binary.bytes = artifact.cubin.size();
    return binary;
}

std::string trim_device_log(std::string_view log, const std::vector<std::string>& include) {
    // The longer of two nested folders first, so that none leaves a part of the other.
    std::vector<std::string> folders = include;
    std::sort(folders.begin(), folders.end(), std::greater<>());
    std::string out;
    while (!log.empty()) {
        const std::string_view line = take_line(log);
        if (is_report_of_ptxas(line) || (line.empty() && out.ends_with("\n\n"))) {
            continue;
        }
        const std::string cleaned = clean_line(line, folders);
        constexpr std::string_view k_cut = "[more errors follow]\n";
        if (out.size() + cleaned.size() + 1 + k_cut.size() > k_max_log_bytes) {
            return out.append(k_cut);
        }
        out.append(cleaned).append("\n");
    }
    while (out.ends_with("\n\n")) {
        out.pop_back();
    }
    return out == "\n" ? "" : out;
}

}  // namespace atl
