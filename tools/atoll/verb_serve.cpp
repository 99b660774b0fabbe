#include "population/rollouts/rollout_log.hpp"
#include "reward/gpu/device_probe.hpp"
#include "reward/gpu_devices.hpp"
#include "reward/server/server.hpp"
#include "reward/task.hpp"
#include "tools/atoll/device_words.hpp"
#include "tools/atoll/evaluator_options.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/process_setup.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace atl {

namespace {

constexpr const char* k_footer = R"text(Examples:
  atoll serve                                          CPU tasks at http://127.0.0.1:8000
  atoll serve --device cpu:2 --http 127.0.0.1:0        two CPU devices; the system chooses the port
  atoll serve --device cuda:all --unix /run/atoll.sock
  atoll serve --log runs/rollouts                      keeps what was asked and answered
  atoll serve --http 0.0.0.0:8000 --token-file token --tls-cert cert.pem --tls-key key.pem
                                                       for other machines
  curl -s localhost:8000/v1/evaluate -d "$(jq -n --rawfile s my.cpp '{task: "softmax", source: $s}')"
  curl -s localhost:8000/openapi.json                  everything else there is to ask

One line on standard output for each address, then nothing. SIGTERM or Ctrl-C: no new work, answers
what is in work, ends; a second one ends at once.

Exit status: 0 everything that was taken has been answered, 2 usage, 3 a fault of this machine's
set-up, 130 ended with work that was not answered.)text";

/// Descriptors besides those of connections: workers, files, pipes.
constexpr rlim_t k_own_descriptors = 1024;

struct Arguments {
    std::string http;
    std::string tcp;
    std::string unix_path;
    std::string token_file;
    std::string tls_cert;
    std::string tls_key;
    std::string rewards;
    std::string log;
    std::vector<std::string> devices;
    std::vector<std::string> tasks;
    std::size_t queue = JobLimits().jobs;
    int deadline_s = static_cast<int>(JobLimits().deadline.count());
    double answer_s = 110;
    double drain_s = 60;
    LocalEvaluatorOptions evaluator;
};

std::optional<ListenAddress> address_of(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(value_or_end(parse_listen_address(text)));
}

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

ServerOptions options_of(const Arguments& arguments) {
    ServerOptions options;
    const bool nowhere =
        arguments.http.empty() && arguments.tcp.empty() && arguments.unix_path.empty();
    options.http = address_of(nowhere ? "127.0.0.1:8000" : arguments.http);
    options.tcp = address_of(arguments.tcp);
    options.unix_path = arguments.unix_path;
    if (!arguments.tls_cert.empty()) {
        options.tls = TlsFiles{arguments.tls_cert, arguments.tls_key};
    }
    options.token = value_or_end(find_access_token(arguments.token_file));
    if (!arguments.rewards.empty()) {
        options.presets = value_or_end(ScorePresets::from_file(arguments.rewards));
    }
    options.jobs.jobs = arguments.queue;
    options.jobs.deadline = std::chrono::seconds(arguments.deadline_s);
    options.times.answer = milliseconds_of(arguments.answer_s);
    options.times.drain = milliseconds_of(arguments.drain_s);
    return options;
}

std::vector<std::filesystem::path> task_folders(const Arguments& arguments) {
    if (arguments.tasks.empty()) {
        return list_tasks();
    }
    std::vector<std::filesystem::path> folders;
    for (const std::string& name : arguments.tasks) {
        folders.push_back(value_or_end(find_task(name)));
    }
    return folders;
}

/// Each connection takes a descriptor, and the usual limit of 1024 is for programs of one user.
void allow_many_connections(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = std::max(
            limit.rlim_cur,
            std::min(limit.rlim_max, static_cast<rlim_t>(connections) + k_own_descriptors));
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));  // else fewer are served
    }
}

/// Asks the driver for one after the other.
std::vector<int> all_gpus(const LocalEvaluatorOptions& options) {
    const CudaToolkit toolkit = find_toolkit(options);
    value_or_end(check_gpu_parts(toolkit));
    value_or_end(probe_gpu(toolkit.driver->path, 0));
    std::vector<int> gpus = {0};
    while (probe_gpu(toolkit.driver->path, gpus.back() + 1)) {
        gpus.push_back(gpus.back() + 1);
    }
    return gpus;
}

ServedDevice serve_device(const DeviceWords& words, const LocalEvaluatorOptions& common) {
    ServedDevice device;
    device.name = words.name;
    device.kinds = words.name == "cuda"
                       ? std::vector<std::string>{"cuda", "ptx", "cubin"}
                       : std::vector<std::string>{words.name == "cpu" ? "cpu_cpp" : words.name};
    LocalEvaluatorOptions options = common;
    options.kind = device.kinds.front();
    if (words.name == "external") {
        options.needs_device = false;
        options.compile_workers = words.count;
        device.count = words.count;
    } else if (words.name == "cuda") {
        options.gpus = words.ordinals.empty() ? all_gpus(options) : words.ordinals;
        device.count = static_cast<int>(options.gpus.size());
    } else {
        options.devices = words.count;
        device.count = words.count;
    }
    device.limits = options.limits;
    device.evaluator = make_evaluator_or_throw(options);
    return device;
}

