#pragma once

#include "reward/base/error.hpp"
#include "search/config.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// A key of a foreign config that has no equal here, with the reason.
struct UnhonouredKey {
    std::string key;  ///< "database.db_path"
    std::size_t line = 0;
    std::string reason;
};

/// A foreign key and what it became.
struct HonouredKey {
    std::string key;
    std::string became;  ///< "islands.count = 5"
};

struct ImportedConfig {
    CampaignConfig config;
    std::vector<HonouredKey> honoured;
    std::vector<UnhonouredKey> unhonoured;
};

/// Reads an OpenEvolve config (YAML; the keys are those of openevolve 0.4.1, config.py) over
/// `base`, the recipe of that system. Every key of the file ends in one of the two lists. Errors:
/// no YAML, not a map. Whether the keys fit together is for check_config() to say: a file without
/// models, say, does not.
[[nodiscard]] Expected<ImportedConfig> import_openevolve(const std::string& yaml,
                                                         const std::string& file_name,
                                                         CampaignConfig base);

}  // namespace atl
