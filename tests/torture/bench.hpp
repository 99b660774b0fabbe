#pragma once

#include "tests/torture/probe_page.hpp"

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace atl::torture {

/// How much is done: the default suite's short leg, or the long one (environment
/// ATOLL_TORTURE=long).
[[nodiscard]] bool long_leg();
/// One of the two.
[[nodiscard]] int per_leg(int in_short, int in_long);

/// One campaign's folders, below the current folder so that they are on a real disk: the run, and a
/// temporary folder and a home of its own, so that whatever is left behind is found.
class Bench {
  public:
    Bench();
    ~Bench();
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path run() const {
        return m_run.empty() ? m_path / "run" : m_run;
    }
    [[nodiscard]] std::filesystem::path temporary() const { return m_path / "tmp"; }
    [[nodiscard]] std::filesystem::path home() const { return m_path / "home"; }
    [[nodiscard]] ProbePage& page() const { return *m_page; }
    [[nodiscard]] std::filesystem::path page_file() const { return m_path / "page"; }
    /// The run is to be there (a small file system).
    void move_run(const std::filesystem::path& run) { m_run = run; }

    /// A campaign of the task in tests/torture/task: 20 to 100 evaluations a second, equal verdicts
    /// for equal candidates.
    [[nodiscard]] std::filesystem::path scripted(const std::string& order, int evaluations,
                                                 int seed, const std::string& more = "") const;
    /// A campaign of prefix_sum on the real CPU device, tune values only.
    [[nodiscard]] std::filesystem::path measured(int evaluations, int seed) const;

    /// Everything in the run folder, the temporary folder, the home and shared memory that a
    /// campaign which has ended must not leave there.
    [[nodiscard]] std::vector<std::string> leftovers() const;

  private:
    std::filesystem::path m_path;
    std::filesystem::path m_run;
    ProbePage* m_page;
};

/// What `atoll` said on standard output (--json), line by line, and on standard error.
struct Said {
    std::vector<std::string> lines;  ///< whole ones
    std::string errors;
};

/// A started `atoll` in a process group of its own, as a shell would start it.
class Session {
  public:
    /// `verb`: "run CONFIG --output RUN" or the like; --json is added. With the probe preloaded.
    Session(const Bench& bench, const std::vector<std::string>& arguments);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] pid_t pid() const { return m_pid; }
    void signal_group(int number) const { ::killpg(m_pid, number); }
    /// Exit status, or minus the signal. Waits as long as it takes.
    int wait();
    /// False when `atoll` has not ended by then.
    bool wait_for(std::chrono::milliseconds most);
    [[nodiscard]] Said said() const;

  private:
    std::filesystem::path m_out;
    std::filesystem::path m_err;
    pid_t m_pid = -1;
    int m_status = 0;
    bool m_ended = false;
};

/// Starts the campaign, or goes on with it when the run folder holds one.
[[nodiscard]] std::vector<std::string> run_or_resume(const Bench& bench,
                                                     const std::filesystem::path& config);

/// Makes this process inherit every orphan, so that none can hide.
void adopt_orphans();
/// Waits until no descendant is alive, for `most`; what is left then, as "PID COMMAND".
[[nodiscard]] std::vector<std::string> survivors(
    std::chrono::milliseconds most = std::chrono::seconds(30));
/// Command line of a process; empty when it is gone.
[[nodiscard]] std::string command_of(pid_t pid);

/// Runs a command to its end; standard output and error together.
struct Answer {
    int status = -1;
    std::string text;
};
[[nodiscard]] Answer ask(const Bench& bench, const std::string& arguments);

[[nodiscard]] std::chrono::milliseconds random_up_to(std::mt19937& random, int most_ms);

}  // namespace atl::torture
