#include "reward/gpu/gpu_package.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/task.hpp"
#include "reward/worker_calls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::json;

constexpr std::string_view k_magic = "ATGPUPK1";
constexpr std::size_t k_head_bytes = 16;
constexpr std::uint64_t k_max_package_bytes = 1ull << 30;
/// A task has public and hidden workloads to verify and to measure.
constexpr std::size_t k_max_package_plans = 4 * k_most_workloads;
constexpr std::size_t k_max_workload = 1 << 20;
constexpr std::uint64_t k_max_local_bytes = 1ull << 50;

tl::unexpected<Error> corrupt(const std::string& what) {
    return failure(ErrorCode::corrupt, what, "GPU package");
}

Status read_plans(std::string_view json, GpuPackage& package) {
    ATOLL_TRY_ASSIGN(const Json parsed,
                     parse_json_object(json, k_max_package_bytes, "GPU package"));
    JsonReader fields(parsed, "GPU package");
    fields.boolean("compiled_here", package.compiled_here)
        .boolean("leaves_heap", package.leaves_heap)
        .boolean("touches_variables", package.touches_variables)
        .integer("local_bytes", package.local_bytes, 0, k_max_local_bytes);
    const Json* items = fields.array("plans", k_max_package_plans);
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        std::size_t workload = 0;
        std::string text;
        JsonReader inner((*items)[i], "GPU package");
        inner.integer("workload", workload, 0, k_max_workload).text("plan", text, k_max_plan_text);
        ATOLL_TRY(inner.finish());
        if (package.plan_of(workload) != nullptr) {
            return corrupt(fmt::format("workload {} has two plans", workload));
        }
        ATOLL_TRY_ASSIGN(Plan plan, parse_plan(text));
        package.plans.emplace_back(workload, std::move(plan));
    }
    return fields.finish();
}

}  // namespace

const Plan* GpuPackage::plan_of(std::size_t workload) const {
    const auto found = std::find_if(plans.begin(), plans.end(),
                                    [&](const auto& entry) { return entry.first == workload; });
    return found == plans.end() ? nullptr : &found->second;
}

bool leaves_traces(const Plan& plan) {
    return !plan.settings.empty() || !plan.symbols.empty();
}

Expected<FileHandle> write_gpu_package(const GpuPackage& package) {
    Json plans = Json::array();
    for (const auto& [workload, plan] : package.plans) {
        plans.push_back({{"workload", workload}, {"plan", to_json(plan)}});
    }
    const std::string json = dump_json({{"compiled_here", package.compiled_here},
                                        {"leaves_heap", package.leaves_heap},
                                        {"touches_variables", package.touches_variables},
                                        {"local_bytes", package.local_bytes},
                                        {"plans", std::move(plans)}});
    const std::uint64_t size = json.size();
    std::array<char, sizeof(size)> size_bytes{};
    std::memcpy(size_bytes.data(), &size, sizeof(size));
    std::string bytes(k_magic);
    bytes.append(size_bytes.data(), size_bytes.size()).append(json).append(package.cubin);
    if (bytes.size() > k_max_package_bytes) {
        return failure(ErrorCode::limit,
                       fmt::format("machine code and plans take {} bytes, at most {} are taken",
                                   bytes.size(), k_max_package_bytes),
                       "GPU package");
    }
    ATOLL_TRY_ASSIGN(FileHandle file, memory_file_of(bytes));
    constexpr int k_seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    if (::fcntl(file.get(), F_ADD_SEALS, k_seals) != 0) {
        return tl::unexpected(errno_error("fcntl(F_ADD_SEALS)", "GPU package", errno));
    }
    return file;
}

Expected<std::string> read_whole_file(const FileHandle& file, const std::string& name) {
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) {
        return tl::unexpected(errno_error("fstat", name, errno));
    }
    // What is no file (a pipe, say) has no size, and is nothing to wait for.
    if (!S_ISREG(about.st_mode) || std::cmp_greater(about.st_size, k_max_package_bytes)) {
        return failure(ErrorCode::corrupt,
                       fmt::format("it is no file of at most {} bytes", k_max_package_bytes), name);
    }
    std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t step =
            ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (step < 0 && errno != EINTR) {
            return tl::unexpected(errno_error("pread", name, errno));
        }
        if (step == 0) {
            return failure(ErrorCode::corrupt, "it became shorter while it was read", name);
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(step, 0));
    }
    return bytes;
}

Expected<GpuPackage> read_gpu_package(const FileHandle& file) {
    const Expected<std::string> read = read_whole_file(file, "GPU package");
    ATOLL_TRY(read);
    const std::string_view bytes = *read;
    if (bytes.size() < k_head_bytes) {
        return corrupt("it is too short");
    }
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data() + k_magic.size(), sizeof(size));
    if (!bytes.starts_with(k_magic) || size > bytes.size() - k_head_bytes) {
        return corrupt("its head is none");
    }
    GpuPackage package;
    ATOLL_TRY(read_plans(bytes.substr(k_head_bytes, size), package));
    package.cubin = bytes.substr(k_head_bytes + size);
    return package;
}

}  // namespace atl
