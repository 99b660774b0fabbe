#pragma once

#include "population/lineage/lineage_file.hpp"
#include "reward/base/error.hpp"

namespace atl::lineage {

/// corrupt when the tables do not hold exactly what the events in the file say. A writer that gave
/// up within a batch (a full disk) leaves tables that are ahead of the events; going on would add
/// their rows twice. Looks at rows only, not at payloads, so that a long campaign's resume stays
/// quick. Internal to population.
[[nodiscard]] Status check_agreement(const LineageFile& file, const std::string& where);

}  // namespace atl::lineage
