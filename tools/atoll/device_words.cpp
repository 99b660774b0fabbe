#include "tools/atoll/device_words.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

namespace atl {

namespace {

constexpr int k_most_devices = 1024;
constexpr const char* k_hint = "write cpu:2, cuda:all, cuda:0,1 or external:4";

std::optional<int> number_in(const std::string& text, int low) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool good = error == std::errc() && end == text.data() + text.size() && number >= low &&
                      number <= k_most_devices;
    return good ? std::optional(number) : std::nullopt;
}

tl::unexpected<Error> refused(const std::string& text, const std::string& what) {
    return failure(ErrorCode::invalid_argument, what, "--device " + text, k_hint);
}

}  // namespace

Expected<DeviceWords> parse_device(const std::string& text) {
    DeviceWords words;
    const std::size_t colon = std::min(text.find(':'), text.size());
    words.name = text.substr(0, colon);
    if (words.name != "cpu" && words.name != "cuda" && words.name != "external") {
        return refused(text, "there is no class of devices '" + words.name + "'");
    }
    if (colon == text.size()) {
        return words;
    }
    const std::string rest = text.substr(colon + 1);
    if (words.name != "cuda") {
        const std::optional<int> count = number_in(rest, 1);
        if (!count) {
            return refused(text, "'" + rest + "' is no number of devices");
        }
        words.count = *count;
        return words;
    }
    if (rest == "all") {
        return words;
    }
    std::istringstream list(rest + ",");
    for (std::string one; std::getline(list, one, ',');) {
        const std::optional<int> ordinal = number_in(one, 0);
        if (!ordinal || std::find(words.ordinals.begin(), words.ordinals.end(), *ordinal) !=
                            words.ordinals.end()) {
            return refused(text, "'" + one + "' is no number of a GPU, or named twice");
        }
        words.ordinals.push_back(*ordinal);
    }
    return words;
}

Status check_devices(const std::vector<DeviceWords>& devices) {
    for (auto one = devices.begin(); one != devices.end(); ++one) {
        const auto same = [&](const DeviceWords& other) { return other.name == one->name; };
        if (std::any_of(devices.begin(), one, same)) {
            return refused(one->name, "devices of this class are named twice");
        }
    }
    return {};
}

}  // namespace atl