int run(const Arguments& arguments) {
    ServerOptions options = options_of(arguments);
    value_or_end(check_server_options(options));
    std::vector<DeviceWords> asked;
    for (const std::string& text : arguments.devices) {
        asked.push_back(value_or_end(parse_device(text)));
    }
    value_or_end(check_devices(asked));
    ignore_broken_pipes();
    allow_many_connections(options.sizes.connections);
    ServedDevices devices;
    std::vector<std::string> kinds;
    std::string described;
    for (const DeviceWords& words : asked) {
        devices.push_back(serve_device(words, arguments.evaluator));
        kinds.insert(kinds.end(), devices.back().kinds.begin(), devices.back().kinds.end());
        described += words.name + ": " + devices.back().evaluator->description() + "\n";
        complain("serves " + words.name + ": " + devices.back().evaluator->description());
    }
    TaskCatalog tasks = load_catalog(task_folders(arguments), kinds, [](const Error& error) {
        complain("a task is not served: " + error.message());
    });
    if (tasks.names().empty()) {
        throw CommandError(k_exit_usage,
                           "there is no task that these devices can evaluate: name "
                           "one with --task, or see `atoll task list`");
    }
    if (!arguments.log.empty()) {
        const auto say = [](const std::string& text) { complain(text); };
        options.log =
            value_or_end(open_rollout_log({arguments.log, ATOLL_VERSION, described, say}));
    }
    const std::unique_ptr<Server> server =
        value_or_end(Server::open(std::move(options), std::move(tasks), std::move(devices)));
    server->stop_on_signals();
    for (const std::string& address : server->addresses()) {
        print(address + "\n");
    }
    return server->run() ? k_exit_ok : k_exit_interrupted;
}

}  // namespace

void add_serve_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand("serve", "Answer evaluation requests over sockets");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    arguments->devices = {"cpu:1"};
    verb->add_option("--http", arguments->http,
                     "HTTP here (default: 127.0.0.1:8000 where no address is named); an address "
                     "that others can reach needs a token")
        ->type_name("HOST:PORT");
    verb->add_option("--tcp", arguments->tcp, "Newline-delimited JSON here")
        ->type_name("HOST:PORT");
    verb->add_option("--unix", arguments->unix_path,
                     "Newline-delimited JSON at this socket, for this user alone")
        ->type_name("PATH");
    verb->add_option(
            "--token-file", arguments->token_file,
            "File (mode 600) with the token that clients must show (default: $ATOLL_TOKEN, "
            "else none): 'Authorization: Bearer TOKEN', /t/TOKEN before the path, or a "
            "first line {\"op\": \"hello\", \"token\": ...}")
        ->type_name("FILE");
    CLI::Option* certificate = verb->add_option(
        "--tls-cert", arguments->tls_cert,
        "PEM file with the certificate that --http and --tcp show, followed by those that lead to "
        "one that clients know; then both speak TLS alone");
    CLI::Option* key = verb->add_option("--tls-key", arguments->tls_key,
                                        "PEM file (mode 600) with its key, without a passphrase");
    certificate->type_name("FILE")->needs(key);
    key->type_name("FILE")->needs(certificate);
    verb->add_option(
            "--device", arguments->devices,
            "What evaluates (repeatable): cpu:N (N devices of --device-cores each), "
            "cuda:all, cuda:0,1, or external:N (tasks whose own program judges, N at once)")
        ->type_name("DEVICE")
        ->expected(1)
        ->take_all()
        ->capture_default_str();
    verb->add_option("--task", arguments->tasks,
                     "Name or folder of a task to serve (repeatable; default: all that are found)")
        ->expected(1)
        ->take_all();
    verb->add_option("--rewards", arguments->rewards,
                     "TOML file with more score presets: a table [NAME] for each with `formula` "
                     "and its parameters (GET /v1/scores says which there are)")
        ->type_name("FILE");
    verb->add_option(
            "--log", arguments->log,
            "Keep every evaluation in this folder (made, or gone on with), and answer only "
            "when it is on disk: a data set for training and for `atoll rescore` and "
            "`atoll audit`")
        ->type_name("DIR");
    verb->add_option(
            "--queue", arguments->queue,
            "Jobs that may wait or be in work, and an eighth more of clients that have few "
            "(a 64th); others are told to come back later")
        ->check(CLI::Range(1, 50'000))
        ->capture_default_str();
    verb->add_option("--deadline", arguments->deadline_s,
                     "Seconds until a job that names no deadline is given up; longer where the "
                     "limits of those before it let it wait longer")
        ->check(CLI::Range(1, 86'400))
        ->capture_default_str();
    verb->add_option("--answer-within", arguments->answer_s,
                     "Seconds after which a client that waits is told the job's id instead")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    verb->add_option("--drain", arguments->drain_s,
                     "Seconds for what is in work when the server is stopped")
        ->check(CLI::Range(0.0, 86'400.0))
        ->capture_default_str();
    add_machine_options(*verb, arguments->evaluator);
    verb->callback([arguments, &context] { context.exit_status = run(*arguments); });
}

}  // namespace atl
