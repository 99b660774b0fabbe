#include "tests/torture/bench.hpp"

#include "reward/base/sandbox.hpp"
#include "tests/support/processes.hpp"
#include "tests/torture/record.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace atl::torture {

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string program() {
    return std::string(ATOLL_BIN_DIR) + "/atoll";
}

std::vector<std::string> environment_of(const Bench& bench) {
    return {std::string("PATH=") + std::getenv("PATH"), "TMPDIR=" + bench.temporary().string(),
            "HOME=" + bench.home().string(), "LD_PRELOAD=" + std::string(ATOLL_PROBE),
            // AddressSanitizer wants to be the first library, which the probe has to be.
            "ASAN_OPTIONS=verify_asan_link_order=0:allocator_may_return_null=1",
            std::string(k_page_variable) + "=" + bench.page_file().string(),
            std::string(k_folder_variable) + "=" + bench.run().string()};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

bool is_part_of_a_run(const std::string& name) {
    static const std::vector<std::string> k_parts = {
        "lock",          "config.toml",   "peaks.json", "journal",           "snapshots",
        "lineage.h5",    "logs",          "best",       "logs/campaign.log", "best/best.sh",
        "best/best.cpp", "best/best.json"};
    return std::find(k_parts.begin(), k_parts.end(), name) != k_parts.end() ||
           (name.starts_with("snapshots/0") && name.ends_with(".snap"));
}

void list_into(std::vector<std::string>& found, const fs::path& folder,
               bool (*belongs)(const std::string&)) {
    std::error_code ignored;
    for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end;
         entry.increment(ignored)) {
        const std::string name = fs::relative(entry->path(), folder).string();
        if (!belongs(name)) {
            found.push_back((folder / name).string());
        }
    }
}

}  // namespace

bool long_leg() {
    const char* leg = std::getenv("ATOLL_TORTURE");
    return leg != nullptr && std::string(leg) == "long";
}

int per_leg(int in_short, int in_long) {
    return long_leg() ? in_long : in_short;
}

Bench::Bench() {
    std::string name = (fs::current_path() / "torture-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("mkdtemp failed: " + name);
    }
    m_path = name;
    fs::create_directories(temporary());
    fs::create_directories(home());
    const int fd = ::open(page_file().c_str(), O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ::ftruncate(fd, sizeof(ProbePage)) != 0) {
        throw std::runtime_error("no page for the probe: " + page_file().string());
    }
    void* memory = ::mmap(nullptr, sizeof(ProbePage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory == MAP_FAILED) {
        throw std::runtime_error("mmap failed");
    }
    m_page = static_cast<ProbePage*>(memory);
}

Bench::~Bench() {
    ::munmap(m_page, sizeof(ProbePage));
    if (std::getenv("ATOLL_TORTURE_KEEP") != nullptr) {
        return;
    }
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
}

fs::path Bench::scripted(const std::string& order, int evaluations, int seed,
                         const std::string& more) const {
    const fs::path file = m_path / "campaign.toml";
    std::ofstream(file) << "[campaign]\ntask = '" ATOLL_SOURCE_DIR "/tests/torture/task'\nseed = "
                        << seed << "\n[score]\npreset = 'external'\n[evaluation]\n"
                        << "compile_workers = 3\n[engine]\ncommit_order = '" << order
                        << "'\ntickets_in_flight = 4\nticket_evaluations = 4\n"
                        << "snapshot_every = 30\nsync_interval_ms = 5\n"
                        << "[migration]\nevery = 5\n[stop]\nmax_evaluations = " << evaluations
                        << "\n"
                        << more;
    return file;
}

fs::path Bench::measured(int evaluations, int seed) const {
    const fs::path file = m_path / "campaign.toml";
    std::ofstream(file)
        << "[campaign]\ntask = '" ATOLL_SOURCE_DIR "/experiments/tasks/prefix_sum'\nseed = " << seed
        << "\n[evaluation]\nmeasure_seconds = 0.01\nconfidence = 0.2\nsandbox = '"
        << to_string(probe_sandbox().level) << "'\n"
        << "[islands]\ncount = 1\nstarters = 'first'\n[operators.weights]\ntune = 1\n"
        << "[engine]\nsnapshot_every = 10\nsync_interval_ms = 5\n"
        << "[stop]\nmax_evaluations = " << evaluations << "\n";
    return file;
}

std::vector<std::string> Bench::leftovers() const {
    std::vector<std::string> found;
    list_into(found, run(), is_part_of_a_run);
    list_into(found, temporary(), [](const std::string&) { return false; });
    list_into(found, home(), [](const std::string& name) {
        return name == ".cache" || name == ".cache/atoll" ||
               (name.starts_with(".cache/atoll/peaks-") && name.ends_with(".json"));
    });
    for (const char* shared : {"/dev/shm", "/sys/fs/cgroup"}) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(shared, ignored)) {
            if (entry.path().filename().string().find("atoll") != std::string::npos) {
                found.push_back(entry.path().string());
            }
        }
    }
    return found;
}

