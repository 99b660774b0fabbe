#include "reward/job_queue.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace atl {
namespace {

using namespace std::chrono_literals;

Job job(JobId id, int priority = 0) {
    Job job;
    job.id = id;
    job.request.priority = priority;
    return job;
}

class JobQueueTest : public ::testing::Test {
  protected:
    JobId pull_id() {
        const std::optional<Lease> lease = m_queue->pull(0ms);
        return lease ? lease->job.id : 0;
    }

    testing::ManualClock m_clock;
    std::unique_ptr<JobQueue> m_queue = make_local_queue(3, 1000ms, m_clock);
};

TEST_F(JobQueueTest, HandsOutByPriorityThenAge) {
    ASSERT_TRUE(m_queue->push(job(1)));
    ASSERT_TRUE(m_queue->push(job(2, 5)));
    ASSERT_TRUE(m_queue->push(job(3, 5)));
    EXPECT_EQ(pull_id(), 2u);
    EXPECT_EQ(pull_id(), 3u);
    EXPECT_EQ(pull_id(), 1u);
    EXPECT_EQ(pull_id(), 0u);
}

TEST_F(JobQueueTest, RefusesMoreThanItsCapacity) {
    for (JobId id = 1; id <= 3; ++id) {
        ASSERT_TRUE(m_queue->push(job(id)));
    }
    const Status status = m_queue->push(job(4));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::limit);
    EXPECT_EQ(pull_id(), 1u);
    EXPECT_TRUE(m_queue->push(job(4)));
}

TEST_F(JobQueueTest, ALostLeaseGoesToSomebodyElse) {
    ASSERT_TRUE(m_queue->push(job(1)));
    const std::optional<Lease> lost = m_queue->pull(0ms);
    ASSERT_TRUE(lost);
    m_clock.advance(999ms);
    EXPECT_EQ(pull_id(), 0u);
    m_clock.advance(1ms);
    const std::optional<Lease> second = m_queue->pull(0ms);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->job.id, 1u);
    EXPECT_FALSE(m_queue->keep_alive(*lost));
    EXPECT_FALSE(m_queue->complete(*lost));
    EXPECT_TRUE(m_queue->complete(*second));
    EXPECT_FALSE(m_queue->complete(*second));
}

TEST_F(JobQueueTest, KeepAliveHoldsTheLease) {
    ASSERT_TRUE(m_queue->push(job(1)));
    const std::optional<Lease> lease = m_queue->pull(0ms);
    for (int i = 0; i < 5; ++i) {
        m_clock.advance(900ms);
        EXPECT_TRUE(m_queue->keep_alive(*lease));
    }
    EXPECT_EQ(pull_id(), 0u);
    EXPECT_TRUE(m_queue->complete(*lease));
}

TEST_F(JobQueueTest, AJobWhoseLeaseWasLostKeepsItsPlace) {
    ASSERT_TRUE(m_queue->push(job(1)));
    ASSERT_TRUE(m_queue->push(job(2)));
    ASSERT_TRUE(m_queue->pull(0ms));
    m_clock.advance(1000ms);
    const std::optional<Lease> again = m_queue->pull(0ms);
    EXPECT_EQ(again->job.id, 1u);
}

TEST_F(JobQueueTest, CloseWakesWaitersAndHandsOutNothing) {
    std::optional<Lease> lease;
    std::thread waiter([&] { lease = m_queue->pull(std::chrono::hours(1)); });
    m_queue->close();
    waiter.join();
    EXPECT_FALSE(lease);
    const Status status = m_queue->push(job(1));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::unavailable);
}

TEST_F(JobQueueTest, PushWakesAWaiter) {
    std::optional<Lease> lease;
    std::thread waiter([&] { lease = m_queue->pull(std::chrono::hours(1)); });
    ASSERT_TRUE(m_queue->push(job(7)));
    waiter.join();
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->job.id, 7u);
}

}  // namespace
}  // namespace atl
