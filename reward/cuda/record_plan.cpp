#include "reward/cuda/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace atl {

namespace {

using Kind = RecordStep::Kind;
using Buffer = PlanAddress::Buffer;

// Values of cudaFuncAttribute.
constexpr std::uint64_t k_max_dynamic_shared = 8;
constexpr std::uint64_t k_carveout = 9;
constexpr std::uint64_t k_non_portable_cluster = 14;

std::string what_is(const RecordStep& step) {
    switch (step.kind) {
        case Kind::launch:
            return "the launch of " + step.name;
        case Kind::memset:
            return "a memset";
        case Kind::copy:
            return "a copy";
        case Kind::write:
            return "a copy of constants";
        case Kind::scratch:
            return "an allocation";
        case Kind::symbol:
            return "the use of variable " + step.name;
        case Kind::tensor_map:
            return "a tensor map";
        case Kind::setting:
            break;
    }
    return "an attribute of " + step.name;
}

/// Goes through two records side by side. Its functions return false after a fault.
class PlanMaker {
  public:
    PlanMaker(const Record& first, const Record& second, const RecordTensors& tensors)
        : m_first(first), m_second(second) {
        m_result.plan.inputs = tensors.inputs;
        m_result.plan.outputs = tensors.outputs;
    }

    PlanOrFault make() {
        if (m_first.steps.size() != m_second.steps.size()) {
            const auto& longer =
                m_first.steps.size() > m_second.steps.size() ? m_first.steps : m_second.steps;
            const RecordStep& extra = longer[std::min(m_first.steps.size(), m_second.steps.size())];
            m_line = extra.line;
            depends(what_is(extra) + " happens only under some addresses");
        }
        for (std::size_t i = 0; i < m_first.steps.size() && !m_result.fault; ++i) {
            m_line = m_first.steps[i].line;
            if (same_shape(m_first.steps[i], m_second.steps[i])) {
                add(m_first.steps[i], m_second.steps[i]);
            }
        }
        return std::move(m_result);
    }

  private:
    bool fail(std::string reason) {
        if (!m_result.fault) {
            m_result.fault = RecordFault{Outcome::rejected, m_line, std::move(reason)};
        }
        return false;
    }
    bool depends(const std::string& what) {
        return fail(what +
                    "; a launcher must do the same whatever the addresses of its buffers, "
                    "the time or chance");
    }
    bool same_shape(const RecordStep& one, const RecordStep& other);
    void add(const RecordStep& one, const RecordStep& other);
    void add_launch(const RecordStep& one, const RecordStep& other);
    void add_setting(const RecordStep& one);
    void add_map(const RecordStep& one, const RecordStep& other);
    void find_maps(PlanData& data) const;
    bool address(std::uint64_t one, std::uint64_t other, PlanAddress& out);
    bool place(const RecordAddresses::Place& place, PlanAddress& out);
    using Bytes = std::vector<std::uint8_t>;
    struct FoundPointer {
        std::size_t at = 0;
        RecordAddresses::Place place;
    };
    [[nodiscard]] std::optional<FoundPointer> find_pointer(const Bytes& one, const Bytes& other,
                                                           std::size_t at, std::size_t from) const;
    bool data(const Bytes& one, const Bytes& other, const std::string& what, PlanData& out);

