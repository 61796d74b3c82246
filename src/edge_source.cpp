#include "edge_source.hpp"

#include <utility>

namespace minuteswarm {

void EdgeSource::open_chunk(ChunkNumber chunk, bool is_discontinuity) {
    chunk_ = chunk;
    offset_ = {};
    is_discontinuity_ = is_discontinuity;
}

void EdgeSource::add(MuxedSpan span) {
    auto const size = span.bytes.size();
    waiting_.push_back({std::move(span), chunk_, offset_, std::exchange(is_discontinuity_, false)});
    offset_ = offset_ + size;
}

void EdgeSource::on_stored(std::size_t bytes) {
    stored_ += bytes;
    auto const now = MonotonicClock::now();
    while (!waiting_.empty() && waiting_.front().span.bytes.size() <= stored_) {
        auto const next = std::move(waiting_.front());
        waiting_.pop_front();
        stored_ -= next.span.bytes.size();
        MuxedBytes const muxed{
            next.span.bytes,
            next.chunk,
            next.offset,
            next.span.media_time,
            next.span.wall_time,
            next.span.is_random_access_point,
            next.is_discontinuity};
        for (auto const& group : cutter_.feed(muxed, now))
            on_group_(group);
    }
    wait();
}

void EdgeSource::send(std::optional<Group> const& group) {
    if (group) on_group_(*group);
}

void EdgeSource::wait() {
    auto const due = cutter_.due();
    if (!due) return timer_.cancel();
    timer_.start_at(*due, [this] {
        send(cutter_.on_time(MonotonicClock::now()));
        wait();
    });
}

} // namespace minuteswarm
