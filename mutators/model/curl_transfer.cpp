#include "mutators/model/curl_transfer.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_max_header_bytes = 64u << 10;
constexpr long k_connect_ms = 20'000;

/// What has to do with the network or the endpoint's state, and not with what was asked.
bool may_pass(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_HTTP3:
        case CURLE_QUIC_CONNECT_ERROR:
            return true;
        default:
            return false;
    }
}

ErrorCode code_of(CURLcode code) {
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return ErrorCode::timeout;
    }
    return may_pass(code) ? ErrorCode::unavailable : ErrorCode::invalid_argument;
}

std::string hint_for(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
            return "set SSL_CERT_FILE to a file with the authority of its certificate";
        case CURLE_OPERATION_TIMEDOUT:
            return "set a longer timeout_s or fewer max_tokens";
        default:
            return "is the endpoint running, and is its url right?";
    }
}

std::string host_of(const char* url) {
    CURLU* parsed = ::curl_url();
    std::string host;
    char* part = nullptr;
    if (::curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        ::curl_url_get(parsed, CURLUPART_HOST, &part, 0) == CURLUE_OK) {
        host = part;
        ::curl_free(part);
    }
    ::curl_url_cleanup(parsed);
    return host;
}

}  // namespace

CurlTransfer::CurlTransfer(std::uint64_t id, HttpPost post, HttpTransfers::Done done,
                           const std::string& authorities)
    : m_id(id),
      m_post(std::move(post)),
      m_done(std::move(done)),
      m_easy(::curl_easy_init(), ::curl_easy_cleanup),
      m_headers(nullptr, ::curl_slist_free_all) {
    // Large bodies would otherwise wait a second for leave to be sent.
    m_post.headers.emplace_back("Expect:");
    for (const std::string& header : m_post.headers) {
        if (curl_slist* longer = ::curl_slist_append(m_headers.get(), header.c_str())) {
            static_cast<void>(m_headers.release());
            m_headers.reset(longer);
        }
    }
    set_options(authorities);
}

void CurlTransfer::set_options(const std::string& authorities) {
    CURL* easy = m_easy.get();
    const bool is_tls = m_post.url.starts_with("https:");
    ::curl_easy_setopt(easy, CURLOPT_URL, m_post.url.c_str());
    ::curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    ::curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    ::curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, m_why.data());
    ::curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(m_post.timeout.count()));
    ::curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, k_connect_ms);
    ::curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    ::curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    // Many requests at the start then share the first connection, where it turns out to be HTTP/2.
    ::curl_easy_setopt(easy, CURLOPT_PIPEWAIT, is_tls ? 1L : 0L);
    if (!authorities.empty()) {
        ::curl_easy_setopt(easy, CURLOPT_CAINFO, authorities.c_str());
    }
    ::curl_easy_setopt(easy, CURLOPT_HTTPHEADER, m_headers.get());
    ::curl_easy_setopt(easy, CURLOPT_POST, 1L);
    ::curl_easy_setopt(easy, CURLOPT_POSTFIELDS, m_post.body.data());
    ::curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(m_post.body.size()));
    ::curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
    ::curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    ::curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
    ::curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
}

std::size_t CurlTransfer::on_body(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<CurlTransfer*>(self);
    if (transfer.m_body.size() + size > transfer.m_post.max_body) {
        transfer.m_too_long = true;
        return 0;
    }
    transfer.m_body.append(bytes, size);
    return size;
}

std::size_t CurlTransfer::on_header(char*, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<CurlTransfer*>(self);
    transfer.m_header_bytes += size;
    transfer.m_too_long = transfer.m_header_bytes > k_max_header_bytes;
    return transfer.m_too_long ? 0 : size;
}

void CurlTransfer::finish(CURLcode code) {
    m_done(result(code));
}

HttpResult CurlTransfer::result(CURLcode code) {
    if (code == CURLE_OK) {
        return answer();
    }
    if (m_too_long) {
        return tl::unexpected(
            HttpFailure{{ErrorCode::limit,
                         "the answer has more than " + std::to_string(m_post.max_body) +
                             " bytes, or its head "
                             "more than " +
                             std::to_string(k_max_header_bytes),
                         "", "set max_tokens, or ask for fewer samples"},
                        false});
    }
    const std::string why = m_why[0] != '\0' ? m_why.data() : ::curl_easy_strerror(code);
    return tl::unexpected(HttpFailure{{code_of(code), why, "", hint_for(code)}, may_pass(code)});
}

HttpAnswer CurlTransfer::answer() {
    HttpAnswer answer;
    long status = 0;
    ::curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    answer.body = std::move(m_body);
    curl_off_t wait = 0;
    if (::curl_easy_getinfo(easy(), CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0) {
        answer.retry_after = std::chrono::seconds(wait);
    }
    const char* redirect = nullptr;
    ::curl_easy_getinfo(easy(), CURLINFO_REDIRECT_URL, &redirect);
    if (redirect != nullptr) {
        answer.redirect_host = host_of(redirect);
    }
    return answer;
}

}  // namespace atl
