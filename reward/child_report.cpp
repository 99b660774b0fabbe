#include "reward/child_report.hpp"

#include "reward/base/files.hpp"
#include "reward/base/process.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace atl {

namespace {

using Json = nlohmann::json;
using Severity = TaskFinding::Severity;

constexpr std::size_t k_max_report_bytes = 4 << 20;

[[noreturn]] void run_child(int fd, const std::function<void(ChildReport&)>& body) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXFSZ}) {
        ::signal(signal, SIG_DFL);
    }
    ChildReport report(fd);
    try {
        body(report);
    } catch (const std::exception& error) {
        report.add({Severity::error, "exception", error.what(), ""});
    }
    ::_exit(0);
}

/// Reads until the child closes its end; false when time or space ran out.
bool collect(int fd, double timeout_s, std::string& text) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                               std::chrono::duration<double>(timeout_s));
    std::array<char, 65536> buffer;
    while (text.size() < k_max_report_bytes) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd entry{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) == 0) {
            return false;
        }
        const ssize_t size = ::read(fd, buffer.data(), buffer.size());
        if (size == 0) {
            return true;
        }
        if (size > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(size));
        }
    }
    return false;
}

/// Findings of the child; `place` is where it was last.
std::vector<TaskFinding> parse(const std::string& text, std::string& place) {
    std::vector<TaskFinding> findings;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const Json line = Json::parse(text.substr(begin, end - begin), nullptr, false);
        begin = end + 1;
        if (!line.is_object()) {
            continue;  // the torn last line of a child that died
        }
        if (line.contains("at")) {
            place = line.value("at", "");
            continue;
        }
        findings.push_back({static_cast<Severity>(line.value("severity", 2)),
                            line.value("rule", ""), line.value("what", ""),
                            line.value("hint", "")});
    }
    return findings;
}

}  // namespace

void ChildReport::send(const std::string& line) {
    std::size_t done = 0;
    while (done < line.size()) {
        const ssize_t size = ::write(m_fd, line.data() + done, line.size() - done);
        if (size <= 0) {
            return;  // the parent is gone, and with it whoever would read this
        }
        done += static_cast<std::size_t>(size);
    }
}

void ChildReport::add(const TaskFinding& finding) {
    const Json line = {{"severity", static_cast<int>(finding.severity)},
                       {"rule", finding.rule},
                       {"what", finding.what},
                       {"hint", finding.hint}};
    send(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void ChildReport::at(const std::string& place) {
    send(Json{{"at", place}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Expected<std::vector<TaskFinding>> report_from_child(
    const std::string& rule, const std::string& subject, double timeout_s,
    const std::function<void(ChildReport&)>& body) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return tl::unexpected(errno_error("pipe2", subject, errno));
    }
    const FileHandle reader(ends[0]);
    FileHandle writer(ends[1]);
    const pid_t pid = ::fork();
    if (pid < 0) {
        return tl::unexpected(errno_error("fork", subject, errno));
    }
    if (pid == 0) {
        run_child(writer.get(), body);
    }
    writer.reset();
    std::string text;
    const bool complete = collect(reader.get(), timeout_s, text);
    if (!complete) {
        ::kill(pid, SIGKILL);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    std::string place;
    std::vector<TaskFinding> findings = parse(text, place);
    const ProcessEnd end = decode_wait_status(status);
    const std::string where = place.empty() ? "" : " at " + place;
    if (!complete) {
        findings.push_back({Severity::error, rule,
                            subject + " took longer than " +
                                std::to_string(static_cast<int>(timeout_s)) + " seconds" + where,
                            "make its workloads smaller, or it faster"});
    } else if (end.signalled || end.status != 0) {
        findings.push_back({Severity::error, rule,
                            subject + " crashed (" + end.text() + ")" + where,
                            "check its index arithmetic for these extents"});
    }
    return findings;
}

}  // namespace atl
