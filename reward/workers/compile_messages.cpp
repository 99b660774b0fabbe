#include "reward/workers/compile_messages.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using Json = nlohmann::json;

constexpr std::size_t k_max_words = 256;
constexpr std::size_t k_max_word_bytes = 4096;
constexpr double k_max_timeout_s = 3600;
constexpr std::uint64_t k_max_memory_bytes = 1ull << 42;
constexpr std::uint64_t k_max_binary_bytes = 1ull << 30;

}  // namespace

std::string to_json(const CompileOrder& message) {
    return Json{{"flags", message.flags},
                {"libraries", message.libraries},
                {"timeout_s", message.timeout_s},
                {"memory_bytes", message.memory_bytes},
                {"binary_bytes", message.binary_bytes}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<CompileOrder> parse_compile_order(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    CompileOrder message;
    JsonReader fields(parsed, "compile");
    fields.texts("flags", message.flags, k_max_words, k_max_word_bytes)
        .texts("libraries", message.libraries, k_max_words, k_max_word_bytes)
        .number("timeout_s", message.timeout_s, 0, k_max_timeout_s)
        .integer("memory_bytes", message.memory_bytes, 1, k_max_memory_bytes)
        .integer("binary_bytes", message.binary_bytes, 1, k_max_binary_bytes);
    ATOLL_TRY(fields.finish());
    return message;
}

std::string to_json(const CompileReply& message) {
    return Json{{"status", static_cast<int>(message.status)},
                {"log", message.log},
                {"seconds", message.seconds},
                {"killed", message.killed},
                {"whole_because", message.whole_because}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Expected<CompileReply> parse_compile_reply(std::string_view json) {
    const Json parsed = Json::parse(json, nullptr, false);
    CompileReply message;
    int status = 0;
    JsonReader fields(parsed, "compiled");
    // Bytes that are not UTF-8 grow threefold on the wire.
    fields.integer("status", status, 0, static_cast<int>(CompileResult::Status::limit))
        .text("log", message.log, 3 * k_max_compile_log_bytes)
        .number("seconds", message.seconds, 0, 1e9)
        .boolean("killed", message.killed)
        .text("whole_because", message.whole_because, 3 * k_max_reason_bytes);
    ATOLL_TRY(fields.finish());
    message.status = static_cast<CompileResult::Status>(status);
    return message;
}

}  // namespace atl
