#include "reward/cuda/explicit_source.hpp"

#include "reward/cuda/cubin_facts.hpp"
#include "reward/json_object.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace atl {

namespace {

constexpr std::string_view k_plan_mark = "// plan:";
constexpr std::size_t k_max_cubin_text = 1 << 20;  ///< as a source

std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    return line;
}

Expected<nlohmann::ordered_json> plan_from(std::string_view text) {
    ATOLL_TRY_ASSIGN(nlohmann::ordered_json plan, parse_json_strictly(text, "plan"));
    if (!plan.is_object()) {
        return failure(ErrorCode::invalid_argument, "the plan is no JSON object", "plan");
    }
    return plan;
}

std::optional<std::uint32_t> digit_of(char c) {
    constexpr std::string_view k_digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = k_digits.find(c);
    return at == std::string_view::npos ? std::nullopt
                                        : std::optional(static_cast<std::uint32_t>(at));
}

/// RFC 4648, section 4; line ends may stand anywhere, as `base64` writes them.
std::optional<std::string> from_base64(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    std::size_t digits = 0;
    std::size_t padding = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r') {
            continue;
        }
        const std::optional<std::uint32_t> digit = digit_of(c);
        padding += c == '=' ? 1 : 0;
        if ((!digit && c != '=') || (digit && padding > 0) || padding > 2) {
            return std::nullopt;
        }
        bits = bits << 6 | digit.value_or(0);
        if (++digits % 4 == 0) {
            for (std::size_t i = 0; i < 3 - padding; ++i) {
                bytes += static_cast<char>(bits >> (16 - 8 * i) & 0xff);
            }
            bits = 0;
        }
    }
    return digits % 4 == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace

Expected<ExplicitSource> read_ptx_source(std::string_view text) {
    std::string plan;
    bool inside = false;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = take_line(rest);
        if (!line.starts_with("//") && (inside || !line.empty())) {
            break;  // code
        }
        if (inside) {
            plan.append(line.substr(2)).append("\n");
        } else if (line.starts_with(k_plan_mark)) {
            inside = true;
            plan.append(line.substr(k_plan_mark.size())).append("\n");
        }
    }
    if (!inside) {
        return failure(ErrorCode::invalid_argument,
                       "there is no plan: a comment before the code that begins with '// plan: {'",
                       "", "atoll task show TASK --kind ptx shows one");
    }
    ATOLL_TRY_ASSIGN(nlohmann::ordered_json parsed, plan_from(plan));
    return ExplicitSource{std::move(parsed), std::string(text)};
}

Expected<ExplicitSource> read_cubin_source(std::string_view text) {
    constexpr std::string_view k_form = R"(a candidate of kind cubin is {"plan": {...}, "cubin": )"
                                        R"("base64"}: atoll task show TASK --kind cubin)";
    if (text.starts_with(ELFMAG)) {
        return failure(ErrorCode::invalid_argument, "this is machine code without a plan", "",
                       std::string(k_form));
    }
    ATOLL_TRY_ASSIGN(const nlohmann::ordered_json json, parse_json_strictly(text, "candidate"));
    std::optional<Error> error;
    JsonObject fields(json, "candidate", error);
    ExplicitSource source{fields.raw("plan"), {}};
    const std::string base64 = fields.required_text("cubin", k_max_cubin_text);
    fields.refuse_other_keys();
    if (!source.plan.is_object()) {
        fields.fail("plan", "the plan is no JSON object", std::string(k_form));
    }
    if (error) {
        return tl::unexpected(*error);
    }
    std::optional<std::string> bytes = from_base64(base64);
    if (!bytes) {
        return failure(ErrorCode::invalid_argument, "is no base64", "candidate: cubin");
    }
    source.code = std::move(*bytes);
    return source;
}

Status check_foreign_cubin(std::string_view cubin, const DeviceLimits& device) {
    constexpr std::uint32_t k_fatbin = 0xba55ed50;
    std::uint32_t magic = 0;
    std::memcpy(&magic, cubin.data(), std::min(cubin.size(), sizeof(magic)));
    if (magic == k_fatbin) {
        return failure(ErrorCode::invalid_argument, "is a fat binary, not machine code", "cubin",
                       "compile with nvcc -cubin");
    }
    Elf64_Ehdr header{};
    if (cubin.size() < sizeof(header)) {
        return failure(ErrorCode::corrupt, "ends inside its header", "cubin");
    }
    std::memcpy(&header, cubin.data(), sizeof(header));
    if (header.e_type != ET_EXEC) {
        return failure(ErrorCode::invalid_argument, "is not linked", "cubin",
                       "compile without -rdc=true, or link with nvlink");
    }
    ATOLL_TRY_ASSIGN(const std::uint32_t capability, read_cubin_capability(cubin));
    const auto major = static_cast<std::uint32_t>(device.major);
    const auto minor = static_cast<std::uint32_t>(device.minor);
    if (capability / 10 != major || capability % 10 > minor) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("is for compute capability {}.{}, {} has {}.{}", capability / 10,
                                   capability % 10, device.name, major, minor),
                       "cubin", "compile for " + device.arch);
    }
    return {};
}

}  // namespace atl
