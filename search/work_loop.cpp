#include "search/work_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace atl {

namespace asio = boost::asio;

void WorkLoop::spawn(Work work) {
    asio::co_spawn(m_io, std::move(work), [this](std::exception_ptr error) {
        try {
            if (error) {
                std::rethrow_exception(error);
            }
        } catch (const WorkFailure& failure) {
            m_failure = failure.error;
        } catch (const std::exception& unexpected) {
            m_failure = Error{ErrorCode::internal, unexpected.what(), "engine", ""};
        }
        if (m_failure) {
            m_io.stop();
        }
    });
}

Status WorkLoop::run() {
    m_io.run();
    return m_failure ? Status(tl::unexpected<Error>(*m_failure)) : Status();
}

Work WorkLoop::pause(std::chrono::milliseconds time) {
    m_wake.expires_after(time);
    boost::system::error_code ignored;
    co_await m_wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace atl
