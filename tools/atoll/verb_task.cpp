#include "population/lineage/text_layout.hpp"
#include "reward/base/words.hpp"
#include "reward/compiler.hpp"
#include "reward/kinds/external.hpp"
#include "reward/task.hpp"
#include "reward/task_check.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/task_report.hpp"
#include "tools/atoll/task_template.hpp"
#include "tools/atoll/usage_error.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace atl {

namespace {

namespace fs = std::filesystem;

struct TaskOptions {
    std::string name;
    std::string kind;
    std::string from;
    std::string output;
    std::string sandbox = "full";
    bool all = false;
    bool json = false;
    bool notes = false;
};

TaskPtr load_by_name(const TaskOptions& options) {
    return value_or_end(load_task(value_or_end(find_task(options.name)), options.kind));
}

int list(const TaskOptions& options) {
    const std::vector<fs::path> folders = list_tasks();
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::string table = fmt::format("{:<24} {:<9} {:>9} {:>7} {:>9}\n", "task", "kind", "workloads",
                                    "hidden", "starters");
    for (const fs::path& folder : folders) {
        const Expected<TaskPtr> loaded = load_task(folder);
        if (!loaded) {
            rows.push_back({{"name", folder.filename().string()},
                            {"folder", folder.string()},
                            {"error", loaded.error().message()}});
            table += fmt::format("{:<24} broken: {}\n", folder.filename().string(),
                                 loaded.error().message());
            continue;
        }
        const Task& task = **loaded;
        const auto hidden = std::count_if(task.workloads.begin(), task.workloads.end(),
                                          [](const Workload& w) { return w.hidden; });
        rows.push_back({{"name", task.name},
                        {"kind", task.kind},
                        {"folder", task.folder.string()},
                        {"workloads", task.workloads.size()},
                        {"hidden", hidden},
                        {"starters", task.starters.size()}});
        table += fmt::format("{:<24} {:<9} {:>9} {:>7} {:>9}\n", task.name, task.kind,
                             task.workloads.size(), hidden, task.starters.size());
    }
    if (folders.empty() && !options.json) {
        table = "No tasks found: set ATOLL_TASKS to a folder of tasks, or run from a clone.\n";
    }
    print(options.json ? rows.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
                       : printable(table));
    return folders.empty() ? k_exit_failed : k_exit_ok;
}

// What no candidate can do without; all else that may be wrong is for `check` to find.
Status check_can_judge(const Task& task) {
    if (task.external) {
        return find_judge(task);
    }
    if (task.reference_source.empty()) {
        return failure(ErrorCode::not_found, "this file of the task is missing or empty",
                       reference_file(task).string(),
                       "write the plain, trusted answer, accumulating in double");
    }
    return {};
}

int show(const TaskOptions& options) {
    const TaskPtr task = load_by_name(options);
    print(options.json ? task_json(*task) : task_text(*task));
    value_or_end(check_can_judge(*task));
    return k_exit_ok;
}

/// Starts the compiler when the first task needs it.
class LazyCompiler {
  public:
    explicit LazyCompiler(std::string sandbox) : m_sandbox(std::move(sandbox)) {}
    Compiler* get(const Task& task) {
        if (!m_compiler && task.kind == "cpu_cpp") {
            CompilerOptions options;
            options.required = value_or_end(sandbox_level_from(m_sandbox));
            Expected<std::unique_ptr<Compiler>> made = make_jailed_compiler(options);
            if (!made) {
                throw CommandError(k_exit_infrastructure, made.error().message());
            }
            m_compiler = std::move(*made);
        }
        return m_compiler.get();
    }

  private:
    std::string m_sandbox;
    std::unique_ptr<Compiler> m_compiler;
};

bool check_one(const TaskPtr& task, LazyCompiler& compiler, const TaskOptions& options) {
    const Expected<TaskCheck> check = check_task(task, compiler.get(*task));
    if (!check) {
        throw CommandError(k_exit_infrastructure, check.error().message());
    }
    print(options.json ? check_json(*task, *check) : check_text(*task, *check, options.notes));
    return check->passed();
}

int check(const TaskOptions& options) {
    if (options.all == !options.name.empty()) {
        throw CommandError(k_exit_usage, "name one task, or give --all");
    }
    LazyCompiler compiler(options.sandbox);
    if (!options.all) {
        return check_one(load_by_name(options), compiler, options) ? k_exit_ok : k_exit_failed;
    }
    bool passed = true;
    for (const fs::path& folder : list_tasks()) {
        const Expected<TaskPtr> task = load_task(folder, options.kind);
        if (!task) {
            print(printable(fmt::format("{}: error: {}\n", folder.filename().string(),
                                        task.error().message())));
            passed = false;
        } else {
            passed = check_one(*task, compiler, options) && passed;
        }
    }
    return passed ? k_exit_ok : k_exit_failed;
}

int create(const TaskOptions& options) {
    const fs::path given = options.output.empty() ? fs::path() : fs::path(options.output);
    std::error_code code;
    const fs::path root = !given.empty()                                ? given
                          : fs::is_directory("experiments/tasks", code) ? "experiments/tasks"
                                                                        : ".";
    const fs::path folder = root / options.name;
    if (options.from.empty()) {
        value_or_end(write_task_template(folder, options.name));
    } else {
        value_or_end(copy_task(value_or_end(find_task(options.from)), folder, options.name));
    }
    value_or_end(load_task(folder));
    print(fmt::format(
        "Wrote {}. Next:\n"
        "  edit {}, reference.cpp and starters/\n"
        "  atoll task check {}\n"
        "  atoll task show {}\n",
        folder.string(), (folder / "definition.json").string(), folder.string(), folder.string()));
    return k_exit_ok;
}

std::string refuse_bad_name(const std::string& name) {
    return is_plain_name(name) ? "" : std::string("a task's name has ") + k_plain_name_rule;
}

}  // namespace

