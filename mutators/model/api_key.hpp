#pragma once

#include "reward/base/error.hpp"

#include <filesystem>
#include <string>
#include <utility>

namespace atl {

/// What an endpoint wants to see. It goes into one header of requests to that endpoint and nowhere
/// else: not into logs, errors, records or the command line. Immutable, thread-safe.
class ApiKey {
  public:
    /// No key.
    ApiKey() = default;
    /// From the environment variable or the file (one line; refused when other users could read
    /// it); both empty: no key. Errors name the variable or file and never the key.
    [[nodiscard]] static Expected<ApiKey> find(const std::string& variable,
                                               const std::filesystem::path& file);

    [[nodiscard]] bool is_empty() const { return m_key.empty(); }
    /// "Authorization: Bearer KEY".
    [[nodiscard]] std::string header() const { return "Authorization: Bearer " + m_key; }
    /// Replaces every occurrence of the key: endpoints quote it in errors, and a model may be made
    /// to.
    void remove_from(std::string& text) const;

  private:
    explicit ApiKey(std::string key) : m_key(std::move(key)) {}
    std::string m_key;
};

}  // namespace atl
