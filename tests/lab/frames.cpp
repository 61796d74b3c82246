#include "frames.hpp"

#include "playout/ts_packet.hpp"

#include <algorithm>
#include <array>

namespace minuteswarm::lab {
namespace {

constexpr std::uint64_t hash_start = 0xcbf29ce484222325; // FNV-1a

std::uint64_t hash_on(std::uint64_t hash, Bytes bytes) {
    for (auto const byte : bytes)
        hash = (hash ^ byte) * 0x100000001b3;
    return hash;
}

unsigned pid_at(Bytes bytes, std::size_t at) {
    return (bytes[at] & 0x1fu) << 8 | bytes[at + 1];
}

struct Mp3Header {
    std::size_t size;
    double duration;
};

/// ISO 11172-3 and 13818-3, layer III alone.
std::optional<Mp3Header> mp3_header(Bytes bytes) {
    static constexpr std::array rates_1{
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
    static constexpr std::array rates_2{
        0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
    static constexpr std::array frequencies{44100, 48000, 32000};
    if (bytes.size() < 4 || bytes[0] != 0xff || (bytes[1] & 0xe6) != 0xe2) return {};
    auto const version = bytes[1] >> 3 & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
    std::size_t const rate = bytes[2] >> 4;
    std::size_t const frequency = bytes[2] >> 2 & 3;
    if (version == 1 || rate == 0 || rate == 15 || frequency == 3) return {};
    auto const hertz = frequencies.at(frequency) / (version == 3 ? 1 : version == 2 ? 2 : 4);
    auto const samples = version == 3 ? 1152 : 576;
    auto const bits = (version == 3 ? rates_1 : rates_2).at(rate) * 1000;
    auto const size = samples / 8 * bits / hertz + (bytes[2] >> 1 & 1);
    return Mp3Header{static_cast<std::size_t>(size), double(samples) / hertz};
}

} // namespace

void Mp3Frames::add(Bytes bytes, Clock::time_point now, std::uint64_t end) {
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    std::size_t at = 0;
    while (kept_.size() - at >= 4) {
        auto const rest = Bytes{kept_}.subspan(at);
        auto const header = mp3_header(rest);
        if (!header) {
            is_in_step_ = false;
            ++at;
            continue;
        }
        // Where no frame ended before, the next one has to follow.
        if (rest.size() < header->size + (is_in_step_ ? 0 : 4)) break;
        if (!is_in_step_ && !mp3_header(rest.subspan(header->size))) {
            ++at;
            continue;
        }
        is_in_step_ = true;
        at += header->size;
        found_(
            {now,
             media_time_,
             hash_on(hash_start, rest.first(header->size)),
             end - (kept_.size() - at)}
        );
        media_time_ += header->duration;
    }
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Frames::add(Bytes bytes, Clock::time_point now) {
    if (bytes.empty()) return;
    if (!is_transport_stream_) is_transport_stream_ = bytes[0] == ts_sync_byte;
    if (!*is_transport_stream_) {
        seen_ += bytes.size();
        audio_.add(bytes, now, seen_);
        return;
    }
    kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    std::size_t at = 0;
    while (kept_.size() - at >= ts_packet_size) {
        auto const size = kept_[at] == ts_sync_byte ? ts_packet_size : 1;
        seen_ += size;
        if (size == ts_packet_size) read_packet(Bytes{kept_}.subspan(at, size), now);
        at += size;
    }
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Frames::read_packet(Bytes packet, Clock::time_point now) {
    auto const pid = pid_at(packet, 1);
    auto const is_start = (packet[1] & 0x40) != 0;
    auto const control = packet[3] >> 4 & 3;
    std::size_t const begin = control == 3 ? 5u + packet[4] : 4u;
    if ((control & 1) == 0 || begin >= ts_packet_size) return;
    auto payload = packet.subspan(begin);
    if (is_start && (pid == 0 || pid == table_)) {
        payload = payload.subspan(std::min(payload.size(), 1u + std::size_t{payload[0]}));
        pid == 0 ? read_programmes(payload) : read_programme(payload);
    }
    if (pid != stream_) return;
    if (is_start) {
        if (is_video_) end_picture();
        if (payload.size() < 14 || payload[2] != 1) return;
        if (is_video_) begin_picture(payload);
        payload = payload.subspan(std::min(payload.size(), 9u + std::size_t{payload[8]}));
    }
    if (!is_video_) return audio_.add(payload, now, seen_);
    if (!picture_) return;
    picture_->hash = hash_on(picture_->hash, payload);
    picture_->complete = now;
    picture_->end = seen_;
}

void Frames::read_programmes(Bytes table) {
    if (table.size() >= 12) table_ = pid_at(table, 10);
}

void Frames::read_programme(Bytes table) {
    if (stream_ || table.size() < 16) return;
    auto const end = std::min<std::size_t>(table.size(), 3 + pid_at(table, 1)) - 4; // a CRC
    for (std::size_t at = 12 + (pid_at(table, 10) & 0xfff); at + 5 <= end;
         at += 5 + pid_at(table, at + 3)) {
        auto const kind = table[at];
        auto const is_video = kind == 0x1b || kind == 0x24;
        if (!is_video && kind != 0x03 && kind != 0x04) continue;
        if (stream_ && !is_video) continue;
        stream_ = pid_at(table, at + 1);
        is_video_ = is_video;
        if (is_video) return;
    }
}

void Frames::begin_picture(Bytes payload) {
    picture_ = Frame{{}, 0, hash_start, 0};
    if ((payload[7] & 0x80) == 0) return;
    auto const ticks = read_ts_timestamp(&payload[9]);
    picture_->media_time = static_cast<double>(ticks) / 90000;
}

void Frames::end_picture() {
    if (picture_) found_(*picture_);
    picture_.reset();
}

} // namespace minuteswarm::lab
