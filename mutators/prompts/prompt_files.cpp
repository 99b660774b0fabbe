#include "mutators/prompts/prompt_files.hpp"

#include "reward/base/files.hpp"
#include "reward/base/own_program.hpp"
#include "reward/base/settings.hpp"
#include "reward/base/words.hpp"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_blocks = "blocks";

std::string block_file(const std::string& block) {
    return std::string(k_blocks) + "/" + block;
}

bool is_block_file(const std::string& name) {
    return name.starts_with(block_file(""));
}

std::string place(const PromptFile& file, const TemplateTag& tag) {
    return file.path + ":" + std::to_string(tag.line);
}

Expected<PromptFile> read_template(const fs::path& path) {
    PromptFile file;
    file.path = path.string();
    ATOLL_TRY_ASSIGN(std::string text, read_regular_file(path, k_max_prompt_file_bytes));
    if (!is_utf8(text) || text.find('\0') != std::string::npos) {
        return failure(ErrorCode::invalid_argument, "a prompt must be UTF-8 text", file.path);
    }
    ATOLL_TRY_ASSIGN(const std::vector<TemplateTag> tags, template_tags(text, file.path));
    file.tags = tags;
    file.text = std::move(text);
    return file;
}

/// The template files of a folder and of blocks/ in it: name -> path.
Expected<std::map<std::string, fs::path>> list_templates(const fs::path& folder) {
    std::map<std::string, fs::path> found;
    for (const bool blocks : {false, true}) {
        const fs::path place = blocks ? folder / k_blocks : folder;
        std::error_code code;
        if (blocks && !fs::exists(place, code)) {
            continue;
        }
        for (fs::directory_iterator entry(place, code); !code && entry != fs::directory_iterator();
             entry.increment(code)) {
            const fs::path& path = entry->path();
            const std::string stem = path.stem().string();
            if ((!blocks && path.filename() == k_blocks) || path.filename() == "README.md") {
                continue;
            }
            if (path.extension() != k_prompt_extension || !is_plain_name(stem) ||
                found.size() == k_max_prompt_files) {
                return failure(ErrorCode::invalid_argument,
                               "not a prompt, or one too many: prompts are NAME.mustache and "
                               "blocks/NAME.mustache, at most " +
                                   std::to_string(k_max_prompt_files),
                               path.string());
            }
            found.emplace(blocks ? block_file(stem) : stem, path);
        }
        if (code) {
            Error error = errno_error("read", place.string(), code.value());
            error.hint = "name a folder of prompts";
            return tl::unexpected(std::move(error));
        }
    }
    return found;
}

}  // namespace

Expected<fs::path> find_shipped_prompts() {
    for (const fs::path& folder : folders_above_program()) {
        const fs::path prompts = folder / "mutators" / "prompts" / "templates";
        std::error_code code;
        if (fs::is_directory(prompts, code)) {
            return prompts;
        }
    }
    return failure(
        ErrorCode::not_found, "the prompts are not beside the program: mutators/prompts/templates",
        own_program().value_or(std::string()), "keep the program in its build folder or bundle");
}

Expected<PromptFiles> PromptFiles::load(const fs::path& shipped, const fs::path& campaign) {
    PromptFiles files;
    ATOLL_TRY(files.read_folder(shipped));
    for (const auto& [name, file] : files.m_files) {
        if (!is_block_file(name)) {
            files.m_prompts.push_back(name);
        }
    }
    if (!campaign.empty()) {
        ATOLL_TRY(files.read_folder(campaign));
    }
    ATOLL_TRY(files.check_blocks());
    for (const std::string& prompt : files.m_prompts) {
        if (files.flat(prompt).size() > k_max_flat_prompt_bytes) {
            return failure(ErrorCode::limit,
                           "a prompt with its blocks is longer than " +
                               std::to_string(k_max_flat_prompt_bytes) + " bytes",
                           files.m_files.at(prompt).path);
        }
    }
    if (!campaign.empty()) {
        ATOLL_TRY(files.check_shown(campaign));
    }
    return files;
}

