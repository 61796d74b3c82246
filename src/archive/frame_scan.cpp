#include "archive/frame_scan.hpp"

#include "base/limits.hpp"
#include "base/signature.hpp"
#include "feed/statement_codec.hpp"

#include <algorithm>

namespace minuteswarm {

namespace {

constexpr std::size_t frame_head = 5; ///< kind u8 ‖ length u32
constexpr std::size_t longest_frame = frame_head + limits::statement_size;
constexpr std::size_t window_size = 64 * limits::KiB; ///< a few dozen records at a time

/// A sliding window over a file.
class Window {
public:
    Window(File const& file, std::uint64_t offset)
        : file_(file)
        , offset_(offset) {}

    /// Makes sure that a whole frame can be seen at the front, unless the file ends before.
    Completion fill() {
        if (is_at_end_ || bytes_.size() - front_ >= longest_frame) return std::monostate{};
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(front_));
        offset_ += front_;
        front_ = 0;
        auto const had = bytes_.size();
        bytes_.resize(window_size);
        auto const got = file_.read_at(offset_ + had, std::span(bytes_).subspan(had));
        if (!got) return got.error();
        bytes_.resize(had + *got);
        is_at_end_ = had + *got < window_size;
        return std::monostate{};
    }

    [[nodiscard]] ByteView view() const { return ByteView(bytes_).subspan(front_); }
    [[nodiscard]] std::uint64_t offset() const { return offset_ + front_; }
    void pass(std::size_t count) { front_ += count; }

private:
    File const& file_;
    std::uint64_t offset_; // of bytes_[0]
    Bytes bytes_;
    std::size_t front_ = 0;
    bool is_at_end_ = false;
};

/// Cheap test before a signature is checked at every offset of a damaged region.
bool may_be_statement(ByteView frame) {
    if (frame.size() <= frame_head + Signature::size) return false;
    auto const kind = frame[0];
    return kind >= static_cast<std::uint8_t>(StatementKind::descriptor) &&
           kind <= static_cast<std::uint8_t>(StatementKind::end) && frame[1] == 0 &&
           frame[2] == 0 && frame[frame_head + Signature::size] == 'd';
}

/// A frame at the window's front. `size` 0: it is incomplete or makes no sense.
struct Front {
    std::size_t size = 0;
    std::optional<Statement> statement; ///< nothing for kinds of a later version
};

Front front_frame(ByteView view) {
    if (view.size() < frame_head) return {};
    // One frame alone, so that frames of unknown kind are not passed over unseen.
    auto const length = std::size_t{view[3]} << 8 | view[4];
    auto const size = frame_head + length;
    // No statement is empty: a zeroed tail is an interrupted write, not a row of frames.
    if (view[1] != 0 || view[2] != 0 || length == 0 || view.size() < size) return {};
    auto frames = read_frames(view.first(size), 1);
    if (!frames || frames->consumed != size) return {};
    if (frames->statements.empty()) return {size, std::nullopt};
    return {size, std::move(frames->statements.front())};
}

} // namespace

Expected<FrameScan> scan_frames(
    File const& file,
    std::uint64_t from,
    std::function<bool(Statement const&, FramePlace const&)> const& take
) {
    FrameScan scan{from, 0, 0};
    Window window(file, from);
    bool is_lost = false; // inside a region where frames make no sense
    while (true) {
        if (auto filled = window.fill(); !filled) return filled.error();
        auto const view = window.view();
        if (view.empty()) break;
        auto front = is_lost && !may_be_statement(view) ? Front{} : front_frame(view);
        auto const place = FramePlace{window.offset(), front.size};
        auto const is_whole =
            front.statement ? take(*front.statement, place) : front.size > 0 && !is_lost;
        is_lost = !is_whole;
        if (is_whole) {
            scan.damaged += place.offset - scan.end;
            scan.end = place.offset + place.size;
        }
        window.pass(is_whole ? place.size : 1);
    }
    scan.torn = window.offset() - scan.end;
    return scan;
}

} // namespace minuteswarm
