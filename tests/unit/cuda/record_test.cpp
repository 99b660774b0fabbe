#include "reward/cuda/record.hpp"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cstring>

namespace atl {
namespace {

using ::testing::HasSubstr;

/// Writes records as the runtime does.
class Writer {
  public:
    Writer() : m_words(k_record_header_bytes / 8, 0) { m_words[0] = k_record_magic; }

    Writer& entry(RecordStep::Kind kind, std::uint32_t line,
                  const std::vector<std::uint64_t>& payload) {
        m_words.push_back(static_cast<std::uint64_t>(kind) | std::uint64_t{line} << 32);
        m_words.push_back(payload.size() * 8);
        m_words.insert(m_words.end(), payload.begin(), payload.end());
        return *this;
    }
    Writer& header(std::size_t word, std::uint64_t value) {
        m_words[word] = value;
        return *this;
    }
    std::vector<std::byte> bytes() {
        if (m_words[1] == 0) {
            m_words[1] = m_words.size() * 8;
        }
        std::vector<std::byte> all(m_words.size() * 8);
        std::memcpy(all.data(), m_words.data(), all.size());
        return all;
    }
    Record record() { return value_or_throw(parse_record(header(2, 1).bytes())); }

  private:
    std::vector<std::uint64_t> m_words;
};

constexpr std::uint64_t k_name_k = 'k';

/// kernel k, grid (2, 3, 4), block (5, 6, 7), one argument of `size` bytes.
std::vector<std::uint64_t> launch(std::uint64_t argument, std::uint64_t size = 8) {
    return {2 | 3ull << 32, 4 | 5ull << 32, 6 | 7ull << 32, 0,       1ull << 32, 48,
            1 | 1ull << 32, k_name_k,       size,           argument};
}

const RecordAddresses k_first(false);
const RecordAddresses k_second(true);
const RecordTensors k_tensors{{4096}, {4096}};

PlanOrFault plan_of(Writer first, Writer second) {
    return plan_of_records(first.record(), second.record(), k_tensors);
}

TEST(Record, AnEntryIsReadAsItWasWritten) {
    const Record record =
        Writer().entry(RecordStep::Kind::launch, 12, launch(99)).header(4, 12).record();
    ASSERT_EQ(record.steps.size(), 1u);
    EXPECT_EQ(record.last_line, 12u);
    EXPECT_EQ(record.steps[0].line, 12u);
    EXPECT_EQ(record.steps[0].name, "k");
    EXPECT_EQ(record.steps[0].numbers,
              (std::vector<std::uint64_t>{2, 3, 4, 5, 6, 7, 0, 0, 0, 1, 48}));
    EXPECT_EQ(record.steps[0].blobs.at(0)[0], 99);
}

TEST(Record, ForgedOnesAreRefused) {
    using K = RecordStep::Kind;
    for (Writer& forged :
         std::vector<Writer>{Writer().header(0, 1),                           // magic
                             Writer().header(2, 3),                           // status
                             Writer().header(1, 1 << 20),                     // more than there is
                             Writer().header(1, 8),                           // inside the header
                             Writer().header(1, 515),                         // no whole word
                             Writer().entry(static_cast<K>(9), 1, {}),        // kind
                             Writer().entry(static_cast<K>(0), 1, {}),        //
                             Writer().entry(K::memset, 1, {1, 2}),            // too short
                             Writer().entry(K::memset, 1, {1, 2, 3, 4}),      // too long
                             Writer().entry(K::memset, 1, {1, 256, 3}),       // no byte
                             Writer().entry(K::launch, 1, launch(1, 9)),      // beyond the payload
                             Writer().entry(K::launch, 1, launch(1, ~0ull)),  //
                             Writer().entry(K::launch, 1, launch(1, ~0ull - 7)),  //
                             Writer().entry(K::symbol, 1, {4, 0}),                // no name
                             Writer().entry(K::symbol, 1, {4, 1, 0x01}),    // no printable one
                             Writer().entry(K::write, 1, {0, 1ull << 63}),  //
                             Writer().entry(K::scratch, 1, {1}).header(1, 512 + 8)}) {  // cut off
        EXPECT_FALSE(parse_record(forged.bytes()));
    }
    EXPECT_FALSE(parse_record({}));
    Writer many;
    for (std::size_t i = 0; i <= k_max_record_entries; ++i) {
        many.entry(K::scratch, 1, {1});
    }
    EXPECT_THAT(parse_record(many.bytes()).error().what, HasSubstr("too many"));
}

// Found by the fuzzer under UBSan: nothing may be copied from or to a null pointer either.
TEST(Record, ConstantsMayBeEmpty) {
    const Record record = Writer().entry(RecordStep::Kind::write, 1, {0, 0}).record();
    EXPECT_TRUE(record.steps.at(0).blobs.at(0).empty());
}

TEST(Record, AReasonIsMadePrintable) {
    Writer writer;
    writer.header(2, 2).header(8, 0x0a1b'2265'6f6eull);  // "noe\"" with an escape and a newline
    EXPECT_EQ(value_or_throw(parse_record(writer.bytes())).reason, "noe\"??");
}

TEST(Record, RandomBytesNeverDoHarm) {
    EXPECT_TRUE(rc::check([] {
        Writer writer;
        const auto kinds = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 9));
        for (const int kind : kinds) {
            writer.entry(
                static_cast<RecordStep::Kind>(kind), 1,
                *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::oneOf(
                    rc::gen::inRange<std::uint64_t>(0, 64), rc::gen::arbitrary<std::uint64_t>())));
        }
        std::vector<std::byte> bytes = writer.bytes();
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
            static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
        if (const Expected<Record> record = parse_record(bytes)) {
            const PlanOrFault made = plan_of_records(*record, *record, k_tensors);
            const DeviceLimits device = *device_limits_of("sm_90a");
            if (!made.fault && check_plan(made.plan, device)) {
                const Expected<Plan> read = parse_plan(to_json(made.plan));
                RC_ASSERT(read.has_value());
                RC_ASSERT(*read == made.plan);
            }
        }
    }));
}