Status PromptFiles::read_folder(const fs::path& folder) {
    ATOLL_TRY_ASSIGN(const auto templates, list_templates(folder));
    for (const auto& [name, path] : templates) {
        if (!m_prompts.empty() && !is_block_file(name) && !m_files.contains(name)) {
            const std::string nearest = nearest_word(name, m_prompts);
            std::string known;
            for (const std::string& prompt : m_prompts) {
                known += (known.empty() ? "" : ", ") + prompt;
            }
            return failure(
                ErrorCode::invalid_argument, "there is no prompt '" + name + "'", path.string(),
                nearest.empty() ? "prompts: " + known : "did you mean '" + nearest + "'?");
        }
        ATOLL_TRY_ASSIGN(PromptFile file, read_template(path));
        m_files[name] = std::move(file);
    }
    return {};
}

Status PromptFiles::check_blocks() const {
    std::vector<std::string> blocks;
    for (const auto& [name, file] : m_files) {
        if (is_block_file(name)) {
            blocks.push_back(name.substr(block_file("").size()));
        }
    }
    for (const auto& [name, file] : m_files) {
        for (const TemplateTag& tag : file.tags) {
            if (tag.kind != TemplateTag::Kind::block || m_files.contains(block_file(tag.name))) {
                continue;
            }
            const std::string nearest = nearest_word(tag.name, blocks);
            return failure(ErrorCode::invalid_argument, "there is no block '" + tag.name + "'",
                           place(file, tag),
                           nearest.empty() ? "blocks are the files of blocks/"
                                           : "did you mean '" + nearest + "'?");
        }
    }
    std::set<std::string> checked;
    std::vector<std::string> path;
    for (const auto& [name, file] : m_files) {
        ATOLL_TRY(check_cycles(name, path, checked));
    }
    return {};
}

Status PromptFiles::check_cycles(const std::string& name, std::vector<std::string>& path,
                                 std::set<std::string>& checked) const {
    if (checked.contains(name)) {
        return {};
    }
    path.push_back(name);
    const PromptFile& file = m_files.at(name);
    for (const TemplateTag& tag : file.tags) {
        if (tag.kind != TemplateTag::Kind::block) {
            continue;
        }
        const std::string block = block_file(tag.name);
        if (std::find(path.begin(), path.end(), block) != path.end()) {
            return failure(ErrorCode::invalid_argument,
                           "the block '" + tag.name + "' would show itself", place(file, tag));
        }
        ATOLL_TRY(check_cycles(block, path, checked));
    }
    path.pop_back();
    checked.insert(name);
    return {};
}

Status PromptFiles::check_shown(const fs::path& campaign) const {
    std::set<std::string> shown;
    for (const auto& [name, file] : m_files) {
        for (const TemplateTag& tag : file.tags) {
            if (tag.kind == TemplateTag::Kind::block) {
                shown.insert(block_file(tag.name));
            }
        }
    }
    ATOLL_TRY_ASSIGN(const auto own, list_templates(campaign));
    for (const auto& [name, path] : own) {
        if (is_block_file(name) && !shown.contains(name)) {
            return failure(ErrorCode::invalid_argument, "no prompt shows this block", path.string(),
                           "write {{> " + path.stem().string() + "}} into a prompt, or remove it");
        }
    }
    return {};
}

std::string PromptFiles::flat(const std::string& prompt) const {
    std::string text;
    append_flat(prompt, text);
    return text;
}

void PromptFiles::append_flat(const std::string& name, std::string& text) const {
    const PromptFile& file = m_files.at(name);
    const std::string plain = without_standalone_lines(file.text, file.tags);
    const auto tags = template_tags(plain, file.path);
    std::size_t copied = 0;
    for (const TemplateTag& tag : *tags) {
        if (tag.kind == TemplateTag::Kind::block && text.size() <= k_max_flat_prompt_bytes) {
            text += plain.substr(copied, tag.begin - copied);
            append_flat(block_file(tag.name), text);
            copied = tag.end;
        }
    }
    text += plain.substr(copied);
}

std::string PromptFiles::place_of(const std::string& prompt, const std::string& name) const {
    const PromptFile& file = m_files.at(prompt);
    for (const TemplateTag& tag : file.tags) {
        if (tag.kind == TemplateTag::Kind::block) {
            if (std::string found = place_of(block_file(tag.name), name); !found.empty()) {
                return found;
            }
        } else if (tag.name == name) {
            return place(file, tag);
        }
    }
    return "";
}

}  // namespace atl
