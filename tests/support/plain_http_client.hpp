#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace minuteswarm {

/// A blocking HTTP client on 127.0.0.1 that sends exactly what it is told and gives up after some
/// seconds without an answer, so that a test fails instead of hanging.
class PlainHttpClient {
public:
    explicit PlainHttpClient(std::uint16_t port, int receive_buffer = 0);
    ~PlainHttpClient();
    PlainHttpClient(PlainHttpClient const&) = delete;
    PlainHttpClient& operator=(PlainHttpClient const&) = delete;

    void send(std::string_view text);
    /// `GET target` or another method, with a right Host and the fields of `extra`, each ending
    /// with CRLF.
    void request(std::string_view method, std::string_view target, std::string_view extra = {});

    struct Response {
        int status = 0; ///< 0 if the connection ended first
        std::string head;
        std::string body;

        [[nodiscard]] std::string field(std::string_view name) const; ///< empty if absent
    };
    /// Status line and fields only.
    Response read_head();
    /// With a body of Content-Length bytes.
    Response read_response();
    /// Up to `size` bytes of a chunked body, fewer only if it ended.
    std::string read_chunked(std::size_t size);
    /// Everything until the server closes.
    std::string read_rest();
    [[nodiscard]] bool has_timed_out() const { return has_timed_out_; }

private:
    bool receive();
    std::string take(std::size_t size);
    std::string take_line();

    int socket_ = -1;
    std::string received_;
    std::string chunked_;
    bool has_timed_out_ = false;
};

} // namespace minuteswarm
