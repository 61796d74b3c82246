#include "support/plain_http_client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace minuteswarm {

PlainHttpClient::PlainHttpClient(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval const patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (receive_buffer > 0)
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto const* const plain = reinterpret_cast<sockaddr const*>(&address);
    if (::connect(socket_, plain, sizeof address) != 0) throw std::runtime_error("no connection");
}

PlainHttpClient::~PlainHttpClient() {
    ::close(socket_);
}

void PlainHttpClient::send(std::string_view text) {
    while (!text.empty()) {
        auto const sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void PlainHttpClient::request(
    std::string_view method, std::string_view target, std::string_view extra
) {
    std::string text{method};
    text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    send(text.append(extra).append("\r\n"));
}

std::string PlainHttpClient::Response::field(std::string_view name) const {
    auto const at = head.find("\r\n" + std::string{name} + ": ");
    if (at == std::string::npos) return {};
    auto const begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
}

PlainHttpClient::Response PlainHttpClient::read_head() {
    Response response;
    auto end = received_.find("\r\n\r\n");
    while (end == std::string::npos && receive())
        end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return response;
    response.head = take(end + 4);
    response.status = std::stoi(response.head.substr(response.head.find(' ') + 1));
    return response;
}

PlainHttpClient::Response PlainHttpClient::read_response() {
    auto response = read_head();
    auto const length = response.field("Content-Length");
    if (!length.empty()) response.body = take(std::stoul(length));
    return response;
}

std::string PlainHttpClient::read_chunked(std::size_t size) {
    while (chunked_.size() < size) {
        auto const line = take_line();
        auto const length = line.empty() ? 0 : std::stoul(line, nullptr, 16);
        chunked_ += take(length);
        take_line();
        if (length == 0) break;
    }
    auto const result = chunked_.substr(0, size);
    chunked_.erase(0, result.size());
    return result;
}

std::string PlainHttpClient::read_rest() {
    while (receive()) {
    }
    return take(received_.size());
}

bool PlainHttpClient::receive() {
    std::array<char, 65536> part;
    auto const length = ::recv(socket_, part.data(), part.size(), 0);
    has_timed_out_ = length < 0 && errno == EAGAIN;
    if (length <= 0) return false;
    received_.append(part.data(), static_cast<std::size_t>(length));
    return true;
}

std::string PlainHttpClient::take(std::size_t size) {
    while (received_.size() < size && receive()) {
    }
    auto const result = received_.substr(0, size);
    received_.erase(0, result.size());
    return result;
}

std::string PlainHttpClient::take_line() {
    auto end = received_.find("\r\n");
    while (end == std::string::npos && receive())
        end = received_.find("\r\n");
    return end == std::string::npos ? std::string{} : take(end + 2).substr(0, end);
}

} // namespace minuteswarm