Session::Session(const Bench& bench, const std::vector<std::string>& arguments)
    : m_out(bench.path() / "out"), m_err(bench.path() / "err") {
    static int number = 0;  // of this process: sessions that race have files of their own
    m_out += std::to_string(number);
    m_err += std::to_string(number++);
    std::vector<std::string> texts = {program()};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    texts.emplace_back("--json");
    std::vector<std::string> variables = environment_of(bench);
    const std::vector<char*> argv = pointers_to(texts);
    const std::vector<char*> environment = pointers_to(variables);
    m_pid = ::fork();
    if (m_pid == 0) {
        ::setpgid(0, 0);
        ::dup2(::open("/dev/null", O_RDONLY), 0);
        ::dup2(::open(m_out.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644), 1);
        ::dup2(::open(m_err.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644), 2);
        ::close_range(3, ~0u, 0);
        ::execve(argv[0], argv.data(), environment.data());
        ::_exit(127);
    }
    ::setpgid(m_pid, m_pid);
}

Session::~Session() {
    if (!m_ended) {
        signal_group(SIGKILL);
        wait();
    }
}

int Session::wait() {
    if (!m_ended) {
        int status = 0;
        while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
        }
        m_ended = true;
        m_status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return m_status;
}

bool Session::wait_for(std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    while (!m_ended) {
        siginfo_t about{};
        if (::waitid(P_PID, static_cast<id_t>(m_pid), &about, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            about.si_pid == m_pid) {
            wait();
        } else if (std::chrono::steady_clock::now() >= until) {
            return false;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    return true;
}

Said Session::said() const {
    Said said;
    said.errors = text_of(m_err);
    std::istringstream text(text_of(m_out));
    for (std::string line; std::getline(text, line) && !text.eof();) {
        said.lines.push_back(line);
    }
    return said;
}

std::vector<std::string> run_or_resume(const Bench& bench, const fs::path& config) {
    // Without a whole event the campaign itself never began.
    if (read_record(bench.run()).events.empty()) {
        return {"run", config.string(), "--output", bench.run().string()};
    }
    return {"resume", bench.run().string()};
}

void adopt_orphans() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::vector<std::string> survivors(std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    while (true) {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        const std::set<pid_t> alive = testing::descendants(::getpid());
        if (alive.empty() || std::chrono::steady_clock::now() >= until) {
            std::vector<std::string> named;
            for (const pid_t pid : alive) {
                named.push_back(std::to_string(pid) + " " + command_of(pid));
            }
            return named;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

std::string command_of(pid_t pid) {
    std::string text = text_of("/proc/" + std::to_string(pid) + "/cmdline");
    std::replace(text.begin(), text.end(), '\0', ' ');
    return text;
}

Answer ask(const Bench& bench, const std::string& arguments) {
    Answer answer;
    const std::string command = "TMPDIR='" + bench.temporary().string() + "' HOME='" +
                                bench.home().string() + "' " + program() + " " + arguments +
                                " 2>&1";
    std::FILE* pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
        answer.text.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return answer;
}

std::chrono::milliseconds random_up_to(std::mt19937& random, int most_ms) {
    return std::chrono::milliseconds(
        static_cast<int>(random() % static_cast<unsigned>(most_ms + 1)));
}

}  // namespace atl::torture
