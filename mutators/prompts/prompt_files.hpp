#pragma once

#include "mutators/prompts/template_tags.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace atl {

inline constexpr const char* k_prompt_extension = ".mustache";
inline constexpr std::uint64_t k_max_prompt_file_bytes = 64 << 10;
inline constexpr std::size_t k_max_prompt_files = 256;             ///< of one folder
inline constexpr std::size_t k_max_flat_prompt_bytes = 256 << 10;  ///< a prompt with its blocks

/// mutators/prompts/templates, above the program that runs (in a bundle as in a build).
[[nodiscard]] Expected<std::filesystem::path> find_shipped_prompts();

/// One template as it was read.
struct PromptFile {
    std::string path;
    std::string text;
    std::vector<TemplateTag> tags;
};

/// Prompts as files: NAME.mustache is a prompt, blocks/NAME.mustache a block that prompts and
/// other blocks show with {{> NAME}}. Immutable.
class PromptFiles {
  public:
    /// Reads all files of `shipped`; a file of `campaign` (empty: none) takes the place of the one
    /// with its name, and may add blocks. Errors name file and line: a template that does not
    /// parse, a block that there is not, one that shows itself, a file of `campaign` that nothing
    /// shows or that is no template (README.md may be there), a limit.
    [[nodiscard]] static Expected<PromptFiles> load(const std::filesystem::path& shipped,
                                                    const std::filesystem::path& campaign);

    [[nodiscard]] const std::vector<std::string>& prompts() const { return m_prompts; }
    /// A prompt with its blocks in place of their tags. REQUIRES one of prompts().
    [[nodiscard]] std::string flat(const std::string& prompt) const;
    /// "file:line" of the first tag with that name in a prompt or its blocks; "" when none has it.
    [[nodiscard]] std::string place_of(const std::string& prompt, const std::string& tag) const;
    /// All files, by name ("rewrite", "blocks/task").
    [[nodiscard]] const std::map<std::string, PromptFile>& files() const { return m_files; }

  private:
    [[nodiscard]] Status read_folder(const std::filesystem::path& folder);
    [[nodiscard]] Status check_blocks() const;
    [[nodiscard]] Status check_shown(const std::filesystem::path& campaign) const;
    [[nodiscard]] Status check_cycles(const std::string& name, std::vector<std::string>& path,
                                      std::set<std::string>& checked) const;
    void append_flat(const std::string& name, std::string& text) const;

    std::map<std::string, PromptFile> m_files;
    std::vector<std::string> m_prompts;
};

}  // namespace atl
