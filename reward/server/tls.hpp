#pragma once

#include "reward/base/error.hpp"

#include <filesystem>

namespace boost::asio::ssl {
class context;
}

namespace atl {

/// What a server shows to clients that speak TLS: PEM files.
struct TlsFiles {
    std::filesystem::path certificate;  ///< its own first, then those that lead to a known one
    std::filesystem::path key;          ///< without a passphrase
};

/// Makes `context` (of a TLS server) ready for clients: TLS 1.2 or newer, without renegotiation or
/// compression. Errors: files that cannot be read or do not belong together; a key that other users
/// can read.
[[nodiscard]] Status load_tls(boost::asio::ssl::context& context, const TlsFiles& files);

}  // namespace atl
