#include "reward/server/tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cerrno>

namespace atl {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Error tls_error(const std::string& what, const std::filesystem::path& file, const error_code& error,
                const std::string& hint) {
    return {ErrorCode::invalid_argument, what + ": " + error.message(), file.string(), hint};
}

Status check_key_mode(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return tl::unexpected(errno_error("stat", file.string(), errno));
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        return failure(ErrorCode::permission, "every user of this machine can read the key",
                       file.string(), "chmod 600 " + file.string());
    }
    return {};
}

}  // namespace

Status load_tls(ssl::context& context, const TlsFiles& files) {
    ATOLL_TRY(check_key_mode(files.key));
    error_code error;
    context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                            ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                            ssl::context::no_tlsv1_1 | ssl::context::no_compression |
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE,
                        error);
    // OpenSSL would ask the terminal.
    context.set_password_callback(
        [](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
    context.use_certificate_chain_file(files.certificate.string(), error);
    if (error) {
        return tl::unexpected(tls_error("the certificate cannot be used", files.certificate, error,
                                        "give a PEM file, the server's own certificate first"));
    }
    context.use_private_key_file(files.key.string(), ssl::context::pem, error);
    if (error) {
        return tl::unexpected(
            tls_error("the key cannot be used", files.key, error,
                      "give the certificate's key, a PEM file without a passphrase"));
    }
    return {};
}

}  // namespace atl
