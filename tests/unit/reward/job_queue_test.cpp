#include "reward/job_queue.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;

Job job(JobId id, int priority = 0) {
    Job job;
    job.id = id;
    job.request.priority = priority;
    return job;
}

Job job_of(JobId id, const std::string& client, std::uint64_t connection = 0, int priority = 0) {
    Job asked = job(id, priority);
    asked.request.asker = {client, connection};
    return asked;
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

/// In a queue with room for a batch.
class FairQueue : public ::testing::Test {
  protected:
    std::vector<JobId> pull_all() {
        std::vector<JobId> ids;
        while (const std::optional<Lease> lease = m_queue->pull(0ms)) {
            ids.push_back(lease->job.id);
        }
        return ids;
    }

    testing::ManualClock m_clock;
    std::unique_ptr<JobQueue> m_queue = make_local_queue(5000, 1000ms, m_clock);
};

TEST_F(FairQueue, OneClientsBatchDelaysAnothersRequestByOneJob) {
    for (JobId id = 1; id <= 4096; ++id) {
        ASSERT_TRUE(m_queue->push(job_of(id, "batch")));
    }
    ASSERT_TRUE(m_queue->push(job_of(5000, "single")));
    ASSERT_TRUE(m_queue->push(job_of(5001, "single")));
    const std::vector<JobId> ids = pull_all();
    ASSERT_EQ(ids.size(), 4098u);
    EXPECT_EQ(std::vector<JobId>(ids.begin(), ids.begin() + 6),
              (std::vector<JobId>{1, 5000, 2, 5001, 3, 4}));
}

TEST_F(FairQueue, ManyConnectionsAreOneClientAndTakeTurnsAmongThemselves) {
    JobId id = 1;
    for (std::uint64_t connection = 1; connection <= 3; ++connection) {
        for (int i = 0; i < 2; ++i) {
            ASSERT_TRUE(m_queue->push(job_of(id++, "many", connection)));
        }
    }
    ASSERT_TRUE(m_queue->push(job_of(7, "other", 9)));
    ASSERT_TRUE(m_queue->push(job_of(8, "other", 9)));
    EXPECT_EQ(pull_all(), (std::vector<JobId>{1, 7, 3, 8, 5, 2, 4, 6}));
}

TEST_F(FairQueue, TurnsAreTakenWithinAPriority) {
    ASSERT_TRUE(m_queue->push(job_of(1, "a", 0, 5)));
    ASSERT_TRUE(m_queue->push(job_of(2, "a", 0, 5)));
    ASSERT_TRUE(m_queue->push(job_of(3, "b", 0, 5)));
    ASSERT_TRUE(m_queue->push(job_of(4, "c")));
    EXPECT_EQ(pull_all(), (std::vector<JobId>{1, 3, 2, 4}));
}

TEST_F(FairQueue, AJobThatAnotherAsksForTooTakesTheNearerPlace) {
    for (JobId id = 1; id <= 4; ++id) {
        ASSERT_TRUE(m_queue->push(job_of(id, "a")));
    }
    ASSERT_TRUE(m_queue->push(job_of(5, "b")));
    m_queue->share(4, 0, {"c", 0});   // as if c alone had asked
    m_queue->share(1, 0, {"b", 0});   // it is first where it is
    m_queue->share(99, 0, {"b", 0});  // unknown, or at work already
    EXPECT_EQ(pull_all(), (std::vector<JobId>{1, 5, 4, 2, 3}));
}

TEST_F(FairQueue, AJobThatIsAskedForMoreUrgentlyIsMoreUrgent) {
    for (JobId id = 1; id <= 3; ++id) {
        ASSERT_TRUE(m_queue->push(job_of(id, "a")));
    }
    m_queue->share(3, 7, {"a", 0});
    m_queue->share(3, -7, {"b", 0});
    EXPECT_EQ(pull_all(), (std::vector<JobId>{3, 1, 2}));
}

TEST_F(FairQueue, WhatComesBackIsTheFirstOfItsClient) {
    for (JobId id = 1; id <= 3; ++id) {
        ASSERT_TRUE(m_queue->push(job_of(id, "a")));
    }
    ASSERT_TRUE(m_queue->pull(0ms));
    ASSERT_TRUE(m_queue->push(job_of(4, "b")));
    m_clock.advance(1000ms);
    EXPECT_EQ(pull_all(), (std::vector<JobId>{1, 4, 2, 3}));
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
