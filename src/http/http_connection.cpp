#include "http/http_connection.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "http/host_check.hpp"
#include "http/http_range.hpp"
#include "http/page_files.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace minuteswarm {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr auto request_time = 10s; ///< for a whole request, and between two
constexpr auto write_time = 20s;   ///< for one piece
constexpr auto linger_time = 2s;
constexpr std::size_t lingering_bytes = 256 * limits::KiB;
constexpr std::size_t piece_size = 128 * limits::KiB; ///< of a chunk, in memory per client

using Parser = http::request_parser<http::empty_body>;

HttpRequest request_of(Parser const& parser) {
    auto const& message = parser.get();
    auto const field = [&](auto name) { return std::string{message[name]}; };
    HttpRequest request;
    request.target = std::string{message.target()};
    request.host = field(http::field::host);
    request.range = field(http::field::range);
    request.has_host = message.count(http::field::host) == 1;
    request.is_get = message.method() == http::verb::get;
    request.is_head = message.method() == http::verb::head;
    request.is_http_1_0 = message.version() < 11;
    request.has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
    request.wants_icy = field("Icy-MetaData") == "1";
    request.keep_alive = message.keep_alive();
    return request;
}

/// What a request is refused for before anyone looks at its target; none if it may be answered.
struct Refusal {
    unsigned status;
    std::string line;
};
std::optional<Refusal> refusal_of(HttpRequest const& request, std::string const& reached) {
    // HTTP/1.0 has no Host, and browsers, which are what the check is about, always send one.
    auto const may_lack_host = request.is_http_1_0 && request.host.empty();
    if (!request.has_host && !may_lack_host) return Refusal{400, "one Host field is needed"};
    if (!may_lack_host && !is_own_host(request.host, reached))
        return Refusal{403, "this host name is not served here"};
    if (!request.is_get && !request.is_head) return Refusal{405, "only GET and HEAD"};
    if (request.has_body) return Refusal{413, "no request body, please"};
    return std::nullopt;
}

} // namespace

HttpSite::HttpSite(HttpServer::Source& from, HttpServer::Options const& how)
    : source(&from)
    , options(how)
    , live(Playlist::Options{})
    , dvr(Playlist::Options{.window = limits::dvr_window}) {}

void HttpSite::update() {
    update_playlists();
    for (auto* const connection : connections)
        connection->wake();
    read_parts();
}

void HttpSite::update_playlists() {
    auto const& timeline = source->timeline();
    auto const has_ended = timeline.state() == Timeline::State::ended;
    auto const has_parts = source->container() == Container::mpeg_ts;
    if (has_parts) parts.update(timeline.segments());
    live.update(timeline.segments(), has_ended, has_parts ? &parts : nullptr);
    dvr.update(timeline.segments(), has_ended);
}

void HttpSite::read_parts() {
    auto const wish = parts.wish();
    if (is_reading || !wish) return;
    is_reading = true;
    auto const done = [weak = weak_from_this(), wish = *wish](error_code error, SharedBytes bytes) {
        auto const self = weak.lock();
        if (self == nullptr || self->source == nullptr) return;
        self->is_reading = false;
        auto const has_bytes = !error && bytes != nullptr;
        self->parts.feed(wish, has_bytes ? ByteView{*bytes} : ByteView{}, MonotonicClock::now());
        self->update();
    };
    source->read(wish->number, wish->offset, wish->length, done);
}

HttpConnection::HttpConnection(std::shared_ptr<HttpSite> site, asio::ip::tcp::socket socket)
    : site_(std::move(site))
    , socket_(std::move(socket))
    , wake_(socket_.get_executor())
    , buffer_(limits::http_request)
    , is_one_too_many_(site_->connections.size() >= limits::http_clients) {
    error_code error;
    remote_ = socket_.remote_endpoint(error);
    socket_.set_option(asio::ip::tcp::no_delay{true}, error);
    site_->connections.insert(this);
}

HttpConnection::~HttpConnection() {
    site_->connections.erase(this);
}

void HttpConnection::start() {
    asio::co_spawn(
        socket_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached
    );
}

void HttpConnection::wake() {
    wake_.cancel();
}

