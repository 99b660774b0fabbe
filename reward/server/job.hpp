#pragma once

#include "reward/server/job_request.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace atl {

enum class JobState {
    pending,    ///< waits, or is evaluated
    done,       ///< has a verdict
    fault,      ///< a fault of ours: no verdict, and so no reward
    cancelled,  ///< by a client, or because no client waits for it
};

[[nodiscard]] std::string_view to_string(JobState state);

/// One evaluation in a server. Belongs to the JobTable and to its thread.
struct ServerJob {
    std::string id;  ///< cannot be guessed: who knows it may read and cancel the job
    JobRequest request;
    Asker asker;
    JobState state = JobState::pending;
    std::chrono::steady_clock::time_point submitted;
    std::chrono::steady_clock::time_point deadline;
    int submissions = 0;    ///< to the evaluator
    std::size_t bytes = 0;  ///< of its source
    bool kept = false;      ///< goes on, and can be asked for, without a client that waits
    ErrorCode fault_code = ErrorCode::internal;   ///< of state fault
    std::shared_ptr<const std::string> document;  ///< JSON, once it is not pending any more
    std::stop_source cancel;
    std::list<std::function<void()>> interested;  ///< called once, when it ends

    [[nodiscard]] double age_s() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - submitted).count();
    }
};

using JobPtr = std::shared_ptr<ServerJob>;

}  // namespace atl
