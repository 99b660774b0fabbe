#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <string>
#include <string_view>

namespace atl {

/// Content-addressed texts (sources, prompts, replies, verdicts). Thread-safe.
class TextSource {
  public:
    virtual ~TextSource() = default;
    /// not_found when no such text is stored; corrupt when its bytes do not match the id.
    [[nodiscard]] virtual Expected<std::string> text(const Digest& id) const = 0;
};

}  // namespace atl
