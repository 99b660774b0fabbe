#include "reward/base/jail_landlock.hpp"

#include "reward/base/files.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace atl {

namespace {

/// struct landlock_ruleset_attr of version 6; older kernels take it when the tail is zero.
struct RulesetAttributes {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};

constexpr std::uint64_t k_truncate = 1ull << 14;      // version 3
constexpr std::uint64_t k_ioctl_device = 1ull << 15;  // version 5
constexpr std::uint64_t k_tcp = 3;                    // bind and connect, version 4
constexpr std::uint64_t k_scopes = 3;                 // abstract sockets and signals, version 6

constexpr std::uint64_t k_read_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t k_write_rights =
    k_read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    k_truncate;
/// The rights that mean something on a file that is no folder.
constexpr std::uint64_t k_file_rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                        LANDLOCK_ACCESS_FS_WRITE_FILE | k_truncate | k_ioctl_device;

constexpr std::uint64_t k_driver_rights =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | k_ioctl_device;

RulesetAttributes handled_by(int version) {
    RulesetAttributes attributes;
    attributes.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (version >= 2) {
        attributes.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    }
    if (version >= 3) {
        attributes.handled_access_fs |= k_truncate;
    }
    if (version >= 4) {
        attributes.handled_access_net = k_tcp;
    }
    if (version >= 5) {
        attributes.handled_access_fs |= k_ioctl_device;
    }
    if (version >= 6) {
        attributes.scoped = k_scopes;
    }
    return attributes;
}

Status grant(int ruleset, const std::string& path, std::uint64_t rights) {
    const FileHandle file(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!file) {
        return {};
    }
    struct stat about {};
    if (::fstat(file.get(), &about) == 0 && !S_ISDIR(about.st_mode)) {
        rights &= k_file_rights;
    }
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights;
    rule.parent_fd = file.get();
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
        return tl::unexpected(errno_error("landlock_add_rule", path, errno));
    }
    return {};
}

}  // namespace

int landlock_version() {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? static_cast<int>(version) : 0;
}

Status apply_landlock(const LandlockRules& rules) {
    const RulesetAttributes attributes = handled_by(landlock_version());
    const FileHandle ruleset(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0)));
    if (!ruleset) {
        return tl::unexpected(errno_error("landlock_create_ruleset", "sandbox", errno));
    }
    const std::uint64_t handled = attributes.handled_access_fs;
    for (const std::string& path : rules.readable) {
        ATOLL_TRY(grant(ruleset.get(), path, k_read_rights & handled));
    }
    for (const std::string& path : rules.writable) {
        ATOLL_TRY(grant(ruleset.get(), path, k_write_rights & handled));
    }
    for (const std::string& path : rules.devices) {
        ATOLL_TRY(grant(ruleset.get(), path,
                        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE));
    }
    for (const std::string& path : rules.drivers) {
        ATOLL_TRY(grant(ruleset.get(), path, k_driver_rights & handled));
    }
    if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
        return tl::unexpected(errno_error("landlock_restrict_self", "sandbox", errno));
    }
    return {};
}

}  // namespace atl
