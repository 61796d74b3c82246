#pragma once

#include "base/event_loop.hpp"
#include "swarm/libtorrent_access.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace minuteswarm::test {

/// Somewhere that closes every connection at once, and counts them.
class DialCounter {
public:
    explicit DialCounter(EventLoop& loop)
        : state_(std::make_shared<State>(loop)) {
        accept(state_);
    }
    ~DialCounter() { state_->acceptor.close(); }
    DialCounter(DialCounter const&) = delete;
    DialCounter& operator=(DialCounter const&) = delete;

    [[nodiscard]] PeerEndpoint endpoint() const {
        auto const local = state_->acceptor.local_endpoint();
        return from_endpoint({local.address(), local.port()});
    }
    [[nodiscard]] int dials() const { return state_->dials; }

private:
    struct State {
        explicit State(EventLoop& loop)
            : acceptor(loop.io(), {boost::asio::ip::address_v4::loopback(), 0}) {}
        boost::asio::ip::tcp::acceptor acceptor;
        int dials = 0;
    };

    static void accept(std::shared_ptr<State> const& state) {
        state->acceptor.async_accept(
            [state](boost::system::error_code const& error, boost::asio::ip::tcp::socket const&) {
                if (error) return;
                ++state->dials;
                accept(state);
            }
        );
    }

    std::shared_ptr<State> state_;
};

} // namespace minuteswarm::test
