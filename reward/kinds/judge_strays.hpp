#pragma once

#include <filesystem>

namespace atl {

/// Kills every process of this user that a judge in the private folder `home` started, wherever
/// they went: a judge's environment names that folder (HOME), and children inherit it. For when its
/// keeper was killed; one that threw its environment away is not found. Gives up on what forks
/// faster than it is killed.
void kill_judge_strays(const std::filesystem::path& home);

}  // namespace atl
