#include "base/limits.hpp"
#include "base/text.hpp"
#include "http/http_connection.hpp"
#include "http/icy_metadata.hpp"
#include "playout/output_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <array>
#include <ios>

namespace minuteswarm {
namespace {

using boost::system::error_code;

constexpr std::uint64_t slice_size = 64 * limits::KiB; ///< in memory per client

bool has_icy(Container container) {
    return container == Container::mp3 || container == Container::adts;
}

} // namespace

/// What of a stream's answer depends on the request: chunked or close-delimited, with or without
/// metadata.
struct HttpConnection::StreamForm {
    bool is_chunked = true;
    std::optional<IcyMetadata> icy;
};

boost::asio::awaitable<void> HttpConnection::answer_stream(HttpRequest const& request) {
    auto const container = site_->source->container();
    is_kept_alive_ = false;
    StreamForm form{request.is_get && !request.is_http_1_0, {}};
    if (request.wants_icy && has_icy(container)) form.icy.emplace();

    std::optional<OutputStream> stream;
    std::optional<Slice> slice;
    if (request.is_get) {
        watch_for_close();
        output_ = concat("/stream.", extension(container));
        auto const until = MonotonicClock::now() + site_->options.first_byte_wait;
        while (is_open() && site_->source->timeline().state() == Timeline::State::starting &&
               MonotonicClock::now() < until)
            co_await wait(until);
        if (!is_open()) co_return;
        stream.emplace(
            container, site_->source->is_recording() ? Cursor::oldest() : Cursor::live()
        );
        slice = co_await next_slice(*stream, until);
        if (!is_open()) co_return;
        if (!slice) {
            output_.clear();
            co_await answer_line(request, 503, "nothing to play yet");
            co_return;
        }
    }
    auto const head = stream_head(form);
    if (!co_await send(head.text(wall_now()), {}) || request.is_head) co_return;
    co_await send_stream(*stream, std::move(slice), std::move(form));
    output_.clear();
}

ResponseHead HttpConnection::stream_head(StreamForm const& form) const {
    ResponseHead head{200};
    head.set("Content-Type", std::string{mime_type(site_->source->container())});
    head.set("Cache-Control", "no-store");
    head.set("Accept-Ranges", "none");
    head.set("Cross-Origin-Resource-Policy", "same-origin");
    head.set("Connection", "close");
    if (form.is_chunked) head.set("Transfer-Encoding", "chunked");
    if (!form.icy) return head;
    head.set("icy-name", field_text(site_->source->title()));
    head.set("icy-metaint", std::to_string(IcyMetadata::interval));
    return head;
}

boost::asio::awaitable<void>
HttpConnection::send_stream(OutputStream& stream, std::optional<Slice> slice, StreamForm form) {
    auto has_lost_bytes = false; // retention can win the race against a slow client
    while (slice && is_open()) {
        auto const bytes = co_await read_chunk(
            slice->chunk, slice->offset, static_cast<std::size_t>(slice->length)
        );
        if (!is_open()) co_return;
        slice->is_discontinuity = slice->is_discontinuity || has_lost_bytes;
        has_lost_bytes = bytes == nullptr;
        if (bytes != nullptr && !co_await send_piece(stream.feed(*slice, *bytes), form)) co_return;
        slice = co_await next_slice(stream, MonotonicTime::max());
    }
    if (!is_open() || !co_await send_piece(stream.finish(), form)) co_return;
    if (form.is_chunked) co_await send("0\r\n\r\n", {});
}

boost::asio::awaitable<std::optional<Slice>>
HttpConnection::next_slice(OutputStream& stream, MonotonicTime until) {
    while (is_open()) {
        auto const& timeline = site_->source->timeline();
        auto slice = stream.next(timeline, slice_size);
        if (slice || stream.has_ended(timeline)) co_return slice;
        if (MonotonicClock::now() >= until) break;
        co_await wait(until);
    }
    co_return std::nullopt;
}

boost::asio::awaitable<bool> HttpConnection::send_piece(Bytes piece, StreamForm& form) {
    if (piece.empty()) co_return is_open();
    media_bytes_ += piece.size();
    if (form.icy) piece = form.icy->insert(piece, site_->source->title());
    if (!form.is_chunked) co_return co_await send({}, piece);
    auto const size = concat(std::hex, piece.size(), "\r\n");
    append(piece, as_bytes("\r\n"));
    co_return co_await send(size, piece);
}

void HttpConnection::watch_for_close() {
    auto const unwanted = std::make_shared<std::array<char, 512>>();
    auto const on_read = [self = shared_from_this(), unwanted](error_code error, std::size_t) {
        if (error == boost::asio::error::operation_aborted) return;
        if (error) return self->close();
        self->watch_for_close();
    };
    socket_.async_read_some(boost::asio::buffer(*unwanted), on_read);
}

} // namespace minuteswarm