    const Record& m_first;
    const Record& m_second;
    const RecordAddresses m_one{false};
    const RecordAddresses m_other{true};
    PlanOrFault m_result;
    std::uint32_t m_line = 0;
};

bool PlanMaker::same_shape(const RecordStep& one, const RecordStep& other) {
    bool same = one.kind == other.kind && one.line == other.line && one.name == other.name &&
                one.numbers == other.numbers && one.blobs.size() == other.blobs.size();
    for (std::size_t i = 0; same && i < one.blobs.size(); ++i) {
        same = one.blobs[i].size() == other.blobs[i].size();
    }
    return same || depends(what_is(one) + " differs when buffers lie elsewhere");
}

bool PlanMaker::place(const RecordAddresses::Place& place, PlanAddress& out) {
    const Plan& plan = m_result.plan;
    const auto as = [&](Buffer buffer, std::size_t first, std::size_t count) {
        if (place.slot < first || place.slot >= first + count) {
            return false;
        }
        out.buffer = buffer;
        out.index = static_cast<std::uint32_t>(place.slot - first);
        return true;
    };
    if (!as(Buffer::input, 0, plan.inputs.size()) &&
        !as(Buffer::output, plan.inputs.size(), plan.outputs.size()) &&
        !as(Buffer::scratch, RecordAddresses::k_first_scratch, plan.scratch.size()) &&
        !as(Buffer::symbol, RecordAddresses::k_first_symbol, plan.symbols.size())) {
        return fail("uses an address that belongs to no buffer");
    }
    if (place.offset < 0) {
        return fail(fmt::format("uses a pointer to {} bytes before {} {}", -place.offset,
                                to_string(out.buffer), out.index));
    }
    out.offset = static_cast<std::uint64_t>(place.offset);
    return true;
}

bool PlanMaker::address(std::uint64_t one, std::uint64_t other, PlanAddress& out) {
    const auto here = m_one.find(one);
    const auto there = m_other.find(other);
    if (!here && !there && one == other) {
        return fail("uses an address that is not of device memory");
    }
    if (!here || !there || !(*here == *there)) {
        return depends("an address is computed in a way that hangs on where buffers lie");
    }
    return place(*here, out);
}

/// Where a pointer lies that makes the bytes at `at` differ, at `from` or later: on a word, or
/// anywhere in a packed struct. Bytes between the two must be the same.
std::optional<PlanMaker::FoundPointer> PlanMaker::find_pointer(const Bytes& one, const Bytes& other,
                                                               std::size_t at,
                                                               std::size_t from) const {
    for (const int shift : {0, 4, -4, 1, 2, 3, 5, 6, 7, -1, -2, -3, -5, -6, -7}) {
        const std::size_t begin = at + static_cast<std::size_t>(shift);  // may wrap around
        if (begin < from || begin > at + k_pointer_bytes || begin + k_pointer_bytes > one.size() ||
            (begin > at && std::memcmp(one.data() + at, other.data() + at, begin - at) != 0)) {
            continue;
        }
        std::uint64_t first = 0;
        std::uint64_t second = 0;
        std::memcpy(&first, one.data() + begin, k_pointer_bytes);
        std::memcpy(&second, other.data() + begin, k_pointer_bytes);
        const auto here = m_one.find(first);
        const auto there = m_other.find(second);
        if (here && there && *here == *there) {
            return FoundPointer{begin, *here};
        }
    }
    return std::nullopt;
}

bool PlanMaker::data(const Bytes& one, const Bytes& other, const std::string& what, PlanData& out) {
    out.bytes = one;
    std::size_t known = 0;  // up to where all is told
    for (std::size_t at = 0; at < one.size();) {
        const std::size_t length = std::min(k_pointer_bytes, one.size() - at);
        if (std::memcmp(one.data() + at, other.data() + at, length) == 0) {
            at += length;
            continue;
        }
        const std::optional<FoundPointer> found = find_pointer(one, other, at, known);
        if (!found && length < k_pointer_bytes) {
            return depends("the last bytes of " + what + " differ when buffers lie elsewhere");
        }
        if (!found) {
            return depends(
                fmt::format("bytes {} to {} of {} differ when buffers lie elsewhere (or "
                            "were never written)",
                            at, at + k_pointer_bytes - 1, what));
        }
        PlanRelocation pointer{static_cast<std::uint32_t>(found->at), {}};
        if (!place(found->place, pointer.target)) {
            return false;
        }
        out.pointers.push_back(pointer);
        std::fill_n(out.bytes.begin() + static_cast<std::ptrdiff_t>(found->at), k_pointer_bytes,
                    std::uint8_t{0});
        at = known = found->at + k_pointer_bytes;
    }
    find_maps(out);
    return true;
}

void PlanMaker::add_launch(const RecordStep& one, const RecordStep& other) {
    PlanLaunch launch;
    launch.kernel = one.name;
    for (std::size_t i = 0; i < 3; ++i) {
        launch.grid[i] = static_cast<std::uint32_t>(one.numbers[i]);
        launch.block[i] = static_cast<std::uint32_t>(one.numbers[3 + i]);
        launch.cluster[i] = static_cast<std::uint32_t>(one.numbers[6 + i]);
    }
    launch.cooperative = (one.numbers[9] & 1) != 0;
    launch.programmatic = (one.numbers[9] & 2) != 0;
    launch.shared_bytes = one.numbers[10];
    if (launch.shared_bytes > k_max_plan_buffer) {
        fail(fmt::format("kernel {}: {} bytes of dynamic shared memory", one.name,
                         launch.shared_bytes));
    }
    for (std::size_t i = 0; i < one.blobs.size() && !m_result.fault; ++i) {
        data(one.blobs[i], other.blobs[i], fmt::format("argument {} of {}", i + 1, one.name),
             launch.arguments.emplace_back());
    }
    m_result.plan.steps.push_back({one.line, std::move(launch)});
}

void PlanMaker::add_setting(const RecordStep& one) {
    auto& all = m_result.plan.settings;
    auto found = std::find_if(all.begin(), all.end(), [&](const PlanKernelSettings& settings) {
        return settings.kernel == one.name;
    });
    if (found == all.end()) {
        if (all.size() >= k_max_plan_kernels) {
            fail("sets attributes of too many kernels");
            return;
        }
        found = all.insert(all.end(), PlanKernelSettings{one.name, 0, -1, false});
    }
    const auto value = static_cast<std::int64_t>(one.numbers[1]);
    if (one.numbers[0] == k_max_dynamic_shared && value >= 0 &&
        one.numbers[1] <= k_max_plan_buffer) {
        found->max_dynamic_shared = one.numbers[1];
    } else if (one.numbers[0] == k_carveout && value >= -1 && value <= 100) {
        found->shared_carveout = static_cast<std::int32_t>(value);
    } else if (one.numbers[0] == k_non_portable_cluster) {
        found->non_portable_cluster = value != 0;
    } else {
        fail(fmt::format("sets attribute {} of {} to {}, which it cannot be", one.numbers[0],
                         one.name, value));
    }
}

/// The runtime leaves a mark and the map's number where a map is to be.
void PlanMaker::find_maps(PlanData& data) const {
    constexpr std::size_t k_step = 8;
    for (std::size_t at = 0; at + k_tensor_map_bytes <= data.bytes.size(); at += k_step) {
        std::array<std::uint64_t, 3> words{};
        std::memcpy(words.data(), data.bytes.data() + at, sizeof(words));
        if (words[0] == k_record_map_mark && words[1] == ~k_record_map_mark &&
            words[2] < m_result.plan.tensor_maps.size()) {
            data.maps.push_back(
                {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(words[2])});
            std::fill_n(data.bytes.begin() + static_cast<std::ptrdiff_t>(at), k_tensor_map_bytes,
                        std::uint8_t{0});
            at += k_tensor_map_bytes - k_step;
        }
    }
}

void PlanMaker::add_map(const RecordStep& one, const RecordStep& other) {
    const std::vector<std::uint64_t>& numbers = one.numbers;
    constexpr std::uint64_t k_most = 1024;
    PlanTensorMap map;
    if (std::any_of(numbers.begin(), numbers.begin() + 6,
                    [](std::uint64_t number) { return number > k_most; })) {
        fail("makes a tensor map with an argument that does not exist");
    }
    map.data_type = static_cast<std::uint32_t>(numbers[0]);
    map.rank = static_cast<std::uint32_t>(numbers[1]);
    map.interleave = static_cast<std::uint32_t>(numbers[2]);
    map.swizzle = static_cast<std::uint32_t>(numbers[3]);
    map.l2_promotion = static_cast<std::uint32_t>(numbers[4]);
    map.oob_fill = static_cast<std::uint32_t>(numbers[5]);
    std::size_t at = 6;
    for (auto* five : {&map.dims, &map.strides, &map.box, &map.element_strides}) {
        for (std::uint64_t& value : *five) {
            value = numbers[at++];
            if (value > k_max_plan_buffer) {
                fail("makes a tensor map with an extent or stride that is too large");
            }
        }
    }
    address(one.addresses[0], other.addresses[0], map.address);
    if (m_result.plan.tensor_maps.size() >= k_max_plan_tensor_maps) {
        fail("makes too many tensor maps");
    }
    m_result.plan.tensor_maps.push_back(map);
}

void PlanMaker::add(const RecordStep& one, const RecordStep& other) {
    Plan& plan = m_result.plan;
    switch (one.kind) {
        case Kind::launch:
            add_launch(one, other);
            break;
        case Kind::memset: {
            PlanMemset memset{{}, static_cast<std::uint8_t>(one.numbers[0]), one.numbers[1]};
            address(one.addresses[0], other.addresses[0], memset.to);
            plan.steps.push_back({one.line, memset});
            break;
        }
        case Kind::copy: {
            PlanCopy copy{{}, {}, one.numbers[0]};
            address(one.addresses[0], other.addresses[0], copy.to);
            address(one.addresses[1], other.addresses[1], copy.from);
            plan.steps.push_back({one.line, copy});
            break;
        }
        case Kind::write: {
            PlanWrite write;
            address(one.addresses[0], other.addresses[0], write.to);
            data(one.blobs[0], other.blobs[0], "constants", write.data);
            plan.steps.push_back({one.line, std::move(write)});
            break;
        }
        case Kind::scratch:
            if (plan.scratch.size() >= k_max_plan_scratch) {
                fail("makes too many allocations");
            }
            plan.scratch.push_back(one.numbers[0]);
            break;
        case Kind::symbol:
            if (plan.symbols.size() >= k_max_plan_symbols) {
                fail("uses too many device variables");
            }
            plan.symbols.push_back({one.name, one.numbers[0]});
            break;
        case Kind::setting:
            add_setting(one);
            break;
        case Kind::tensor_map:
            add_map(one, other);
            break;
    }
}

}  // namespace

PlanOrFault plan_of_records(const Record& first, const Record& second,
                            const RecordTensors& tensors) {
    return PlanMaker(first, second, tensors).make();
}

}  // namespace atl
