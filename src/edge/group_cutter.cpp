#include "edge/group_cutter.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace minuteswarm {
namespace {

constexpr MediaTime longest_wait = std::chrono::seconds{1};
constexpr int tolerance = 8; // of a span, a part of that

} // namespace

GroupCutter::GroupCutter(Options options)
    : options_(options)
    , span_(std::chrono::milliseconds{options.parameters.span_ms})
    , longest_(std::max(span_, longest_wait))
    , enough_(options.parameters.stripes * limits::edge_block_least)
    , most_(group_limit(options.parameters.stripes)) {}

std::vector<Group> GroupCutter::feed(MuxedBytes const& bytes, MonotonicTime now) {
    std::vector<Group> groups;
    if (bytes.bytes.empty()) return groups;
    if (pending_) {
        newest_ = std::max(newest_, bytes.media_time);
        if (!continues(bytes) || is_due(now)) take(groups);
    }
    note_entry(bytes);
    for (std::size_t done = 0; done < bytes.bytes.size();) {
        if (!pending_) begin(bytes, done, now);
        auto& held = pending_->bytes;
        auto const part = std::min(bytes.bytes.size() - done, most_ - held.size());
        append(held, bytes.bytes.subspan(done, part));
        done += part;
        if (held.size() == most_ || is_due(now)) take(groups);
    }
    return groups;
}

std::optional<Group> GroupCutter::close_chunk() {
    if (!pending_) return std::nullopt;
    pending_->header.flags |= GroupHeader::last_flag;
    std::vector<Group> groups;
    take(groups);
    return std::move(groups.front());
}

std::optional<Group> GroupCutter::on_time(MonotonicTime now) {
    if (!pending_ || !is_due(now)) return std::nullopt;
    std::vector<Group> groups;
    take(groups);
    return std::move(groups.front());
}

std::optional<MonotonicTime> GroupCutter::due() const {
    if (!pending_) return std::nullopt;
    return begun_ + allowed_span();
}

bool GroupCutter::continues(MuxedBytes const& bytes) const {
    auto const& header = pending_->header;
    return bytes.chunk == header.chunk && bytes.offset == header.offset + pending_->bytes.size() &&
           !bytes.is_random_access_point && !bytes.is_discontinuity;
}

void GroupCutter::note_entry(MuxedBytes const& bytes) {
    if (bytes.is_discontinuity) last_entry_ = interval_ = std::nullopt;
    if (!bytes.is_random_access_point) return;
    if (last_entry_) interval_ = bytes.media_time - *last_entry_;
    last_entry_ = bytes.media_time;
}

MediaTime GroupCutter::allowed_span() const {
    if (pending_->bytes.size() < enough_) return longest_;
    auto const begin = pending_->header.media_time - last_entry_.value_or(MediaTime{});
    if (!interval_ || begin < MediaTime{} || begin >= *interval_) return span_;
    auto const longer = span_ + span_ / tolerance;
    auto const count = (*interval_ + longer - MediaTime{1}) / longer;
    auto const each = *interval_ / count;
    auto const place = (begin + each / 2) / each + 1; // among the interval's groups, from 1
    // The last one ends with the random access point, which may be a little late.
    auto const left = place * each - begin + (place >= count ? span_ / tolerance : MediaTime{});
    return std::min(left, longer + span_ / tolerance);
}

bool GroupCutter::is_due(MonotonicTime now) const {
    auto const span = allowed_span();
    return now - begun_ >= span || newest_ - pending_->header.media_time >= span;
}

void GroupCutter::begin(MuxedBytes const& bytes, std::size_t skip, MonotonicTime now) {
    auto const& parameters = options_.parameters;
    GroupHeader header;
    header.event = options_.event;
    header.rendition = options_.rendition;
    header.run = parameters.run;
    header.group = next_;
    header.chunk = bytes.chunk;
    header.offset = bytes.offset + skip;
    header.stripes = parameters.stripes;
    header.parity = parameters.parity;
    header.media_time = bytes.media_time;
    header.wall_time = bytes.wall_time;
    if (skip == 0 && bytes.is_random_access_point) header.flags |= GroupHeader::random_access_flag;
    if (skip == 0 && bytes.is_discontinuity) header.flags |= GroupHeader::discontinuity_flag;
    ++next_;
    begun_ = now;
    newest_ = bytes.media_time;
    pending_ = Group{header, {}};
}

void GroupCutter::take(std::vector<Group>& groups) {
    pending_->header.length = static_cast<std::uint32_t>(pending_->bytes.size());
    groups.push_back(std::move(*pending_));
    pending_.reset();
}

} // namespace minuteswarm
