#include "http/http_server.hpp"

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "http/http_connection.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cassert>

namespace minuteswarm {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr int ports_tried = 20; ///< from a default port that is taken
constexpr auto deadline_tick = 1s;
constexpr auto accept_pause = 200ms;        ///< when the process is out of file descriptors
constexpr std::size_t refused_at_once = 16; ///< clients over the limit that are still told so

asio::ip::address parse_address(std::string const& text) {
    if (text == "localhost") return asio::ip::address_v4::loopback();
    error_code error;
    auto const address = asio::ip::make_address(text, error);
    if (error) throw StartError(concat("--http: ", text, " is not an IP address"));
    return address;
}

error_code try_listen(tcp::acceptor& acceptor, tcp::endpoint const& endpoint) {
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error) return error;
    error_code ignored;
    acceptor.close(ignored);
    return error;
}

void listen(tcp::acceptor& acceptor, HttpServer::Options const& options) {
    tcp::endpoint endpoint{parse_address(options.address), options.port};
    auto error = try_listen(acceptor, endpoint);
    auto const may_move = options.is_default_port && options.port != 0;
    for (int tried = 1; may_move && error == asio::error::address_in_use && tried < ports_tried;
         ++tried) {
        endpoint.port(static_cast<std::uint16_t>(endpoint.port() + 1));
        error = try_listen(acceptor, endpoint);
    }
    if (!error) return;
    endpoint.port(options.port);
    throw StartError(concat("--http: can't listen on ", endpoint, ": ", error.message()));
}

} // namespace

/// The listening socket and what belongs to it. Handlers keep it alive, so that the server can go
/// at any time.
struct HttpServer::Listener : std::enable_shared_from_this<Listener> {
    Listener(EventLoop& event_loop, Source& source, Options const& options)
        : loop(event_loop)
        , acceptor(event_loop.io())
        , timer(event_loop.io())
        , site(std::make_shared<HttpSite>(source, options)) {
        listen(acceptor, options);
        site->update_playlists();
    }

    void accept() {
        acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
            self->on_accept(error, std::move(socket));
        });
    }

    void on_accept(error_code error, tcp::socket socket) {
        if (!acceptor.is_open()) return;
        if (error && error != asio::error::connection_aborted) return accept_later();
        auto const room = limits::http_clients + refused_at_once;
        if (!error && site->connections.size() < room)
            std::make_shared<HttpConnection>(site, std::move(socket))->start();
        accept();
    }

    void accept_later() {
        auto const pause = std::make_shared<asio::steady_timer>(loop.io(), accept_pause);
        pause->async_wait([self = shared_from_this(), pause](error_code) {
            if (self->acceptor.is_open()) self->accept();
        });
    }

    void tick() {
        timer.expires_after(deadline_tick);
        timer.async_wait([self = shared_from_this()](error_code error) {
            if (error || !self->acceptor.is_open()) return;
            auto const now = MonotonicClock::now();
            for (auto* const connection : self->site->connections)
                connection->close_if_overdue(now);
            self->tick();
        });
    }

    EventLoop& loop;
    tcp::acceptor acceptor;
    asio::steady_timer timer;
    std::shared_ptr<HttpSite> site;
};

HttpServer::HttpServer(EventLoop& loop, Source& source, Options options)
    : listener_(std::make_shared<Listener>(loop, source, options)) {
    listener_->accept();
    listener_->tick();
}

HttpServer::~HttpServer() {
    stop();
}

void HttpServer::on_timeline_changed() {
    assert(listener_->loop.is_current());
    auto& site = *listener_->site;
    if (site.source == nullptr) return;
    site.update();
}

void HttpServer::stop() {
    assert(listener_->loop.is_current());
    error_code ignored;
    listener_->acceptor.close(ignored);
    listener_->timer.cancel();
    listener_->site->source = nullptr;
    for (auto* const connection : listener_->site->connections)
        connection->close();
}

tcp::endpoint HttpServer::local_endpoint() const {
    error_code error;
    return listener_->acceptor.local_endpoint(error);
}

std::string HttpServer::url() const {
    auto endpoint = local_endpoint();
    if (endpoint.address().is_unspecified()) endpoint.address(asio::ip::address_v4::loopback());
    return concat("http://", endpoint, "/");
}

std::vector<HttpServer::Client> HttpServer::clients() const {
    std::vector<Client> result;
    for (auto const* const connection : listener_->site->connections)
        if (auto client = connection->client()) result.push_back(*std::move(client));
    return result;
}

} // namespace minuteswarm
