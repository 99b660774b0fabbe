#pragma once

#include "mutators/model/http_transfers.hpp"

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace atl {

/// One request of libcurl's, from its options to what came of it. Belongs to one thread.
class CurlTransfer {
  public:
    /// `authorities`: file of the certificate authorities trusted; empty: libcurl's default.
    CurlTransfer(std::uint64_t id, HttpPost post, HttpTransfers::Done done,
                 const std::string& authorities);

    [[nodiscard]] std::uint64_t id() const { return m_id; }
    [[nodiscard]] CURL* easy() const { return m_easy.get(); }
    /// Tells the caller, once libcurl is done with it.
    void finish(CURLcode code);

  private:
    void set_options(const std::string& authorities);
    [[nodiscard]] HttpResult result(CURLcode code);
    [[nodiscard]] HttpAnswer answer();
    static std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self);
    static std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self);

    std::uint64_t m_id;
    HttpPost m_post;
    HttpTransfers::Done m_done;
    std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> m_easy;
    std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> m_headers;
    std::array<char, CURL_ERROR_SIZE> m_why{};
    std::string m_body;
    std::size_t m_header_bytes = 0;
    bool m_too_long = false;
};

}  // namespace atl
