#pragma once

#include "http/http_server.hpp"
#include "support/fake_http_source.hpp"
#include "support/plain_http_client.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

namespace minuteswarm::http_test {

/// A server on a loop thread of its own, on 127.0.0.1 and a free port.
class RunningServer {
public:
    explicit RunningServer(std::chrono::milliseconds first_byte_wait = std::chrono::seconds{10})
        : server_(std::make_unique<HttpServer>(
              loop_, source_, HttpServer::Options{"127.0.0.1", 0, false, first_byte_wait}
          ))
        , port_(server_->local_endpoint().port())
        , thread_([this] { loop_.run(); }) {}

    ~RunningServer() {
        stop();
        if (thread_.joinable()) thread_.join();
    }

    /// Runs `work` on the loop, tells the server and waits for both.
    template <class Work>
    void change(Work work) {
        std::promise<void> done;
        loop_.post([&] {
            work(source_);
            server_->on_timeline_changed();
            done.set_value();
        });
        done.get_future().get();
    }
    std::vector<HttpServer::Client> clients() {
        std::promise<std::vector<HttpServer::Client>> result;
        loop_.post([&] { result.set_value(server_->clients()); });
        return result.get_future().get();
    }
    void stop() {
        loop_.post([this] {
            if (server_) server_->stop();
            server_.reset();
        });
    }
    void join() { thread_.join(); }
    [[nodiscard]] std::uint16_t port() const { return port_; }

    PlainHttpClient::Response get(std::string_view target, std::string_view extra = {}) const {
        PlainHttpClient client{port_};
        client.request("GET", target, extra);
        return client.read_response();
    }

private:
    EventLoop loop_;
    FakeHttpSource source_{loop_};
    std::unique_ptr<HttpServer> server_;
    std::uint16_t port_;
    std::thread thread_;
};

} // namespace minuteswarm::http_test
