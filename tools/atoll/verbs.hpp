#pragma once

namespace CLI {
class App;
}

namespace atl {

/// Each verb of the `atoll` program lives in verb_<name>.cpp: it adds its sub-command, and its
/// callback stores the exit status. Errors that end the command are thrown as CommandError.
struct VerbContext {
    int exit_status = 0;
};

using AddVerb = void (*)(CLI::App& app, VerbContext& context);

// One line per verb; main.cpp lists them in the order of the help text.
void add_doctor_verb(CLI::App& app, VerbContext& context);
void add_eval_verb(CLI::App& app, VerbContext& context);
void add_plan_verb(CLI::App& app, VerbContext& context);
void add_run_verb(CLI::App& app, VerbContext& context);
void add_resume_verb(CLI::App& app, VerbContext& context);
void add_replay_verb(CLI::App& app, VerbContext& context);
void add_config_verb(CLI::App& app, VerbContext& context);
void add_lineage_verb(CLI::App& app, VerbContext& context);
void add_serve_verb(CLI::App& app, VerbContext& context);
void add_mailbox_verb(CLI::App& app, VerbContext& context);
void add_rescore_verb(CLI::App& app, VerbContext& context);
void add_audit_verb(CLI::App& app, VerbContext& context);
void add_task_verb(CLI::App& app, VerbContext& context);
void add_recipe_verb(CLI::App& app, VerbContext& context);
void add_compare_verb(CLI::App& app, VerbContext& context);

/// `atoll task baselines`, below the verb `task`.
void add_task_baselines_verb(CLI::App& task_verb, VerbContext& context);

/// `atoll recipe import`, below the verb `recipe`.
void add_recipe_import_verb(CLI::App& recipe_verb, VerbContext& context);

}  // namespace atl
