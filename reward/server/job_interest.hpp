#pragma once

#include "reward/server/job.hpp"

#include <functional>
#include <list>
#include <memory>

namespace atl {

class JobTable;

/// That a client waits for a job. While it lives, the job goes on; with the last one of a job that
/// is not kept, the job is cancelled. Movable.
class Interest {
  public:
    Interest() = default;
    Interest(std::weak_ptr<JobTable> table, JobPtr job, std::function<void()> on_end);
    ~Interest() { release(); }
    Interest(Interest&& other) noexcept;
    Interest& operator=(Interest&& other) noexcept;

    void release();
    [[nodiscard]] const JobPtr& job() const { return m_job; }

  private:
    std::weak_ptr<JobTable> m_table;
    JobPtr m_job;
    std::list<std::function<void()>>::iterator m_place;
};

}  // namespace atl
