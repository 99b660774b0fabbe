#include "mutators/model/certificates.hpp"

#include <unistd.h>

#include <cstdlib>

namespace atl {

std::string find_authorities() {
    if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr && *named != '\0') {
        return named;
    }
    for (const char* path :
         {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
          "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
        if (::access(path, R_OK) == 0) {
            return path;
        }
    }
    return {};
}

}  // namespace atl