void HttpConnection::close() {
    error_code ignored;
    socket_.close(ignored);
    wake_.cancel();
}

void HttpConnection::close_if_overdue(MonotonicTime now) {
    if (deadline_ && now >= *deadline_) close();
}

std::optional<HttpServer::Client> HttpConnection::client() const {
    if (output_.empty()) return std::nullopt;
    return HttpServer::Client{output_, concat(remote_), media_bytes_};
}

asio::awaitable<void> HttpConnection::run() {
    while (is_kept_alive_ && is_open()) {
        auto const request = co_await read_request();
        if (!request || !is_open()) break;
        is_kept_alive_ = request->keep_alive && !is_one_too_many_;
        if (is_one_too_many_) {
            co_await answer_line(*request, 503, "too many clients");
        } else {
            co_await answer(*request);
        }
    }
    co_await linger();
    close();
}

asio::awaitable<std::optional<HttpRequest>> HttpConnection::read_request() {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(limits::http_request));
    error_code error;
    deadline_ = MonotonicClock::now() + request_time;
    co_await http::async_read_header(
        socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error)
    );
    deadline_.reset();
    if (!error) co_return request_of(parser);
    auto const is_too_large =
        error == http::error::header_limit || error == http::error::buffer_overflow;
    auto const is_malformed =
        error.category() == http::make_error_code(http::error::bad_target).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message;
    is_kept_alive_ = false;
    HttpRequest const unread; // a temporary in the call would be destroyed twice by g++ 12
    if (is_too_large) {
        co_await answer_line(unread, 431, "the request is too large");
    } else if (is_malformed) {
        co_await answer_line(unread, 400, "not an HTTP request");
    }
    co_return std::nullopt;
}

asio::awaitable<void> HttpConnection::answer(HttpRequest const& request) {
    error_code error;
    auto const reached = socket_.local_endpoint(error).address().to_string();
    if (auto const refusal = refusal_of(request, reached)) {
        is_kept_alive_ = is_kept_alive_ && !request.has_body;
        co_await answer_line(request, refusal->status, refusal->line);
        co_return;
    }
    co_await answer_route(request);
}

asio::awaitable<void> HttpConnection::answer_route(HttpRequest const& request) {
    using Kind = HttpRoute::Kind;
    auto const route = route_of(request.target, site_->source->container());
    switch (route.kind) {
    case Kind::live:
    case Kind::dvr:
        return answer_playlist(request, route.kind);
    case Kind::chunk:
        return answer_chunk(request, route.number);
    case Kind::part:
        return answer_part(request, route.number, route.part);
    case Kind::stream:
        return answer_stream(request);
    case Kind::none:
        return answer_line(request, 404, route.message);
    default:
        return answer_document(request, route.kind);
    }
}

asio::awaitable<void>
HttpConnection::answer_document(HttpRequest const& request, HttpRoute::Kind kind) {
    using Kind = HttpRoute::Kind;
    auto& source = *site_->source;
    ResponseHead head{kind == Kind::any_stream ? 307U : 200U};
    head.set("Cache-Control", kind == Kind::hls_script ? "max-age=3600" : "no-store");
    std::string_view type = "text/plain; charset=utf-8";
    std::string text;      // made for this request, or
    std::string_view file; // built in
    switch (kind) {
    case Kind::page:
        type = "text/html; charset=utf-8";
        file = page_files::index_html();
        // The page needs nothing but this server; blob: is how players feed <video>.
        head.set(
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
            "worker-src 'self' blob:; frame-ancestors 'none'"
        );
        break;
    case Kind::page_script:
        type = "text/javascript";
        file = page_files::page_js();
        break;
    case Kind::page_style:
        type = "text/css";
        file = page_files::page_css();
        break;
    case Kind::hls_script:
        type = "text/javascript";
        file = page_files::hls_js();
        break;
    case Kind::status:
        type = "application/json";
        text = source.status_json();
        break;
    case Kind::metrics:
        type = "text/plain; version=0.0.4; charset=utf-8";
        text = source.metrics();
        break;
    default:
        text = concat("/stream.", extension(source.container()));
        head.set("Location", text);
    }
    co_await answer_text(request, std::move(head), type, file.empty() ? text : file);
}

