#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_check.hpp"
#include "population/lineage/lineage_report.hpp"
#include "population/lineage/lineage_summary.hpp"
#include "population/lineage/text_layout.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "reward/base/words.hpp"
#include "search/best_files.hpp"
#include "search/config.hpp"
#include "tools/atoll/check_decisions.hpp"
#include "tools/atoll/evaluator_options.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/program.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

namespace atl {

namespace {

constexpr const char* k_footer = R"(Examples:
  atoll lineage runs/first                     the campaign in numbers, with a chart
  atoll lineage runs/first best                the best individual and its measurements
  atoll lineage runs/first path                how the best came to be, step by step
  atoll lineage runs/first show 17.2 --source > kernel.cpp
  atoll lineage lineage.h5 summary --json      a data set alone is enough
  atoll lineage runs/first check               exit status 1 if anything is wrong
  atoll lineage runs/first rebuild             writes lineage.h5 anew from the journal
Exit status: 0 answered, 1 `check` found something wrong or there is no best yet, 2 bad input,
3 a fault of the disk.)";

struct Arguments {
    std::filesystem::path run;
    bool json = false;
    std::string id;
    bool source = false;
    bool verdict = false;
    std::filesystem::path output;
};

/// A campaign read for one question.
struct Loaded {
    LineageData data;
    LineageView view;
    StateSettings settings;
};

// A campaign of another version may have keys that this one does not know: then the archives are
// shown with default settings rather than not at all.
StateSettings settings_of(const LineageView& view) {
    StateSettings settings;
    settings.islands = view.islands();
    if (view.started != nullptr) {
        if (const auto config = parse_config(view.started->config, "config")) {
            const StateSettings own = state_settings(*config);
            if (own.islands >= settings.islands) {
                return own;
            }
        }
    }
    return settings;
}

// What is left when the journal is damaged.
[[nodiscard]] Error with_way_out(Error error, const std::filesystem::path& run) {
    const std::filesystem::path h5 = run / k_lineage_file;
    std::error_code ignored;
    if (error.code == ErrorCode::corrupt && std::filesystem::exists(h5, ignored)) {
        error.hint += error.hint.empty() ? "" : "; ";
        error.hint += "the data set may still tell: atoll lineage " + shell_quoted(h5.string());
    }
    return error;
}

Loaded arranged(Expected<LineageData> data, const std::filesystem::path& run) {
    if (!data) {
        end_with(with_way_out(data.error(), run));
    }
    Loaded loaded;
    loaded.data = std::move(*data);
    loaded.view = lineage_view(loaded.data.events);
    if (!loaded.data.events.empty() && std::holds_alternative<LogOpened>(loaded.data.events[0])) {
        throw CommandError(k_exit_usage, run.string() +
                                             ": holds a reward server's log, no campaign: ask "
                                             "`atoll rescore` and `atoll audit`");
    }
    if (loaded.view.started == nullptr) {
        throw CommandError(k_exit_usage, run.string() + ": holds no campaign yet");
    }
    loaded.settings = settings_of(loaded.view);
    return loaded;
}

// A run whose journal was lost is not one that has just begun.
Expected<LineageData> read_record(const std::filesystem::path& run) {
    ATOLL_TRY_ASSIGN(LineageData data, read_lineage(run));
    std::error_code ignored;
    if (data.events.empty() && std::filesystem::is_directory(run, ignored)) {
        const auto folder = RunFolder::open_read_only(run);
        if (!folder && folder.error().code == ErrorCode::corrupt) {
            return tl::unexpected(folder.error());
        }
    }
    return data;
}

Loaded load(const std::filesystem::path& run) {
    return arranged(read_record(run), run);
}

IndividualId individual_named(const Loaded& loaded, const std::string& text) {
    const auto id = parse_individual_id(text);
    if (!id) {
        throw CommandError(k_exit_usage,
                           "'" + printable(text) +
                               "' names no individual; ids look like 17.2 (ticket 17, "
                               "step 2)");
    }
    if (loaded.view.find(*id) == nullptr) {
        throw CommandError(k_exit_usage, "there is no individual " + id->text() + " in " +
                                             loaded.data.source.string());
    }
    return *id;
}

void summary(const Arguments& arguments) {
    const Loaded loaded = load(arguments.run);
    CampaignState state(loaded.settings);
    for (const Event& event : loaded.data.events) {
        // Damage is the business of `check`; a summary shows what there is.
        static_cast<void>(state.apply(event));
    }
    const LineageSummary result = summarize(loaded.view, &state);
    print(arguments.json ? to_json(result) : to_text(result));
}

// The task may be gone, or be of another version; then the best is shown all the same.
CommandWords command_words(const Loaded& loaded, const std::filesystem::path& run) {
    CommandWords words;
    words.program = shell_quoted(program_name());
    words.run = shell_quoted(run.string());
    words.task = shell_quoted(loaded.view.started->task_name);
    if (const auto config = parse_config(loaded.view.started->config, "config")) {
        words.task = shell_quoted(config->campaign.task);
        LocalEvaluatorOptions options = evaluator_options(*config);
        if (const Expected<TaskPtr> task =
                load_task(config->campaign.task, config->campaign.kind)) {
            words.file = shell_quoted(best_file("", **task).string());
            options = options_for(**task, std::move(options));
        }
        words.eval_options = evaluator_words(options);
    }
    return words;
}

int best(const Arguments& arguments) {
    const Loaded loaded = load(arguments.run);
    print(arguments.json
              ? best_json(loaded.view, *loaded.data.texts)
              : best_text(loaded.view, *loaded.data.texts, command_words(loaded, arguments.run)));
    return loaded.view.best() == nullptr ? k_exit_failed : k_exit_ok;
}

void path(const Arguments& arguments) {
    const Loaded loaded = load(arguments.run);
    IndividualId id;
    if (!arguments.id.empty()) {
        id = individual_named(loaded, arguments.id);
    } else if (const LineageView::Node* node = loaded.view.best()) {
        id = node->individual->id;
    } else {
        throw CommandError(k_exit_failed, "no individual with right answers was committed yet");
    }
    print(arguments.json ? path_json(loaded.view, *loaded.data.texts, id)
                         : path_text(loaded.view, *loaded.data.texts, id));
}

// Exact bytes for files and pipes; a terminal gets them without control characters.
void print_exact(const std::string& text) {
    print(::isatty(STDOUT_FILENO) == 1 ? printable(text) : text);
}

void show(const Arguments& arguments) {
    const Loaded loaded = load(arguments.run);
    const IndividualId id = individual_named(loaded, arguments.id);
    const TextSource& texts = *loaded.data.texts;
    const Individual& one = *loaded.view.find(id)->individual;
    if (arguments.source) {
        print_exact(value_or_end(standalone_source(one, texts)));
    } else if (arguments.verdict) {
        print_exact(value_or_end(texts.text(one.verdict)) + "\n");
    } else {
        print(arguments.json ? show_json(loaded.view, texts, id)
                             : show_text(loaded.view, texts, id));
    }
}

using Decisions = std::optional<std::uint64_t>;

std::string check_text(const LineageCheck& check, const Decisions& decisions) {
    std::string text;
    for (const std::string& problem : check.problems) {
        text += "wrong: " + one_line(problem, 600) + "\n";
    }
    for (const std::string& note : check.notes) {
        text += "note:  " + one_line(note, 300) + "\n";
    }
    return text + (check.problems.empty() ? "sound: " : "looked at: ") +
           std::to_string(check.events) + " events, " + std::to_string(check.individuals) +
           " individuals, " + std::to_string(check.texts) + " texts" +
           (decisions ? ", " + std::to_string(*decisions) + " decisions taken again\n" : "\n");
}

std::string check_json(const LineageCheck& check, const Decisions& decisions) {
    nlohmann::ordered_json json = {{"sound", check.problems.empty()},
                                   {"problems", check.problems},
                                   {"notes", check.notes},
                                   {"events", check.events},
                                   {"individuals", check.individuals},
                                   {"texts", check.texts}};
    if (decisions) {
        json["decisions"] = *decisions;
    }
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// What copies of the events prove, taken before the events are read: a campaign may be running.
std::optional<Attested> attested(const std::filesystem::path& run_or_h5) {
    const auto run = RunFolder::open_read_only(run_or_h5);
    return run ? std::optional(attested_by_copies(*run)) : std::nullopt;
}

void check_copies(const Attested& copies, const std::filesystem::path& path,
                  const LineageData& data, LineageCheck& check) {
    const RunFolder run = value_or_end(RunFolder::open_read_only(path));
    const Status kept = check_nothing_lost(run, copies, data.end_position, data.events.size());
    if (!kept) {
        check.problem(kept.error().message());
    }
}

// A record that cannot be read at all is an answer too.
int report_damage(const Arguments& arguments, const Error& error) {
    LineageCheck result;
    result.problem(with_way_out(error, arguments.run).message());
    print(arguments.json ? check_json(result, {}) : check_text(result, {}));
    return k_exit_failed;
}

int check(const Arguments& arguments) {
    const std::optional<Attested> copies = attested(arguments.run);
    const Status journal = RunFolder::check_has_journal(arguments.run);
    auto data = read_record(arguments.run);
    if (!data && (!journal || data.error().code == ErrorCode::corrupt)) {
        return report_damage(arguments, journal ? data.error() : journal.error());
    }
    const Loaded loaded = arranged(std::move(data), arguments.run);
    LineageCheck result = check_lineage(loaded.data, loaded.view, loaded.settings);
    if (!journal) {
        result.problem(journal.error().message());
    }
    if (copies) {
        check_copies(*copies, arguments.run, loaded.data, result);
    }
    const Decisions decisions = check_decisions(loaded.data, loaded.view, ATOLL_VERSION, result);
    std::error_code ignored;
    const std::filesystem::path h5 = std::filesystem::is_directory(arguments.run, ignored)
                                         ? arguments.run / k_lineage_file
                                         : arguments.run;
    if (!std::filesystem::exists(h5, ignored)) {
        result.notes.push_back("there is no lineage.h5: `atoll lineage RUN rebuild` writes it");
    } else if (const Status status = check_lineage_tables(h5, loaded.data.events.size(), result);
               !status) {
        result.problem(status.error().message());
    }
    print(arguments.json ? check_json(result, decisions) : check_text(result, decisions));
    return result.problems.empty() ? k_exit_ok : k_exit_failed;
}

bool is_hdf5_file(const std::filesystem::path& path) {
    constexpr std::string_view k_signature("\x89HDF\r\n\x1a\n", 8);
    std::ifstream file(path, std::ios::binary);
    std::string begin(k_signature.size(), '\0');
    return file.read(begin.data(), static_cast<std::streamsize>(begin.size())) &&
           begin == k_signature;
}

void rebuild(const Arguments& arguments) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(arguments.run, ignored)) {
        throw CommandError(k_exit_usage,
                           arguments.run.string() +
                               ": a data set is rebuilt from the journal: give the run folder");
    }
    std::optional<RunFolder> held;  // a campaign that is running writes the file itself
    std::filesystem::path output = arguments.output;
    const bool own = output.empty() ||
                     std::filesystem::weakly_canonical(output, ignored) ==
                         std::filesystem::weakly_canonical(arguments.run / k_lineage_file, ignored);
    if (!own && std::filesystem::exists(output, ignored) && !is_hdf5_file(output)) {
        throw CommandError(k_exit_usage,
                           output.string() + ": is there and is no HDF5 file; name another one");
    }
    if (own) {
        auto run = RunFolder::open(arguments.run);
        if (!run) {
            Error error = run.error();
            if (error.code != ErrorCode::not_found && error.code != ErrorCode::corrupt) {
                error.hint += error.hint.empty() ? "" : "; ";
                error.hint += "or write it elsewhere with --output FILE.h5";
            }
            end_with(with_way_out(error, arguments.run));
        }
        held = std::move(*run);
        output = arguments.run / k_lineage_file;
    }
    value_or_end(rebuild_lineage(arguments.run, output));
    print("wrote " + output.string() + "\n");
}

