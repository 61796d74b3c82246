#pragma once

#include "base/bytes.hpp"
#include "base/event_loop.hpp"
#include "http/http_server.hpp"
#include "playout/timeline.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace minuteswarm {

/// A broadcast in memory for tests of the HTTP server: each chunk is four seconds of media.
/// Loop-only while the loop runs.
class FakeHttpSource final : public HttpServer::Source {
public:
    explicit FakeHttpSource(EventLoop& loop)
        : loop_(loop) {}

    Timeline const& timeline() override { return timeline_; }
    Container container() override { return container_; }
    std::string title() override { return title_; }
    bool is_recording() override { return is_recording_; }
    std::string status_json() override { return status_; }
    std::string metrics() override { return "minuteswarm_up 1\n"; }

    void
    read(ChunkNumber number, std::uint64_t offset, std::size_t length, ReadDone done) override {
        auto const chunk = chunks_.find(number);
        if (fails_ || chunk == chunks_.end() || offset + length > chunk->second.size()) {
            loop_.post([done] { done(boost::asio::error::not_found, nullptr); });
            return;
        }
        auto const part = ByteView{chunk->second}.subspan(offset, length);
        auto const bytes = std::make_shared<Bytes const>(part.begin(), part.end());
        loop_.post([done, bytes] { done({}, bytes); });
    }

    /// A record became known; none of its bytes are there.
    void announce(std::uint64_t number, Bytes bytes, bool is_discontinuity = false) {
        Timeline::Chunk chunk;
        chunk.number = ChunkNumber{number};
        chunk.media_time = duration_ * static_cast<int>(number - 1);
        chunk.duration = duration_;
        chunk.wall_time = WallTime{std::chrono::seconds{1'700'000'000}} + chunk.media_time;
        chunk.size = bytes.size();
        chunk.is_discontinuity = is_discontinuity;
        timeline_.add(chunk);
        chunks_[chunk.number] = std::move(bytes);
        if (!timeline_.has_start()) timeline_.start_at({chunk.number});
    }
    /// Groups of the live edge told of `bytes` at `offset` of a chunk, and they arrived.
    void arrive_live(std::uint64_t number, std::uint64_t offset, Bytes const& bytes) {
        auto& chunk = chunks_[ChunkNumber{number}];
        chunk.resize(std::max<std::size_t>(chunk.size(), offset + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), chunk.begin() + static_cast<std::ptrdiff_t>(offset));
        timeline_.set_edge(true);
        timeline_.mark(
            {{{number}, offset}, duration_ * static_cast<int>(number - 1), {}, true, false}
        );
        auto& present = live_[ChunkNumber{number}];
        present.add(offset, offset + bytes.size());
        timeline_.set_available(ChunkNumber{number}, present);
        if (!timeline_.has_start()) timeline_.start_at({ChunkNumber{number}, offset});
        timeline_.advance(now_);
    }
    /// The first `bytes` of it arrived.
    void arrive(std::uint64_t number, std::uint64_t bytes) {
        ByteRanges present;
        present.add(0, bytes);
        timeline_.set_available(ChunkNumber{number}, present);
        timeline_.advance(now_);
    }
    void add(std::uint64_t number, Bytes const& bytes) {
        announce(number, bytes);
        arrive(number, bytes.size());
    }
    void end(std::uint64_t last) {
        timeline_.end(ChunkNumber{last});
        timeline_.advance(now_);
    }
    void pass(std::chrono::seconds time) {
        now_ += time;
        timeline_.advance(now_);
    }
    void forget_before(std::uint64_t number) {
        timeline_.forget_before(ChunkNumber{number});
        chunks_.erase(chunks_.begin(), chunks_.lower_bound(ChunkNumber{number}));
    }

    void set_container(Container container) { container_ = container; }
    void set_title(std::string title) { title_ = std::move(title); }
    void set_status(std::string json) { status_ = std::move(json); }
    void set_duration(MediaTime duration) { duration_ = duration; }
    void set_recording() { is_recording_ = true; }
    void fail_reads() { fails_ = true; }

private:
    EventLoop& loop_;
    Timeline timeline_{{}};
    std::map<ChunkNumber, Bytes> chunks_;
    std::map<ChunkNumber, ByteRanges> live_;
    MonotonicTime now_{std::chrono::hours{1}};
    MediaTime duration_ = std::chrono::seconds{4};
    Container container_ = Container::mpeg_ts;
    std::string title_ = "A test";
    std::string status_ = R"({"state":"live"})";
    bool fails_ = false;
    bool is_recording_ = false;
};

} // namespace minuteswarm