asio::awaitable<void>
HttpConnection::answer_playlist(HttpRequest const& request, HttpRoute::Kind kind) {
    auto const until = MonotonicClock::now() + site_->options.first_byte_wait;
    auto const& any = site_->dvr; // the other one has its first entry then, or a moment later
    while (is_open() && (any.is_empty() || site_->live.is_empty()) && !any.has_ended() &&
           MonotonicClock::now() < until)
        co_await wait(until);
    if (!is_open()) co_return;
    auto const is_recording = site_->source->is_recording();
    auto const& playlist = is_recording || kind == HttpRoute::Kind::dvr ? site_->dvr : site_->live;
    if (playlist.is_empty())
        co_return co_await answer_line(request, 503, "the broadcast has not started yet");
    if (!co_await await_reload(request, playlist)) co_return;
    ResponseHead head{200};
    head.set("Cache-Control", "no-store");
    auto const text = playlist.text(site_->source->container(), is_recording);
    co_await answer_text(request, std::move(head), "application/vnd.apple.mpegurl", text);
}

asio::awaitable<bool>
HttpConnection::await_reload(HttpRequest const& request, Playlist const& playlist) {
    auto const directives = directives_of(request.target);
    if (directives.is_malformed) {
        co_await answer_line(request, 400, "_HLS_msn and _HLS_part are numbers");
        co_return false;
    }
    if (!directives.sequence) co_return true;
    Playlist::Wanted const wanted{*directives.sequence, directives.part};
    auto const until = MonotonicClock::now() + playlist.longest_wait();
    auto answer = playlist.answer(wanted);
    while (answer == Playlist::Answer::later && MonotonicClock::now() < until) {
        co_await wait(until);
        if (!is_open()) co_return false;
        answer = playlist.answer(wanted);
    }
    if (answer == Playlist::Answer::now) co_return true;
    if (answer == Playlist::Answer::never) {
        co_await answer_line(request, 400, "the playlist is not that far");
    } else {
        co_await answer_line(request, 503, "nothing new has come");
    }
    co_return false;
}

asio::awaitable<void> HttpConnection::answer_chunk(HttpRequest const& request, ChunkNumber number) {
    auto const* const segment = site_->source->timeline().segment(number);
    if (segment == nullptr || !segment->is_complete())
        co_return co_await answer_line(request, 404, "this chunk is not here");
    co_await answer_media(request, number, {0, segment->chunk.size});
}

asio::awaitable<void> HttpConnection::answer_part(
    HttpRequest const& request, ChunkNumber number, std::optional<std::uint64_t> index
) {
    auto const until = MonotonicClock::now() + site_->live.longest_wait();
    while (is_open()) {
        auto const* const chunk = site_->parts.find(number);
        auto const count = chunk != nullptr ? chunk->parts.size() : 0;
        if (!index && count > 0) co_return co_await answer_media(request, number, {0, chunk->size});
        if (index && *index < count) {
            auto const& part = chunk->parts[*index];
            co_return co_await answer_media(request, number, {part.offset, part.length});
        }
        auto const may_come = index && site_->live.is_expected(number, *index);
        if (!may_come || MonotonicClock::now() >= until)
            co_return co_await answer_line(request, 404, "this part is not here");
        co_await wait(until);
    }
}

