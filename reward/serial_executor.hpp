#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace atl {

/// One thread that runs what is posted, in order. The destructor runs what is left. Thread-safe.
class SerialExecutor {
  public:
    SerialExecutor();
    ~SerialExecutor();
    SerialExecutor(const SerialExecutor&) = delete;
    SerialExecutor& operator=(const SerialExecutor&) = delete;

    void post(std::function<void()> work);

  private:
    void serve();

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::function<void()>> m_work;
    bool m_closed = false;
    std::thread m_thread;  // last: it uses the rest
};

}  // namespace atl
