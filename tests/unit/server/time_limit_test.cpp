#include "reward/server/time_limit.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <array>
#include <optional>

namespace atl {
namespace {

using namespace std::chrono_literals;
using Socket = boost::asio::local::stream_protocol::socket;

class TimeLimitTest : public ::testing::Test {
  protected:
    TimeLimitTest() { boost::asio::local::connect_pair(m_socket, m_other); }
    void read() {
        m_socket.async_read_some(
            boost::asio::buffer(m_bytes),
            [this](boost::system::error_code error, std::size_t) { m_error = error; });
    }
    void run_until_read() {
        for (int i = 0; i < 6000 && !m_error; ++i) {
            m_io.run_one_for(10ms);
        }
    }

    boost::asio::io_context m_io;
    Socket m_socket{m_io};
    Socket m_other{m_io};
    std::array<char, 8> m_bytes{};
    std::optional<boost::system::error_code> m_error;
};

TEST_F(TimeLimitTest, EndsWhatTheSocketWaitsFor) {
    const TimeLimit limit(m_socket, 1ms);
    read();
    run_until_read();
    EXPECT_EQ(m_error, boost::asio::error::operation_aborted);
    EXPECT_TRUE(limit.is_over());
    EXPECT_TRUE(m_socket.is_open());
}

TEST_F(TimeLimitTest, EndsWhatBeginsWhenTheTimeIsOver) {
    const TimeLimit limit(m_socket, 0ms);
    while (!limit.is_over()) {
        m_io.run_one_for(10ms);
    }
    read();
    run_until_read();
    EXPECT_EQ(m_error, boost::asio::error::operation_aborted);
}

TEST_F(TimeLimitTest, DoesNothingOnceItIsGone) {
    { const TimeLimit limit(m_socket, 0ms); }
    read();
    m_io.run_for(30ms);
    EXPECT_FALSE(m_error);
    boost::asio::write(m_other, boost::asio::buffer("x", 1));
    run_until_read();
    EXPECT_EQ(m_error, boost::system::error_code());
}

}  // namespace
}  // namespace atl
