#include "reward/serial_executor.hpp"

#include <utility>

namespace atl {

SerialExecutor::SerialExecutor() : m_thread([this] { serve(); }) {}

SerialExecutor::~SerialExecutor() {
    {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
    }
    m_changed.notify_all();
    m_thread.join();
}

void SerialExecutor::post(std::function<void()> work) {
    const std::lock_guard lock(m_mutex);
    m_work.push_back(std::move(work));
    m_changed.notify_one();
}

void SerialExecutor::serve() {
    std::unique_lock lock(m_mutex);
    while (true) {
        m_changed.wait(lock, [&] { return m_closed || !m_work.empty(); });
        if (m_work.empty()) {
            return;
        }
        const std::function<void()> work = std::move(m_work.front());
        m_work.pop_front();
        lock.unlock();
        work();
        lock.lock();
    }
}

}  // namespace atl
