#pragma once

#include "reward/base/error.hpp"
#include "reward/profile_report.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// What helps against what: for each bottleneck (reward/bottleneck.hpp) and kind of candidate the
/// methods that a model is told of, in a fixed order (KernelSkill, arXiv 2603.10085: from the
/// bottleneck to the methods by a table and not by a model). The table is mutators/memory/
/// methods.json, a part of the program. Immutable.
class MethodTable {
  public:
    /// Errors: what is no such table, a bottleneck that there is not or that is missing.
    [[nodiscard]] static Expected<MethodTable> parse(std::string_view json);
    /// The shipped one.
    [[nodiscard]] static const MethodTable& shipped();

    /// For candidates of a kind; of ptx and cubin those of cuda. Empty for other kinds.
    [[nodiscard]] const std::vector<std::string>& methods(Bottleneck bottleneck,
                                                          const std::string& kind) const;

  private:
    std::map<std::pair<Bottleneck, std::string>, std::vector<std::string>> m_methods;
};

/// The text of methods.json.
[[nodiscard]] const char* methods_json();

}  // namespace atl
