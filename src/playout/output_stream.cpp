#include "playout/output_stream.hpp"

#include <utility>

namespace minuteswarm {

OutputStream::OutputStream(Container container, Cursor cursor)
    : cursor_(std::move(cursor)) {
    if (container == Container::mpeg_ts) joiner_.emplace();
}

void OutputStream::continue_with(Container container, Cursor cursor) {
    cursor_ = std::move(cursor);
    is_continued_ = true;
    if (container != Container::mpeg_ts) {
        joiner_.reset();
    } else if (!joiner_) {
        joiner_.emplace();
    }
}

std::optional<Slice> OutputStream::next(Timeline const& timeline, std::uint64_t max_bytes) {
    return cursor_.next(timeline, max_bytes);
}

Bytes OutputStream::feed(Slice const& slice, Bytes bytes) {
    auto const is_discontinuity = std::exchange(is_continued_, false) || slice.is_discontinuity;
    if (!joiner_) return bytes;
    return joiner_->join(bytes, is_discontinuity);
}

Bytes OutputStream::finish() {
    return joiner_ ? joiner_->finish() : Bytes{};
}

} // namespace minuteswarm
