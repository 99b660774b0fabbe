#include "reward/base/error.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/process_setup.hpp"
#include "tools/atoll/usage_error.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace {

// In the order of the help text.
constexpr std::initializer_list<atl::AddVerb> k_verbs = {
    atl::add_doctor_verb,  atl::add_eval_verb,   atl::add_plan_verb,    atl::add_run_verb,
    atl::add_resume_verb,  atl::add_replay_verb, atl::add_serve_verb,   atl::add_task_verb,
    atl::add_config_verb,  atl::add_recipe_verb, atl::add_compare_verb, atl::add_lineage_verb,
    atl::add_rescore_verb, atl::add_audit_verb,  atl::add_mailbox_verb,
};

}  // namespace

int main(int argc, char** argv) {
    atl::prepare_process();
    CLI::App app{"Atoll: evolves kernels with islands, operators and an honest reward server."};
    app.set_version_flag("--version", std::string("atoll ") + ATOLL_VERSION);
    app.require_subcommand(1);
    app.footer(
        "Start with:  atoll doctor   then   atoll run experiments/campaigns/quickstart.toml");
    atl::VerbContext context;
    for (const atl::AddVerb add : k_verbs) {
        add(app, context);
    }
    try {
        app.parse(argc, argv);
        return context.exit_status;
    } catch (const CLI::ParseError& error) {
        if (error.get_name() == "CallForHelp") {
            const bool printed =
                std::fputs(atl::help_text(app).c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
            return printed ? atl::k_exit_ok : atl::k_exit_infrastructure;
        }
        if (error.get_exit_code() == 0) {  // --version
            return app.exit(error);
        }
        std::fprintf(stderr, "%s\n", atl::usage_error(app, error).c_str());
        return atl::k_exit_usage;
    } catch (const atl::CommandError& error) {
        atl::complain(error.what());
        return error.exit_status();
    } catch (const std::exception& error) {
        atl::complain(std::string("internal error: ") + error.what());
        return atl::k_exit_infrastructure;
    }
}