asio::awaitable<void>
HttpConnection::answer_media(HttpRequest const& request, ChunkNumber number, ByteSpan whole) {
    auto const size = whole.length;
    auto const asked = answer_range(request.range, size);
    if (std::holds_alternative<UnsatisfiableRange>(asked))
        co_return co_await answer_line(request, 416, concat("there are ", size, " bytes"));
    auto const* const part = std::get_if<ByteSpan>(&asked);
    auto span = part != nullptr ? *part : ByteSpan{0, size};

    ResponseHead head{part != nullptr ? 206U : 200U};
    if (part != nullptr) {
        auto const last = span.offset + span.length - 1;
        head.set("Content-Range", concat("bytes ", span.offset, "-", last, "/", size));
    }
    head.set("Content-Type", std::string{mime_type(site_->source->container())});
    head.set("Content-Length", std::to_string(span.length));
    head.set("Accept-Ranges", "bytes");
    head.set("Cache-Control", "max-age=3600");
    head.set("Cross-Origin-Resource-Policy", "same-origin");
    if (!is_kept_alive_) head.set("Connection", "close");
    auto head_text = head.text(wall_now());
    if (request.is_head) {
        co_await send(head_text, {});
        co_return;
    }
    output_ = "/live.m3u8";
    span.offset += whole.offset;
    while (span.length > 0 && is_open()) {
        auto const length =
            static_cast<std::size_t>(std::min<std::uint64_t>(span.length, piece_size));
        auto const bytes = co_await read_chunk(number, span.offset, length);
        if (bytes == nullptr && !head_text.empty())
            co_return co_await answer_line(request, 503, "the chunk could not be read");
        if (bytes == nullptr || !co_await send(head_text, *bytes)) co_return close();
        head_text.clear();
        span = {span.offset + length, span.length - length};
        media_bytes_ += length;
    }
}

asio::awaitable<void>
HttpConnection::answer_line(HttpRequest const& request, unsigned status, std::string line) {
    ResponseHead head{status};
    head.set("Cache-Control", "no-store");
    if (status == 405) head.set("Allow", "GET, HEAD");
    if (status == 503) head.set("Retry-After", "2");
    line += '\n';
    co_await answer_text(request, std::move(head), "text/plain; charset=utf-8", line);
}

asio::awaitable<void> HttpConnection::answer_text(
    HttpRequest const& request, ResponseHead head, std::string_view type, std::string_view body
) {
    head.set("Content-Type", std::string{type});
    head.set("Content-Length", std::to_string(body.size()));
    head.set("X-Content-Type-Options", "nosniff");
    head.set("Cross-Origin-Resource-Policy", "same-origin");
    // An HTTP/1.0 client that asked for it learns that the connection stays.
    if (!is_kept_alive_ || request.is_http_1_0)
        head.set("Connection", is_kept_alive_ ? "keep-alive" : "close");
    auto const text = head.text(wall_now());
    auto const sent = request.is_head ? ByteView{} : as_bytes(body);
    if (!co_await send(text, sent)) close();
}

asio::awaitable<bool> HttpConnection::send(std::string_view head, ByteView body) {
    std::array<asio::const_buffer, 2> const buffers{
        asio::buffer(head.data(), head.size()), asio::buffer(body.data(), body.size())};
    error_code error;
    deadline_ = MonotonicClock::now() + write_time;
    co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
    deadline_.reset();
    co_return !error;
}

asio::awaitable<void> HttpConnection::linger() {
    error_code error;
    if (!socket_.is_open()) co_return;
    socket_.cancel(error);
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
    deadline_ = MonotonicClock::now() + linger_time;
    std::array<char, 4 * limits::KiB> unwanted;
    for (std::size_t read = 0; !error && read < lingering_bytes;) {
        read += co_await socket_.async_read_some(
            asio::buffer(unwanted), asio::redirect_error(asio::use_awaitable, error)
        );
    }
}

asio::awaitable<SharedBytes>
HttpConnection::read_chunk(ChunkNumber number, std::uint64_t offset, std::size_t length) {
    struct Answer {
        bool is_there = false;
        SharedBytes bytes;
    };
    auto const answer = std::make_shared<Answer>();
    auto const done = [answer, weak = weak_from_this()](error_code error, SharedBytes bytes) {
        answer->is_there = true;
        if (!error) answer->bytes = std::move(bytes);
        if (auto const self = weak.lock()) self->wake();
    };
    site_->source->read(number, offset, length, done);
    while (!answer->is_there && is_open())
        co_await wait(MonotonicTime::max());
    auto const is_whole = answer->bytes != nullptr && answer->bytes->size() == length;
    co_return is_whole ? answer->bytes : nullptr;
}

asio::awaitable<void> HttpConnection::wait(MonotonicTime until) {
    error_code ignored;
    wake_.expires_at(until);
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

} // namespace minuteswarm