void add_task_verb(CLI::App& app, VerbContext& context) {
    auto options = std::make_shared<TaskOptions>();
    CLI::App* verb = app.add_subcommand("task", "List, show, check, create and compare tasks");
    verb->require_subcommand(1);
    verb->footer(R"(Examples:
  atoll task list                      the tasks found in $ATOLL_TASKS and experiments/tasks
  atoll task show matmul               prototype, axes, tolerance, starters and their knobs
  atoll task check matmul              can it tell right from wrong? exit status 1 if not
  atoll task check --all --json        one JSON object per task
  atoll task new my_kernel             a small working task to edit
  atoll task new my_mm --from matmul   a copy of an existing one
  atoll task baselines matmul          starters, reference and PyTorch, timed on a GPU
Exit status: 0 done, 1 a check failed or no task was found, 2 bad input, 3 a fault of the machine.)");

    const auto add_kind = [options](CLI::App& part) {
        part.add_option("--kind", options->kind,
                        "Whose candidates: " + launched_kinds_text() + "; unset: the task's own")
            ->check(refuse_unknown_kind);
    };
    CLI::App* list_verb = verb->add_subcommand("list", "Which tasks there are");
    list_verb->footer(R"(Examples:
  atoll task list            those in $ATOLL_TASKS and experiments/tasks
  atoll task list --json     one array, broken tasks with their error
Exit status: 0, or 1 when there are none.)");
    list_verb->add_flag("--json", options->json, "For programs");
    list_verb->callback([options, &context] { context.exit_status = list(*options); });

    CLI::App* show_verb = verb->add_subcommand("show", "What a task asks for");
    show_verb->footer(R"(Examples:
  atoll task show matmul               prototype, axes, tolerance, starters and their knobs
  atoll task show ./my_task --json     a folder, for programs
  atoll task show matmul --kind cuda   the same for a GPU
  atoll task show matmul --kind ptx    how PTX with a plan of its launches is written (cubin: likewise)
Exit status: 0, or 2 when there is no such task, it does not load, or it has no reference or judge.)");
    show_verb->add_option("task", options->name, "Name or folder")->required();
    add_kind(*show_verb);
    show_verb->add_flag("--json", options->json, "For programs");
    show_verb->callback([options, &context] { context.exit_status = show(*options); });

    CLI::App* check_verb =
        verb->add_subcommand("check", "Whether a task can tell right from wrong");
    check_verb->footer(R"(Examples:
  atoll task check matmul            can it tell right from wrong?
  atoll task check matmul --notes    with measured margins
  atoll task check --all --json      one JSON object per task
  atoll task check matmul --kind cuda    what needs no GPU of its reference.cu and starters/*.cu
Exit status: 0 sound, 1 not, 2 no such task or one that does not load, 3 a fault of the machine.)");
    check_verb->add_option("task", options->name, "Name or folder");
    add_kind(*check_verb);
    check_verb->add_flag("--all", options->all, "Every task that list names");
    check_verb->add_flag("--json", options->json, "For programs: one object per task");
    check_verb->add_flag("--notes", options->notes, "Print measured margins too");
    check_verb
        ->add_option("--sandbox", options->sandbox,
                     "Weakest level to compile at: full, restricted or none")
        ->type_name("LEVEL")
        ->capture_default_str();
    check_verb->callback([options, &context] { context.exit_status = check(*options); });

    CLI::App* new_verb = verb->add_subcommand("new", "Create a small working task");
    new_verb->footer(R"(Examples:
  atoll task new my_kernel                  a small working task to edit
  atoll task new my_mm --from matmul        a copy of an existing one
  atoll task new my_kernel --output tasks   in tasks/my_kernel
Exit status: 0 written, 2 bad input, 3 a fault of the disk.)");
    new_verb->add_option("name", options->name, "Its name")->required()->check(refuse_bad_name);
    new_verb->add_option("--from", options->from, "Copy this task instead of the small template");
    new_verb->add_option(
        "--output", options->output,
        "Folder to put it in (default: experiments/tasks if there is one, else .)");
    new_verb->callback([options, &context] { context.exit_status = create(*options); });

    add_task_baselines_verb(*verb, context);
}

}  // namespace atl