CLI::App* add_question(CLI::App& verb, const std::shared_ptr<Arguments>& arguments,
                       const std::string& name, const std::string& help) {
    CLI::App* question = verb.add_subcommand(name, help);
    question->add_flag("--json", arguments->json, "Print one JSON object");
    return question;
}

}  // namespace

void add_lineage_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand(
        "lineage", "Ask where a campaign's kernels came from; check and rebuild its record");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("RUN", arguments->run, "A run folder, or a lineage.h5 alone")->required();
    verb->add_flag("--json", arguments->json, "The summary as one JSON object");
    verb->require_subcommand(0, 1);

    CLI::App* question = add_question(*verb, arguments, "summary",
                                      "The campaign in numbers (also without a question)");
    question->callback([arguments] { summary(*arguments); });
    question = add_question(*verb, arguments, "best", "The best individual and its measurements");
    question->callback([arguments, &context] { context.exit_status = best(*arguments); });
    question =
        add_question(*verb, arguments, "path", "How an individual came to be, from its starter");
    question->add_option("ID", arguments->id, "Which individual (default: the best)");
    question->callback([arguments] { path(*arguments); });
    question = add_question(*verb, arguments, "show", "Everything recorded about one individual");
    question->add_option("ID", arguments->id, "Ticket and step, like 17.2")->required();
    CLI::Option* source = question->add_flag("--source", arguments->source,
                                             "Print only its source, with its tune values");
    question->add_flag("--verdict", arguments->verdict, "Print only its verdict, as stored (JSON)")
        ->excludes(source);
    question->callback([arguments] { show(*arguments); });
    question = add_question(*verb, arguments, "check",
                            "Verify the record; exit status 1 when something is wrong");
    question->callback([arguments, &context] { context.exit_status = check(*arguments); });
    question = verb->add_subcommand("rebuild", "Write lineage.h5 anew from the journal");
    question->add_option("--output", arguments->output,
                         "Write to this file instead of RUN/lineage.h5");
    question->callback([arguments] { rebuild(*arguments); });
    verb->callback([arguments, verb] {
        if (verb->get_subcommands().empty()) {
            summary(*arguments);
        }
    });
}

}  // namespace atl
