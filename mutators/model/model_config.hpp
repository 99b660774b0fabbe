#pragma once

#include "mutators/model/model_settings.hpp"
#include "reward/base/settings.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// The tables [models.NAME] of a config:
///
///     [models.coder]
///     url = "https://api.example.com/v1"
///     key_env = "EXAMPLE_KEY"
///     price = {prompt = 3, cached = 0.3, completion = 15}
///
/// A declaration must know its keys before it is read, so the names are read first:
///
///     ATOLL_TRY_ASSIGN(auto models, named_models(text, file));
///     ATOLL_TRY(read_settings(text, file, [&](SettingVisitor& v) { declare(models, v); ... }));
///     for (const ModelSettings& model : models) { ATOLL_TRY(check_model_settings(model)); }

inline constexpr std::size_t k_max_models = 64;

/// One for each table, in the order of their names, with nothing but its name. Errors: TOML that is
/// none, a name that is not plain or has a '.', more than k_max_models.
[[nodiscard]] Expected<std::vector<ModelSettings>> named_models(const std::string& toml_text,
                                                                const std::string& file_name);

/// Declares "models.NAME.url" and so on, of each. A price of which a part is missing is not checked
/// here, but by check_model_settings().
void declare(std::vector<ModelSettings>& models, SettingVisitor& visitor);

}  // namespace atl
