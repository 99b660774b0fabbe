#include "mutators/mailbox/mailbox_server.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/process_setup.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace atl {

namespace {

constexpr const char* k_footer =
    R"text(A person, a batch system or a model without a server can so be the model of a campaign. In DIR:

  000001.request.json   a request, as OpenAI's chat completions have it
  000001.request.md     the same for people
and beside it whoever answers drops one of
  000001.reply.txt      the answer as plain text
  000001.reply.json     a chat completion, for several samples, thoughts and usage
  000001.error.txt      why there is none
What was answered moves to DIR/done. Drop a file by renaming it, or write it in one go: it is taken when two
looks find it unchanged. Removing a request withdraws it.

Examples:
  atoll mailbox letters
  atoll mailbox letters --http 127.0.0.1:0       the system chooses the port
  curl -s localhost:8100/v1/chat/completions \
      -d '{"model": "me", "messages": [{"role": "user", "content": "Make it faster."}]}'
  cat letters/000001.request.md
  printf 'With pleasure.' >letters/reply && mv letters/reply letters/000001.reply.txt

One line on standard output, the URL for clients, then nothing; what happens is told on standard error. Ctrl-C or
SIGTERM: clients that wait are told to come back, and their requests stay; started again, it goes on, and a request
that is made again is the one that is there. A second one ends at once.

Exit status: 0 nobody was waiting, 2 usage, 3 a fault of this machine, 130 ended while clients were waiting.)text";

struct Arguments {
    std::string folder;
    std::string http = "127.0.0.1:8100";
    std::string token_file;
    std::size_t pending = MailboxOptions().max_pending;
};

int run(const Arguments& arguments) {
    MailboxOptions options;
    options.folder = arguments.folder;
    options.http = value_or_end(parse_listen_address(arguments.http));
    options.token = value_or_end(find_access_token(arguments.token_file));
    options.max_pending = arguments.pending;
    options.remark = [](const std::string& text) { complain(text); };
    ignore_broken_pipes();
    const std::unique_ptr<Mailbox> mailbox = value_or_end(Mailbox::open(std::move(options)));
    mailbox->stop_on_signals();
    print(mailbox->url() + "\n");
    return mailbox->run() ? k_exit_ok : k_exit_interrupted;
}

}  // namespace

void add_mailbox_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand(
        "mailbox", "Be a language model: requests become files, files become answers");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("DIR", arguments->folder, "Folder of the letters (made where it is missing)")
        ->required();
    verb->add_option("--http", arguments->http,
                     "Listen here; an address that others can reach needs a token")
        ->type_name("HOST:PORT")
        ->capture_default_str();
    verb->add_option("--token-file", arguments->token_file,
                     "File (mode 600) with the token that clients must show as 'Authorization: "
                     "Bearer TOKEN' (default: $ATOLL_TOKEN, else none)")
        ->type_name("FILE");
    verb->add_option("--pending", arguments->pending,
                     "Requests that may wait for an answer; others are told to come back later")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    verb->callback([arguments, &context] { context.exit_status = run(*arguments); });
}

}  // namespace atl