TEST(RecordAddresses, EveryAddressIsFoundAgain) {
    for (const RecordAddresses& addresses : {k_first, k_second}) {
        for (std::uint32_t slot = 0; slot < RecordAddresses::k_slots; ++slot) {
            for (const std::int64_t offset : {0ll, 1ll, -4ll, 1ll << 35}) {
                const auto found =
                    addresses.find(addresses.address_of(slot) + static_cast<std::uint64_t>(offset));
                ASSERT_TRUE(found);
                EXPECT_EQ(*found, (RecordAddresses::Place{slot, offset}));
            }
        }
        EXPECT_FALSE(addresses.find(0));
        EXPECT_FALSE(addresses.find(~0ull));
        EXPECT_FALSE(addresses.find(0x7fff'ffff'0000));
    }
}

TEST(RecordPlan, PointersAreThoseThatFollowTheirBuffers) {
    using K = RecordStep::Kind;
    const PlanOrFault made =
        plan_of(Writer().entry(K::launch, 3, launch(k_first.address_of(1) + 8)),
                Writer().entry(K::launch, 3, launch(k_second.address_of(1) + 8)));
    ASSERT_FALSE(made.fault) << made.fault->reason;
    const auto& one = std::get<PlanLaunch>(made.plan.steps.at(0).what);
    EXPECT_EQ(one.arguments.at(0).pointers.at(0),
              (PlanRelocation{0, {PlanAddress::Buffer::output, 0, 8}}));
    EXPECT_EQ(one.arguments[0].bytes, std::vector<std::uint8_t>(8, 0));
}

TEST(RecordPlan, ANumberThatLooksLikeAnAddressIsANumber) {
    using K = RecordStep::Kind;
    const std::uint64_t number = k_first.address_of(0);
    const PlanOrFault made = plan_of(Writer().entry(K::launch, 3, launch(number)),
                                     Writer().entry(K::launch, 3, launch(number)));
    ASSERT_FALSE(made.fault);
    EXPECT_TRUE(std::get<PlanLaunch>(made.plan.steps.at(0).what).arguments[0].pointers.empty());
}

TEST(RecordPlan, AnAddressOfNoBufferIsAFault) {
    using K = RecordStep::Kind;
    for (const std::uint32_t slot : {2u, 255u, 256u, 512u, 1023u}) {
        const PlanOrFault made =
            plan_of(Writer().entry(K::launch, 3, launch(k_first.address_of(slot))),
                    Writer().entry(K::launch, 3, launch(k_second.address_of(slot))));
        ASSERT_TRUE(made.fault);
        EXPECT_THAT(made.fault->reason, HasSubstr("belongs to no buffer"));
        EXPECT_EQ(made.fault->line, 3u);
    }
}

}  // namespace
}  // namespace atl
