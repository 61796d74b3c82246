#pragma once

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "http/http_range.hpp"
#include "http/http_response.hpp"
#include "http/http_route.hpp"
#include "http/http_server.hpp"
#include "http/live_parts.hpp"
#include "http/playlist.hpp"
#include "playout/output_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility> // Asio 1.74's awaitable.hpp uses std::exchange without including it

namespace minuteswarm {

class HttpConnection;

/// What the connections of one server share. Loop-only; lives until the last connection has ended.
struct HttpSite : std::enable_shared_from_this<HttpSite> {
    HttpSite(HttpServer::Source& from, HttpServer::Options const& how);

    /// Takes up what the timeline has released; waiting clients go on.
    void update();
    void update_playlists();
    /// Looks into what the live edge has released, for the parts of the live playlist.
    void read_parts();

    HttpServer::Source* source; ///< none once the server has stopped
    HttpServer::Options options;
    LiveParts parts;
    Playlist live;
    Playlist dvr;
    std::set<HttpConnection*> connections;
    bool is_reading = false;
};

/// The parts of a request that are used.
struct HttpRequest {
    std::string target;
    std::string host;
    std::string range;
    bool has_host = false;
    bool is_get = false;
    bool is_head = false;
    bool is_http_1_0 = false;
    bool has_body = false;
    bool wants_icy = false;
    bool keep_alive = false;
};

/// One client's connection: reads a request, answers it, and again. One coroutine on the loop,
/// which keeps the connection alive; each wait for the client has a deadline.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
public:
    HttpConnection(std::shared_ptr<HttpSite> site, boost::asio::ip::tcp::socket socket);
    ~HttpConnection();
    HttpConnection(HttpConnection const&) = delete;
    HttpConnection& operator=(HttpConnection const&) = delete;

    void start();
    /// Goes on if it waits for the timeline.
    void wake();
    void close();
    void close_if_overdue(MonotonicTime now);

    [[nodiscard]] std::optional<HttpServer::Client> client() const;

private:
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;

    Awaitable<void> run();
    /// None when the connection is over; a request that can't be read is answered here.
    Awaitable<std::optional<HttpRequest>> read_request();
    Awaitable<void> answer(HttpRequest const& request);
    Awaitable<void> answer_route(HttpRequest const& request);
    /// The page and reports.
    Awaitable<void> answer_document(HttpRequest const& request, HttpRoute::Kind kind);
    Awaitable<void> answer_playlist(HttpRequest const& request, HttpRoute::Kind kind);
    /// Goes on once the playlist has what a blocking reload wants. False if that was answered.
    Awaitable<bool> await_reload(HttpRequest const& request, Playlist const& playlist);
    Awaitable<void> answer_chunk(HttpRequest const& request, ChunkNumber number);
    /// Of a part that was hinted at, waits for it.
    Awaitable<void>
    answer_part(HttpRequest const& request, ChunkNumber number, std::optional<std::uint64_t> index);
    /// These bytes of a chunk, or the range of them that is asked for.
    Awaitable<void> answer_media(HttpRequest const& request, ChunkNumber number, ByteSpan whole);
    Awaitable<void> answer_stream(HttpRequest const& request);

    struct StreamForm;
    [[nodiscard]] ResponseHead stream_head(StreamForm const& form) const;
    Awaitable<void> send_stream(OutputStream& stream, std::optional<Slice> slice, StreamForm form);
    /// None when the stream has ended, and after `until`.
    Awaitable<std::optional<Slice>> next_slice(OutputStream& stream, MonotonicTime until);
    Awaitable<bool> send_piece(Bytes piece, StreamForm& form);
    /// Notices that a client has gone while there is nothing to send to it.
    void watch_for_close();

    /// An answer of one plain line.
    Awaitable<void> answer_line(HttpRequest const& request, unsigned status, std::string line);
    Awaitable<void> answer_text(
        HttpRequest const& request, ResponseHead head, std::string_view type, std::string_view body
    );
    Awaitable<bool> send(std::string_view head, ByteView body);
    /// Waits until everything the client has sent is read or it is overdue, so that closing can't
    /// destroy the answer on its way (RFC 7230 6.6).
    Awaitable<void> linger();
    Awaitable<SharedBytes> read_chunk(ChunkNumber number, std::uint64_t offset, std::size_t length);
    /// Until `wake`, `close` or `until`.
    Awaitable<void> wait(MonotonicTime until);

    [[nodiscard]] bool is_open() const { return site_->source != nullptr && socket_.is_open(); }

    std::shared_ptr<HttpSite> site_;
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer wake_;
    boost::beast::flat_buffer buffer_;
    boost::asio::ip::tcp::endpoint remote_;
    std::optional<MonotonicTime> deadline_;
    std::string output_;
    std::uint64_t media_bytes_ = 0;
    bool const is_one_too_many_;
    bool is_kept_alive_ = true;
};

} // namespace minuteswarm
