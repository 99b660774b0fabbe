#pragma once

#include <string>

namespace atl {

/// The file of certificate authorities that this machine trusts: $SSL_CERT_FILE, else where Debian,
/// Red Hat, SUSE and Alpine keep it; empty where there is none (then libcurl's own default counts,
/// which is where its maker kept it: a bundle may run elsewhere).
[[nodiscard]] std::string find_authorities();

}  // namespace atl
