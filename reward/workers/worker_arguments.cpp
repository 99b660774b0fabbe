#include "reward/workers/worker_arguments.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace atl {

namespace {

template <class Integer>
std::optional<Integer> integer_from(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

tl::unexpected<Error> bad_argument(const std::string& argument) {
    return failure(ErrorCode::invalid_argument, "cannot use argument '" + argument + "'",
                   "atoll-worker", "this program is started by atoll, not by hand");
}

Expected<WorkerRole> role_from(const std::string& name) {
    for (const auto role :
         {WorkerRole::compiler, WorkerRole::nvrtc, WorkerRole::runner, WorkerRole::verifier,
          WorkerRole::gpu_runner, WorkerRole::gpu_verifier, WorkerRole::gpu_probe}) {
        if (name == to_string(role)) {
            return role;
        }
    }
    return bad_argument(name);
}

Expected<std::vector<int>> cores_from(std::string_view text) {
    std::vector<int> cores;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const auto core = integer_from<int>(text.substr(0, comma));
        if (!core) {
            return bad_argument(std::string(text));
        }
        cores.push_back(*core);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return cores;
}

template <class Integer>
Status read_integer(const std::string& text, Integer& out) {
    const auto value = integer_from<Integer>(text);
    if (!value) {
        return bad_argument(text);
    }
    out = *value;
    return {};
}

Status read_option(const std::string& name, const std::string& value, WorkerArguments& out) {
    if (name == "--parent") {
        return read_integer(value, out.parent);
    }
    if (name == "--generation") {
        return read_integer(value, out.generation);
    }
    if (name == "--required" || name == "--at-most") {
        ATOLL_TRY_ASSIGN((name == "--required" ? out.required : out.at_most),
                         sandbox_level_from(value));
        return {};
    }
    if (name == "--cores") {
        ATOLL_TRY_ASSIGN(out.cores, cores_from(value));
        return {};
    }
    if (name == "--compiler") {
        out.compiler = value;
        return {};
    }
    if (name == "--nvrtc") {
        out.nvrtc = value;
        return {};
    }
    if (name == "--jit-link") {
        out.jit_link = value;
        return {};
    }
    if (name == "--include") {
        out.include.push_back(value);
        return {};
    }
    if (name == "--architecture") {
        out.architecture = value;
        return {};
    }
    if (name == "--driver") {
        out.driver = value;
        return {};
    }
    if (name == "--cupti") {
        out.cupti = value;
        return {};
    }
    if (name == "--gpu") {
        return read_integer(value, out.gpu);
    }
    if (name == "--counters") {
        return read_integer(value, out.counters);
    }
    return bad_argument(name);
}

}  // namespace

Expected<WorkerArguments> parse_worker_arguments(const std::vector<std::string>& arguments) {
    if (arguments.size() % 2 != 1) {
        return bad_argument(arguments.empty() ? "" : arguments.back());
    }
    WorkerArguments out;
    ATOLL_TRY_ASSIGN(out.role, role_from(arguments[0]));
    for (std::size_t i = 1; i < arguments.size(); i += 2) {
        ATOLL_TRY(read_option(arguments[i], arguments[i + 1], out));
    }
    return out;
}

}  // namespace atl
