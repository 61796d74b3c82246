#pragma once

#include "base/bytes.hpp"
#include "base/event_loop.hpp"
#include "base/ids.hpp"
#include "base/statements.hpp"
#include "playout/timeline.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace minuteswarm {

/// Serves what a timeline has released to players and browsers of this computer: continuous
/// streams, playlists, chunks, the page, status and metrics. Loop-only. Bounded by
/// limits::http_clients and http_request.
class HttpServer {
public:
    /// What the server asks its role.
    struct Source {
        /// Error, or exactly the bytes asked for.
        using ReadDone = std::function<void(boost::system::error_code, SharedBytes)>;

        virtual ~Source() = default;
        virtual Timeline const& timeline() = 0;
        /// Bytes of a chunk that the timeline has released.
        virtual void
        read(ChunkNumber number, std::uint64_t offset, std::size_t length, ReadDone done) = 0;
        virtual Container container() = 0;
        virtual std::string title() = 0;
        /// What is played was over before: players get it from its start. As of the first byte.
        virtual bool is_recording() { return false; }
        virtual std::string status_json() = 0;
        virtual std::string metrics() = 0;
    };

    struct Options {
        std::string address = "127.0.0.1";
        std::uint16_t port = 8088;   ///< 0 = any
        bool is_default_port = true; ///< taken: try the next ones; otherwise taken is an error
        std::chrono::milliseconds first_byte_wait{
            30'000}; ///< before a 503 when nothing is there yet
    };

    /// Who takes media from here at the moment.
    struct Client {
        std::string output; ///< e.g. `/stream.ts`
        std::string address;
        std::uint64_t bytes = 0; ///< of media, in this connection
    };

    /// Listens at once. Throws StartError when it can't.
    HttpServer(EventLoop& loop, Source& source, Options options);
    ~HttpServer();
    HttpServer(HttpServer const&) = delete;
    HttpServer& operator=(HttpServer const&) = delete;

    /// To be called after each Timeline::advance that changed something: waiting clients go on.
    void on_timeline_changed();
    /// Closes all connections; the source isn't asked any more. Idempotent.
    void stop();

    [[nodiscard]] boost::asio::ip::tcp::endpoint local_endpoint() const;
    /// Where a browser on this computer finds the page, e.g. `http://127.0.0.1:8088/`.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<Client> clients() const;

private:
    struct Listener;
    std::shared_ptr<Listener> listener_;
};

} // namespace minuteswarm
