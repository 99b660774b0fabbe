#include "reward/cuda/device_compiler.hpp"

#include "reward/base/files.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "reward/cuda/header_bundles.hpp"
#include "reward/workers/nvrtc_messages.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_max_name_expressions = 256;
constexpr std::chrono::seconds k_start_timeout{120};
/// What every nvJitLink that is supported assembles for every device that it knows.
constexpr const char* k_known_ptx =
    ".version 6.4\n.target sm_75\n.address_size 64\n.visible .entry nothing()\n{\n    ret;\n}\n";
constexpr std::size_t k_max_source_bytes = 16u << 20;
constexpr std::size_t k_max_define_bytes = 256;
constexpr std::uint64_t k_max_header_bytes = 16u << 20;

WorkerOptions worker_options(const DeviceCompilerOptions& options) {
    WorkerOptions worker;
    worker.program = options.worker_program;
    worker.required = options.required;
    worker.at_most = options.at_most;
    worker.cores = options.cores;
    worker.nvrtc = options.nvrtc;
    worker.jit_link = options.jit_link;
    worker.include = {options.include};
    if (!options.cutlass.empty()) {
        worker.include.push_back(options.cutlass);
    }
    worker.architecture = options.architecture;
    worker.start_timeout = k_start_timeout;
    return worker;
}

std::string real_path(const std::string& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return error ? path : real.string();
}

/// Which library and which headers: a build number is in neither's name.
std::string fingerprint_of(const DeviceCompilerOptions& options) {
    std::string text;
    for (const std::string& path : {options.nvrtc, options.jit_link}) {
        struct stat about {};
        const std::string library = real_path(path);
        const bool found = ::stat(library.c_str(), &about) == 0;
        text += fmt::format("{} {} {}\n", library, found ? about.st_size : 0,
                            found ? about.st_mtime : 0);
    }
    for (const fs::path& header :
         {fs::path(options.include) / "cuda_runtime_api.h",
          fs::path(options.include) / "cccl" / "cuda" / "std" / "__cccl" / "version.h",
          options.cutlass.empty() ? fs::path()
                                  : fs::path(options.cutlass) / "cutlass" / "version.h"}) {
        const Expected<std::string> content = read_regular_file(header, k_max_header_bytes);
        text += content ? content_id(*content).hex() + "\n" : "none\n";
    }
    for (const NvrtcHeader& header : host_headers()) {
        text += header.name + header.text;
    }
    text += bundle_text(HeaderBundle::groups) + bundle_text(HeaderBundle::library);
    return text.append(device_prelude()).append(device_std());
}

bool is_identifier(std::string_view text) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !text.empty() && text.size() <= k_max_define_bytes &&
           std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(), fits);
}

bool is_value(std::string_view text) {
    const auto fits = [](unsigned char c) { return std::isprint(c) != 0 && c != '\\'; };
    return text.size() <= k_max_define_bytes && std::all_of(text.begin(), text.end(), fits);
}

/// "sm_90a", "sm_120f".
bool is_architecture(std::string_view text) {
    if (!text.starts_with("sm_")) {
        return false;
    }
    text.remove_prefix(3);
    if (text.ends_with("a") || text.ends_with("f")) {
        text.remove_suffix(1);
    }
    return (text.size() == 2 || text.size() == 3) &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

tl::unexpected<Error> bad_request(const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "device compiler");
}

Status check(const DeviceCompileRequest& request) {
    if (!is_architecture(request.architecture)) {
        return bad_request("no architecture: '" + request.architecture.substr(0, 32) + "'");
    }
    if (request.ptx &&
        !(request.defines.empty() && request.flags.empty() && request.name_expressions.empty())) {
        return bad_request("PTX takes neither defines nor flags nor names");
    }
    for (const auto& [name, value] : request.defines) {
        if (!is_identifier(name) || !is_value(value)) {
            return bad_request("cannot define '" + name.substr(0, 64) + "' so");
        }
    }
    for (const std::string& flag : request.flags) {
        ATOLL_TRY(check_device_flag(flag));
    }
    for (const std::string& expression : request.name_expressions) {
        if (!is_name_expression(expression)) {
            return bad_request("no function's name: '" + expression.substr(0, 64) + "'");
        }
    }
    return {};
}

Expected<std::string> read_handle(const FileHandle& file, std::uint64_t max_bytes) {
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) {
        return tl::unexpected(errno_error("fstat", "NVRTC's answer", errno));
    }
    std::string bytes(std::min(static_cast<std::uint64_t>(about.st_size), max_bytes), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t got =
            ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got <= 0) {
            return tl::unexpected(errno_error("read", "NVRTC's answer", got == 0 ? EIO : errno));
        }
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

