#include "archive/media_meter.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace minuteswarm {

namespace {

// No packet, frame or fragment of a second or less is larger.
constexpr std::size_t longest_unit = 64 * limits::MiB;

std::unique_ptr<MediaMeter::Format> make_format(Container container) {
    switch (container) {
    case Container::mpeg_ts:
        return make_transport_stream_format();
    case Container::mp3:
        return make_mp3_format();
    case Container::adts:
        return make_adts_format();
    case Container::fmp4:
        return make_fragmented_mp4_format();
    }
    return nullptr;
}

} // namespace

MediaMeter::MediaMeter(Container container)
    : format_(make_format(container))
    , is_over_(format_ == nullptr) {}

MediaMeter::~MediaMeter() = default;

void MediaMeter::add(ByteView bytes) {
    if (is_over_) return;
    append(pending_, bytes);
    ByteView rest = pending_;
    while (!rest.empty()) {
        auto const taken = format_->take(rest);
        is_over_ = !taken;
        if (!taken || *taken == 0) break;
        size_ += *taken;
        rest = rest.subspan(*taken);
    }
    is_over_ = is_over_ || rest.size() > longest_unit;
    pending_ = is_over_ ? Bytes{} : Bytes(rest.begin(), rest.end());
}

std::optional<UsableMedia> MediaMeter::result() const {
    if (format_ == nullptr || size_ == 0) return std::nullopt;
    auto const duration = format_->duration();
    if (duration <= MediaTime::zero() || duration > limits::chunk_duration) return std::nullopt;
    return UsableMedia{size_, duration};
}

} // namespace minuteswarm
