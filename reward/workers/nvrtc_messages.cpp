#include "reward/workers/nvrtc_messages.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_words = 64;
constexpr std::size_t k_max_word_bytes = 512;
constexpr std::size_t k_max_names = 256;
constexpr double k_max_timeout_s = 3600;
constexpr std::uint64_t k_max_memory_bytes = 1ull << 42;
constexpr std::uint64_t k_max_cubin_bytes = 1ull << 30;

}  // namespace

std::string to_json(const NvrtcOrder& message) {
    return Json{{"architecture", message.architecture},
                {"flags", message.flags},
                {"bundle", static_cast<int>(message.bundle)},
                {"name_expressions", message.name_expressions},
                {"timeout_s", message.timeout_s},
                {"memory_bytes", message.memory_bytes},
                {"cubin_bytes", message.cubin_bytes},
                {"ptx", message.ptx}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<NvrtcOrder> parse_nvrtc_order(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    NvrtcOrder message;
    int bundle = 0;
    JsonReader fields(parsed, "compile");
    fields.text("architecture", message.architecture, 32)
        .texts("flags", message.flags, k_max_words, k_max_word_bytes)
        .integer("bundle", bundle, 0, static_cast<int>(HeaderBundle::library))
        .texts("name_expressions", message.name_expressions, k_max_names, k_max_word_bytes)
        .number("timeout_s", message.timeout_s, 0, k_max_timeout_s)
        .integer("memory_bytes", message.memory_bytes, 1, k_max_memory_bytes)
        .integer("cubin_bytes", message.cubin_bytes, 1, k_max_cubin_bytes)
        .boolean("ptx", message.ptx);
    ATOLL_TRY(fields.finish());
    message.bundle = static_cast<HeaderBundle>(bundle);
    return message;
}

std::string to_json(const NvrtcReply& message) {
    return Json{{"status", static_cast<int>(message.status)},
                {"reason", message.reason},
                {"seconds", message.seconds},
                {"cpu_seconds", message.cpu_seconds},
                {"toolchain", message.toolchain}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<NvrtcReply> parse_nvrtc_reply(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    NvrtcReply message;
    int status = 0;
    JsonReader fields(parsed, "compiled");
    fields.integer("status", status, 0, static_cast<int>(NvrtcReply::Status::limit))
        .text("reason", message.reason, 4096)
        .number("seconds", message.seconds, 0, 1e9)
        .number("cpu_seconds", message.cpu_seconds, 0, 1e9)
        .text("toolchain", message.toolchain, 64);
    ATOLL_TRY(fields.finish());
    message.status = static_cast<NvrtcReply::Status>(status);
    return message;
}

}  // namespace atl