DeviceBinary refused(DeviceBinary::Status status, std::string log) {
    DeviceBinary binary;
    binary.status = status;
    binary.log = std::move(log);
    return binary;
}

}  // namespace

DeviceCompiler::DeviceCompiler(const DeviceCompilerOptions& options)
    : m_options(options),
      m_folders{real_path(options.include), real_path(options.include) + "/cccl"},
      m_fingerprint(fingerprint_of(options)),
      m_worker(WorkerRole::nvrtc, worker_options(options)),
      m_cache(options.cache_folder) {
    if (!options.cutlass.empty()) {
        m_folders.push_back(real_path(options.cutlass));
    }
}

Expected<std::unique_ptr<DeviceCompiler>> DeviceCompiler::make(
    const DeviceCompilerOptions& options) {
    if (!is_architecture(options.architecture)) {
        return bad_request("no architecture: '" + options.architecture.substr(0, 32) + "'");
    }
    std::unique_ptr<DeviceCompiler> compiler(new DeviceCompiler(options));
    ATOLL_TRY(compiler->m_worker.start());
    ATOLL_TRY(compiler->try_out());
    compiler->m_ptx = compiler->try_out_ptx();
    return compiler;
}

/// What cannot compile this would otherwise be a compile error of every candidate.
Status DeviceCompiler::try_out() {
    DeviceCompileRequest request;
    request.source = "__global__ void nothing() {}\n";
    request.architecture = m_options.architecture;
    request.timeout_s = 60;
    DeviceArtifact artifact;
    ATOLL_TRY_ASSIGN(const DeviceBinary binary, compile_now(request, artifact));
    if (binary.status != DeviceBinary::Status::ok) {
        return failure(ErrorCode::unavailable,
                       "does not compile even an empty kernel in its jail: " +
                           binary.log.substr(0, std::min<std::size_t>(binary.log.find('\n'), 500)),
                       m_options.nvrtc);
    }
    return {};
}

/// What it cannot assemble for want of a right question would be a compile error of every PTX. A
/// trial that fails otherwise says nothing: the next PTX tells.
Status DeviceCompiler::try_out_ptx() {
    if (m_options.jit_link.empty()) {
        return failure(ErrorCode::unavailable, "there is no nvJitLink to assemble PTX", "kind ptx",
                       "install nvJitLink (libnvJitLink.so) of the CUDA toolkit");
    }
    DeviceCompileRequest request;
    request.ptx = true;
    request.source = k_known_ptx;
    request.architecture = m_options.architecture;
    request.timeout_s = 60;
    DeviceArtifact artifact;
    const Expected<DeviceBinary> binary = compile_now(request, artifact);
    if (!binary || binary->status != DeviceBinary::Status::error) {
        return {};
    }
    return failure(ErrorCode::unavailable,
                   "does not assemble even an empty kernel: " + binary->log.substr(0, 500),
                   m_options.jit_link);
}

Digest DeviceCompiler::key_of(const DeviceCompileRequest& request) const {
    ContentHasher hasher;
    hasher.field(m_toolchain).field(m_fingerprint).field(request.source);
    hasher.field(request.ptx ? "ptx" : "cuda");
    hasher.field(request.architecture).field(m_options.architecture);
    hasher.field(request.defines.size());
    for (const auto& [name, value] : request.defines) {
        hasher.field(name).field(value);
    }
    hasher.field(request.flags.size());
    for (const std::string& flag : request.flags) {
        hasher.field(flag);
    }
    for (const std::string& expression : request.name_expressions) {
        hasher.field(expression);
    }
    return hasher.finish();
}

Expected<DeviceBinary> DeviceCompiler::compile(const DeviceCompileRequest& request) {
    for (const std::string& expression : request.name_expressions) {
        if (expression.size() > k_max_name_expression_bytes) {
            return refused(DeviceBinary::Status::limit,
                           fmt::format("error: a kernel's name is longer than {} bytes\n",
                                       k_max_name_expression_bytes));
        }
    }
    ATOLL_TRY(check(request));
    if (request.source.size() > k_max_source_bytes) {
        return refused(
            DeviceBinary::Status::limit,
            fmt::format("error: the source is larger than {} bytes\n", k_max_source_bytes));
    }
    if (request.name_expressions.size() > k_max_name_expressions) {
        return refused(
            DeviceBinary::Status::limit,
            fmt::format("error: more than {} kernels are launched\n", k_max_name_expressions));
    }
    if (request.ptx) {
        ATOLL_TRY(Status(m_ptx));
    }
    const Digest key = key_of(request);
    if (auto known = m_cache.find(key); known && known->bytes <= request.cubin_bytes) {
        return std::move(*known);
    }
    DeviceArtifact artifact;
    ATOLL_TRY_ASSIGN(DeviceBinary binary, compile_now(request, artifact));
    if (binary.status == DeviceBinary::Status::ok) {
        m_cache.remember(key, binary, artifact);
    }
    return binary;
}

