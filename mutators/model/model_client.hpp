#pragma once

#include "mutators/model/back_off.hpp"
#include "mutators/model/chat_model.hpp"
#include "mutators/model/model_settings.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct ModelClientOptions {
    std::vector<ModelSettings> models;
    BackOff back_off;
    std::uint64_t jitter_seed = 0;     ///< 0: differs from process to process, as jitter should
    std::size_t max_waiting = 65'536;  ///< requests that are not answered, all models together
    /// Told, a line each, when a model's endpoint begins to fail and when it answers again; on the
    /// client's thread.
    std::function<void(const std::string&)> on_remark;
};

/// How a model has done so far.
struct ModelHealth {
    std::uint64_t requests = 0;  ///< submitted
    std::uint64_t attempts = 0;  ///< HTTP requests begun
    std::uint64_t replies = 0;
    std::uint64_t failures = 0;  ///< requests that ended with an error, cancelled ones apart
    std::uint64_t cancelled = 0;
    std::uint64_t waiting = 0;  ///< for a place, a rate limit or the next attempt
    std::uint64_t in_flight = 0;
    std::uint64_t failed_in_a_row = 0;  ///< attempts, since the last reply
    std::string last_error;             ///< of the last attempt that failed
};

/// Asks OpenAI-compatible endpoints over HTTP. The one place where requests wait (for a place of
/// `in_flight`, for the rate limits), time out and are tried again. A Retry-After holds back all
/// requests to the model. First come, first served, but those tried again go first.
class ModelClient : public ChatModel {
  public:
    /// Reads the keys. Errors: a setting, a key or a name that stands twice.
    [[nodiscard]] static Expected<std::unique_ptr<ModelClient>> open(ModelClientOptions options);

    /// nullopt for a model that is not configured.
    [[nodiscard]] virtual std::optional<ModelHealth> health(const std::string& model) const = 0;
};

}  // namespace atl
