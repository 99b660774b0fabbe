#include "search/config.hpp"

#include "tests/fuzz/targets.hpp"

namespace atl::fuzz {

void config(std::string_view bytes) {
    const auto parsed = parse_config(std::string(bytes), "campaign.toml");
    if (!parsed) {
        must(!parsed.error().message().empty(), "a refused config says why");
        return;
    }
    const std::string written = write_config(*parsed);
    const auto again = parse_config(written, "written.toml");
    must(again.has_value(), "a written config can be read");
    must(write_config(*again) == written, "writing a config and reading it changes nothing");
    (void)lint_config(*parsed);
    (void)state_settings(*parsed);
    (void)operator_weights(*parsed);
}

}  // namespace atl::fuzz