Expected<DeviceBinary> DeviceCompiler::compile_now(const DeviceCompileRequest& request,
                                                   DeviceArtifact& artifact) {
    const HeaderChoice headers =
        request.ptx ? HeaderChoice{} : choose_headers(request.source, !m_options.cutlass.empty());
    if (!headers.refusal.empty()) {
        return refused(DeviceBinary::Status::error, headers.refusal);
    }
    Frame question;
    question.type = FrameType::compile;
    question.payload = to_json(NvrtcOrder{request.architecture, request.flags, headers.bundle,
                                          request.name_expressions, request.timeout_s,
                                          request.memory_bytes, request.cubin_bytes, request.ptx});
    ATOLL_TRY_ASSIGN(
        question.handles.emplace_back(),
        memory_file_of(request.ptx ? request.source
                                   : with_device_prelude(request.source, request.defines)));
    ATOLL_TRY_ASSIGN(const Frame answer, m_worker.ask(question, request.timeout_s, request.cancel));
    if (answer.type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(answer));
    }
    ATOLL_TRY_ASSIGN(const NvrtcReply reply, parse_nvrtc_reply(answer.payload));
    const bool ok = reply.status == NvrtcReply::Status::ok;
    if (answer.type != FrameType::compiled || answer.handles.size() != (ok ? 3 : 1)) {
        return failure(ErrorCode::corrupt, "an answer that fits no question", "NVRTC");
    }
    ATOLL_TRY_ASSIGN(artifact.log, read_handle(answer.handles[0], k_max_nvrtc_log_bytes));
    DeviceBinary binary;
    if (ok) {
        ATOLL_TRY_ASSIGN(artifact.cubin, read_handle(answer.handles[1], request.cubin_bytes));
        ATOLL_TRY_ASSIGN(artifact.names, read_handle(answer.handles[2], k_max_lowered_names_bytes));
        ATOLL_TRY_ASSIGN(binary, binary_from(artifact));
        if (binary.status == DeviceBinary::Status::ok &&
            binary.names.size() != request.name_expressions.size()) {
            return refused(DeviceBinary::Status::error,
                           "error: the names of the kernels do not come out of the compiler\n");
        }
    } else {
        binary.status = static_cast<DeviceBinary::Status>(reply.status);
        binary.log = trim_device_log(artifact.log, m_folders);
        if (!reply.reason.empty()) {
            binary.log += "error: " + reply.reason + "\n";
        }
    }
    binary.seconds = reply.seconds;
    binary.cpu_seconds = reply.cpu_seconds;
    if (m_toolchain.empty()) {
        m_toolchain = reply.toolchain + " at " + m_options.nvrtc;
        if (!m_options.cutlass.empty()) {
            m_toolchain += ", CUTLASS " + m_options.cutlass_version;
        }
    }
    return binary;
}

Status check_device_flag(const std::string& flag) {
    constexpr std::string_view k_registers = "--maxrregcount=";
    for (const std::string_view allowed :
         {"--use_fast_math", "--extra-device-vectorization", "--fmad=true", "--fmad=false",
          "--ftz=true", "--ftz=false", "--prec-div=true", "--prec-div=false", "--prec-sqrt=true",
          "--prec-sqrt=false", "--std=c++17", "--std=c++20"}) {
        if (flag == allowed) {
            return {};
        }
    }
    const std::string_view number = std::string_view(flag).substr(
        flag.starts_with(k_registers) ? k_registers.size() : flag.size());
    if (!number.empty() && number.size() <= 3 &&
        number.find_first_not_of("0123456789") == std::string_view::npos) {
        return {};
    }
    return failure(ErrorCode::invalid_argument, "no flag for device code: '" + flag + "'",
                   "device compiler",
                   "--use_fast_math, --fmad=, --ftz=, --prec-div=, --prec-sqrt= (true or false), "
                   "--maxrregcount=N, --extra-device-vectorization, --std=c++17 or c++20");
}

}  // namespace atl
