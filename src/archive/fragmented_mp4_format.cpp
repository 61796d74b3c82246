#include "archive/media_meter.hpp"
#include "base/big_endian.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace minuteswarm {

namespace {

struct Box {
    std::string_view type;
    ByteView body;
    std::size_t size = 0; ///< 0: incomplete
};

/// The box at the front (ISO/IEC 14496-12, 4.2); nothing when that can't be one.
std::optional<Box> front_box(ByteView bytes) {
    BigEndianReader reader(bytes);
    auto const short_size = reader.take<std::uint32_t>();
    auto const type = reader.take_bytes(4);
    if (!short_size || !type) return Box{};
    std::uint64_t size = *short_size;
    if (size == 1) {
        auto const long_size = reader.take<std::uint64_t>();
        if (!long_size) return Box{};
        size = *long_size;
    }
    auto const head = bytes.size() - reader.rest().size();
    if (size < head) return std::nullopt;
    if (size > bytes.size()) return Box{as_text(*type), {}, 0};
    auto const whole = static_cast<std::size_t>(size);
    return Box{as_text(*type), bytes.subspan(head, whole - head), whole};
}

template <class Visit>
void for_each_box(ByteView bytes, std::string_view type, Visit visit) {
    while (!bytes.empty()) {
        auto const box = front_box(bytes);
        if (!box || box->size == 0) return;
        if (box->type == type) visit(box->body);
        bytes = bytes.subspan(box->size);
    }
}

/// Version and flags of a full box, then its fields.
struct Fields {
    BigEndianReader reader;
    std::uint32_t version = 0;
    std::uint32_t flags = 0;

    explicit Fields(ByteView body)
        : reader(body) {
        auto const word = u32();
        version = word >> 24;
        flags = word & 0xffffff;
    }
    std::uint32_t u32() { return reader.take<std::uint32_t>().value_or(0); }
    /// A time, whose width depends on the version.
    std::uint64_t time() { return version == 1 ? reader.take<std::uint64_t>().value_or(0) : u32(); }
    void skip_if(std::uint32_t flag, std::size_t bytes) {
        if ((flags & flag) != 0) static_cast<void>(reader.take_bytes(bytes));
    }
};

/// Fragmented MP4: a header, then fragments of a `moof` and an `mdat` box each.
class FragmentedMp4Format final : public MediaMeter::Format {
public:
    std::optional<std::size_t> take(ByteView bytes) override {
        auto const box = front_box(bytes);
        if (!box || (!box->type.empty() && !is_expected(box->type))) return std::nullopt;
        if (box->size == 0) return 0;
        if (box->type == "moov") enter_header(box->body);
        if (box->type != "moof") {
            has_start_ = true;
            return box->size;
        }
        // Half a fragment can't be played: both of its boxes, or none.
        auto const media = front_box(bytes.subspan(box->size));
        if (!media || (!media->type.empty() && media->type != "mdat")) return std::nullopt;
        if (media->size == 0) return 0;
        enter_fragment(box->body);
        return box->size + media->size;
    }

    [[nodiscard]] MediaTime duration() const override {
        auto begin = MediaTime::max();
        auto end = MediaTime::min();
        for (auto const& [id, track] : tracks_) {
            if (track.timescale == 0 || track.end <= track.begin) continue;
            begin = std::min(begin, to_time(track.begin, track.timescale));
            end = std::max(end, to_time(track.end, track.timescale));
        }
        return begin < end ? end - begin : MediaTime::zero();
    }

private:
    struct Track {
        std::uint32_t timescale = 0;
        std::uint32_t default_duration = 0;
        std::uint64_t begin = UINT64_MAX;
        std::uint64_t end = 0;
    };

    [[nodiscard]] bool is_expected(std::string_view type) const {
        constexpr std::array<std::string_view, 8> later{
            "moov", "moof", "styp", "sidx", "free", "emsg", "prft", "ftyp"};
        return has_start_ ? std::ranges::find(later, type) != later.end() : type == "ftyp";
    }

    static MediaTime to_time(std::uint64_t ticks, std::uint32_t timescale) {
        auto const seconds = std::min<std::uint64_t>(ticks / timescale, UINT32_MAX);
        auto const rest = ticks % timescale * 1'000'000 / timescale;
        return MediaTime{static_cast<std::int64_t>(seconds * 1'000'000 + rest)};
    }

    void enter_header(ByteView body) {
        for_each_box(body, "trak", [this](ByteView trak) { enter_track(trak); });
        for_each_box(body, "mvex", [this](ByteView extends) {
            for_each_box(extends, "trex", [this](ByteView trex) {
                Fields fields(trex);
                auto const id = fields.u32();
                fields.u32(); // sample description
                if (auto const track = tracks_.find(id); track != tracks_.end()) {
                    track->second.default_duration = fields.u32();
                }
            });
        });
    }

    void enter_track(ByteView trak) {
        std::uint32_t id = 0;
        std::uint32_t timescale = 0;
        for_each_box(trak, "tkhd", [&](ByteView body) {
            Fields fields(body);
            fields.time(); // created
            fields.time(); // changed
            id = fields.u32();
        });
        for_each_box(trak, "mdia", [&](ByteView media) {
            for_each_box(media, "mdhd", [&](ByteView body) {
                Fields fields(body);
                fields.time();
                fields.time();
                timescale = fields.u32();
            });
        });
        constexpr std::size_t most_tracks = 64;
        if (tracks_.size() < most_tracks) tracks_[id].timescale = timescale;
    }

    void enter_fragment(ByteView moof) {
        for_each_box(moof, "traf", [this](ByteView traf) { enter_track_fragment(traf); });
    }

    void enter_track_fragment(ByteView traf) {
        Track* track = nullptr;
        std::uint32_t default_duration = 0;
        for_each_box(traf, "tfhd", [&](ByteView body) {
            Fields fields(body);
            auto const found = tracks_.find(fields.u32());
            if (found == tracks_.end()) return;
            track = &found->second;
            fields.skip_if(0x1, 8); // base data offset
            fields.skip_if(0x2, 4); // sample description
            default_duration = (fields.flags & 0x8) != 0 ? fields.u32() : track->default_duration;
        });
        if (track == nullptr) return;
        std::uint64_t time = 0;
        for_each_box(traf, "tfdt", [&](ByteView body) { time = Fields(body).time(); });
        track->begin = std::min(track->begin, time);
        for_each_box(traf, "trun", [&](ByteView body) {
            time += run_length(body, default_duration);
        });
        track->end = std::max(track->end, time);
    }

    static std::uint64_t run_length(ByteView trun, std::uint32_t default_duration) {
        Fields fields(trun);
        auto const samples = fields.u32();
        fields.skip_if(0x1, 4); // data offset
        fields.skip_if(0x4, 4); // flags of the first sample
        if ((fields.flags & 0x100) == 0) return std::uint64_t{samples} * default_duration;
        std::uint64_t total = 0;
        for (std::uint32_t i = 0; i < samples && !fields.reader.is_empty(); ++i) {
            total += fields.u32();
            for (auto const field : {0x200U, 0x400U, 0x800U})
                fields.skip_if(field, 4);
        }
        return total;
    }

    bool has_start_ = false;
    std::map<std::uint32_t, Track> tracks_;
};

} // namespace

std::unique_ptr<MediaMeter::Format> make_fragmented_mp4_format() {
    return std::make_unique<FragmentedMp4Format>();
}

} // namespace minuteswarm
