#pragma once

#include "mutators/prompts/prompt_files.hpp"
#include "mutators/prompts/prompt_material.hpp"
#include "mutators/prompts/shown_blocks.hpp"
#include "reward/base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// What a model is asked, as two messages. The first is the same for all prompts of a campaign, so
/// that endpoints which keep prefixes compute it once.
struct Prompt {
    std::string system;
    std::string user;
    std::size_t tokens = 0;            ///< estimated_tokens() of both
    std::vector<std::string> trimmed;  ///< what was left out to fit, in order: "inspiration 3.0"
};

/// Both messages as one text, for the record.
[[nodiscard]] std::string whole_prompt(const Prompt& prompt);

/// The prompts of one campaign: templates (kainjow/Mustache) filled with material. What templates
/// can name is in prompt_values.hpp; a name that there is not, or not where it stands, is an error
/// with file and line when prompts are loaded. Move-only; not thread-safe.
class Prompts {
  public:
    /// "system" is the shared prefix; each other file is the user's message of one operator.
    [[nodiscard]] static Expected<Prompts> load(const std::filesystem::path& shipped,
                                                const std::filesystem::path& campaign,
                                                PromptFacts facts);
    ~Prompts();
    Prompts(Prompts&&) noexcept;
    Prompts& operator=(Prompts&&) noexcept;

    [[nodiscard]] const PromptFacts& facts() const;
    /// Which blocks a prompt has; none where there is no such prompt.
    [[nodiscard]] ShownBlocks shows(const std::string& name) const;
    /// The first message of every prompt.
    [[nodiscard]] const std::string& system() const;

    /// The prompt `name` ("rewrite", ...; not "system"), trimmed until its estimate is at most
    /// `max_tokens` (trim_steps() in this order: prompt_trimming.hpp). An error of code limit when
    /// that is not enough, invalid_argument when there is no such prompt or it would be no UTF-8.
    [[nodiscard]] Expected<Prompt> make(const std::string& name, PromptMaterial material,
                                        std::size_t max_tokens);

  private:
    struct Parts;
    explicit Prompts(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> m_parts;
};

}  // namespace atl
