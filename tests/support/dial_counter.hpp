#pragma once

#include "base/event_loop.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace minuteswarm::test {

/// Somewhere that notes whether anybody connects to it.
class DialCounter {
public:
    explicit DialCounter(EventLoop& loop)
        : acceptor_(loop.io(), {boost::asio::ip::address_v4::loopback(), 0}) {
        acceptor_.async_accept(
            [is_dialled =
                 is_dialled_](boost::system::error_code const& error, boost::asio::ip::tcp::socket const&) {
                *is_dialled = !error;
            }
        );
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    [[nodiscard]] bool was_dialled() const { return *is_dialled_; }

private:
    boost::asio::ip::tcp::acceptor acceptor_;
    std::shared_ptr<bool> is_dialled_ = std::make_shared<bool>(false);
};

} // namespace minuteswarm::test
