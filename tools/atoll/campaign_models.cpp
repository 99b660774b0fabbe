#include "tools/atoll/campaign_models.hpp"

#include "mutators/model/agent_model.hpp"
#include "mutators/model/model_client.hpp"
#include "mutators/operators/model_operators.hpp"
#include "mutators/prompts/hardware_card.hpp"
#include "mutators/prompts/prompt_files.hpp"
#include "mutators/prompts/prompts.hpp"
#include "reward/base/files.hpp"
#include "tools/atoll/output.hpp"

#include <system_error>
#include <utility>

namespace atl {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t k_max_hardware_bytes = 64 << 10;

Status make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    return error ? tl::unexpected(errno_error("make", folder.string(), error.value())) : Status();
}

/// Both, and who is asked what.
class ModelsAndAgent final : public ChatModel {
  public:
    ModelsAndAgent(std::unique_ptr<ChatModel> models, AgentSettings agent)
        : m_models(std::move(models)),
          m_agent(std::move(agent)),
          m_router(m_models.get(), &m_agent) {}
    void submit(ChatCall call, Done done) override {
        m_router.submit(std::move(call), std::move(done));
    }

  private:
    std::unique_ptr<ChatModel> m_models;
    AgentModel m_agent;
    PeerRouter m_router;
};

}  // namespace

Status keep_prompts(const CampaignConfig& config, const Task& task, const RunFolder& run,
                    const std::string& device, const DeviceFacts* facts) {
    if (!asks_anybody(config)) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const fs::path shipped, find_shipped_prompts());
    ATOLL_TRY_ASSIGN(const PromptFiles files, PromptFiles::load(shipped, config.asking.prompts));
    ATOLL_TRY(make_folder(run.prompts() / "blocks"));
    for (const auto& [name, file] : files.files()) {
        ATOLL_TRY(write_file_durably(run.prompts() / (name + k_prompt_extension), file.text));
    }
    std::string card = facts == nullptr ? std::string() : hardware_card(*facts);
    if (card.empty() && !task.external) {
        card = "- " + device + "\n";
    }
    return write_file_durably(run.hardware(), card);
}

Status copy_prompts(const RunFolder& from, const RunFolder& to) {
    std::error_code error;
    if (!fs::exists(from.prompts(), error)) {
        return {};
    }
    fs::copy(from.prompts(), to.prompts(), fs::copy_options::recursive, error);
    if (!error) {
        fs::copy_file(from.hardware(), to.hardware(), error);
    }
    return error ? tl::unexpected(errno_error("copy", from.prompts().string(), error.value()))
                 : Status();
}

Expected<OperatorRegistry> operators_of(const CampaignConfig& config, const Task& task,
                                        const RunFolder& run) {
    if (!asks_anybody(config)) {
        return shipped_operators();
    }
    ModelOperatorOptions options;
    options.prompts = run.prompts();
    ATOLL_TRY_ASSIGN(options.hardware, read_file(run.hardware(), k_max_hardware_bytes));
    options.budget.prompt_tokens = static_cast<std::size_t>(config.asking.prompt_tokens);
    options.budget.retries = static_cast<int>(config.asking.retries);
    options.budget.repairs = static_cast<int>(config.asking.repairs);
    options.agent = config.agent;
    return campaign_operators(task, options);
}

Expected<std::shared_ptr<Prompts>> prompts_of(const CampaignConfig& config, const Task& task,
                                              const RunFolder& run) {
    if (config.models.empty()) {
        return nullptr;
    }
    ATOLL_TRY_ASSIGN(const fs::path shipped, find_shipped_prompts());
    ATOLL_TRY_ASSIGN(std::string hardware, read_file(run.hardware(), k_max_hardware_bytes));
    ATOLL_TRY_ASSIGN(Prompts prompts, Prompts::load(shipped, run.prompts(),
                                                    prompt_facts(task, std::move(hardware))));
    return std::make_shared<Prompts>(std::move(prompts));
}

Expected<std::unique_ptr<ChatModel>> open_models(const CampaignConfig& config) {
    if (!asks_anybody(config)) {
        return nullptr;
    }
    std::unique_ptr<ChatModel> client;
    if (!config.models.empty()) {
        ModelClientOptions options;
        options.models = config.models;
        options.on_remark = [](const std::string& text) { complain("note: " + text); };
        ATOLL_TRY_ASSIGN(client, ModelClient::open(std::move(options)));
    }
    if (!config.agent.is_set()) {
        return client;
    }
    return std::make_unique<ModelsAndAgent>(std::move(client), config.agent);
}

}  // namespace atl
