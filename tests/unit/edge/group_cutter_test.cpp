#include "base/limits.hpp"
#include "edge/edge_parameters.hpp"
#include "edge/group_cutter.hpp"
#include "unit/edge/edge_builder.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;
using namespace std::chrono_literals;

namespace {

EdgeParameters with_run(EdgeParameters parameters) {
    parameters.run = edge_builder::run(1);
    return parameters;
}

/// A muxer that gives frames one after the other, and the cutter it feeds.
class Muxer {
public:
    explicit Muxer(EdgeParameters parameters = {250, 8, 1})
        : cutter_({{1'700'000'000'123}, {}, with_run(parameters)}) {}

    GroupCutter& cutter() { return cutter_; }
    [[nodiscard]] MonotonicTime now() const { return start_ + time_; }
    [[nodiscard]] std::vector<Group> const& groups() const { return groups_; }
    [[nodiscard]] Bytes const& bytes() const { return bytes_; }

    void next_is_random_access_point() { is_random_access_point_ = true; }
    void frame(std::size_t size, MediaTime duration = 40ms) {
        auto const bytes = edge_builder::random_bytes(size, random_);
        append(bytes_, bytes);
        keep(cutter_.feed(
            {bytes,
             chunk_,
             offset_,
             time_,
             WallTime{time_},
             is_random_access_point_,
             is_random_access_point_ && offset_ == ByteOffset{}},
            now()
        ));
        is_random_access_point_ = false;
        offset_ = offset_ + size;
        time_ += duration;
        if (auto group = cutter_.on_time(now())) groups_.push_back(std::move(*group));
    }
    void wait(MediaTime duration) { time_ += duration; }
    void close_chunk() {
        if (auto group = cutter_.close_chunk()) groups_.push_back(std::move(*group));
        ++chunk_;
        offset_ = {};
    }

private:
    void keep(std::vector<Group> groups) {
        for (auto& group : groups)
            groups_.push_back(std::move(group));
    }

    GroupCutter cutter_;
    std::mt19937_64 random_{5};
    MonotonicTime start_{1000s};
    MediaTime time_{};
    ChunkNumber chunk_{1};
    ByteOffset offset_;
    bool is_random_access_point_ = false;
    std::vector<Group> groups_;
    Bytes bytes_;
};

Bytes joined(std::vector<Group> const& groups) {
    Bytes bytes;
    for (auto const& group : groups)
        append(bytes, group.bytes);
    return bytes;
}

} // namespace

TEST_CASE("Groups join to the bytes that were fed, each where it belongs") {
    Muxer muxer;
    for (int chunk = 0; chunk < 3; ++chunk) {
        muxer.next_is_random_access_point();
        for (int i = 0; i < 50; ++i)
            muxer.frame(3000 + static_cast<std::size_t>(i));
        muxer.close_chunk();
    }
    auto const& groups = muxer.groups();
    CHECK(joined(groups) == muxer.bytes());
    ByteOffset offset;
    ChunkNumber chunk{1};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        auto const& header = groups[i].header;
        if (header.chunk != chunk) offset = {};
        chunk = header.chunk;
        CHECK(header.offset == offset);
        CHECK(header.length == groups[i].bytes.size());
        CHECK(header.group == GroupNumber{i});
        CHECK(header.is_random_access_point() == (offset == ByteOffset{}));
        CHECK_FALSE(fault_of(header));
        offset = offset + header.length;
    }
    CHECK(chunk == ChunkNumber{3});
}

TEST_CASE("A group ends after its span") {
    Muxer muxer;
    for (int i = 0; i < 50; ++i)
        muxer.frame(4000);
    // 2 s in groups of seven frames: the eighth begins after 280 ms.
    REQUIRE(muxer.groups().size() == 7);
    CHECK(muxer.groups()[1].header.media_time == 280ms);
    CHECK(muxer.groups()[0].bytes.size() == 28'000);
}

TEST_CASE("Even intervals between random access points are cut into as few even groups") {
    struct Case {
        int frames;
        std::size_t groups;
        std::size_t longest; // frames
    };
    // 1.68 s in six groups, 2 s in eight, 0.4 s in two, 0.24 s in one.
    auto const shape = GENERATE(Case{42, 6, 7}, Case{50, 8, 7}, Case{10, 2, 5}, Case{6, 1, 6});
    CAPTURE(shape.frames);
    Muxer muxer;
    auto const interval = [&] {
        muxer.next_is_random_access_point();
        for (int i = 0; i < shape.frames; ++i)
            muxer.frame(4000);
    };
    interval();
    interval();
    interval();
    auto const before = muxer.groups().size();
    interval();
    interval();
    CHECK(muxer.groups().size() - before == 2 * shape.groups);
    for (auto i = before + 1; i < muxer.groups().size(); ++i) {
        CHECK(muxer.groups()[i].bytes.size() <= shape.longest * 4000);
        CHECK(muxer.groups()[i].bytes.size() >= (shape.longest - 1) * 4000);
    }
}

TEST_CASE("A group does not wait for a random access point that does not come") {
    Muxer muxer;
    for (int entry = 0; entry < 3; ++entry) {
        muxer.next_is_random_access_point();
        for (int i = 0; i < 50; ++i)
            muxer.frame(4000);
    }
    auto const before = muxer.groups().size();
    muxer.frame(4000);
    CHECK(muxer.groups().size() == before + 1);
    CHECK(muxer.groups().back().bytes.size() <= 7 * 4000);
}

TEST_CASE("A group that begins out of step is at most a quarter longer") {
    Muxer muxer;
    for (int entry = 0; entry < 3; ++entry) {
        muxer.next_is_random_access_point();
        for (int i = 0; i < 25; ++i)
            muxer.frame(4000);
    }
    muxer.next_is_random_access_point();
    for (int i = 0; i < 3; ++i)
        muxer.frame(4000);
    muxer.close_chunk(); // 120 ms into the interval
    auto const before = muxer.groups().size();
    for (int i = 3; i < 25; ++i)
        muxer.frame(4000);
    REQUIRE(muxer.groups().size() > before);
    for (auto i = before; i < muxer.groups().size(); ++i)
        CHECK(muxer.groups()[i].bytes.size() <= 8 * 4000); // what 313 ms are, in frames
}

TEST_CASE("Media that comes faster than real time is cut by its own clock") {
    GroupCutter cutter{{{1}, {}, with_run({250, 8, 1})}};
    Bytes const frame(4000);
    std::size_t groups = 0;
    for (std::size_t i = 0; i < 50; ++i) {
        groups += cutter.feed({frame, {1}, {i * 4000}, i * 40ms}, MonotonicTime{1s}).size();
    }
    CHECK(groups == 7);
}

TEST_CASE("Bytes do not wait for more that does not come") {
    Muxer muxer;
    muxer.frame(10'000, 0ms);
    REQUIRE(muxer.cutter().due());
    CHECK(*muxer.cutter().due() == muxer.now() + 250ms);
    CHECK_FALSE(muxer.cutter().on_time(muxer.now() + 249ms));
    CHECK(muxer.cutter().on_time(muxer.now() + 250ms));
    CHECK_FALSE(muxer.cutter().due());
}

TEST_CASE("A group of small blocks waits for more, up to a second") {
    SECTION("until its blocks are large enough") {
        Muxer muxer;
        for (int i = 0; i < 9; ++i)
            muxer.frame(1000);
        CHECK(muxer.groups().size() == 1);
        CHECK(muxer.groups()[0].bytes.size() == 9000);
    }
    SECTION("and no longer") {
        Muxer muxer;
        muxer.frame(100, 0ms);
        CHECK(*muxer.cutter().due() == muxer.now() + 1s);
        muxer.wait(999ms);
        CHECK_FALSE(muxer.cutter().on_time(muxer.now()));
        muxer.wait(1ms);
        auto const group = muxer.cutter().on_time(muxer.now());
        REQUIRE(group);
        CHECK(group->bytes.size() == 100);
    }
}

TEST_CASE("A random access point starts a group") {
    Muxer muxer;
    muxer.frame(3000);
    muxer.frame(3000);
    muxer.next_is_random_access_point();
    muxer.frame(5000);
    REQUIRE(muxer.groups().size() == 1);
    CHECK(muxer.groups()[0].bytes.size() == 6000);
    muxer.close_chunk();
    REQUIRE(muxer.groups().size() == 2);
    CHECK(muxer.groups()[1].header.is_random_access_point());
    CHECK_FALSE(muxer.groups()[0].header.is_random_access_point());
}

TEST_CASE("A group ends with its chunk, and says so") {
    Muxer muxer;
    muxer.frame(3000);
    muxer.close_chunk();
    REQUIRE(muxer.groups().size() == 1);
    CHECK(muxer.groups()[0].header.is_last());
    CHECK_FALSE(muxer.cutter().due());
    muxer.frame(3000);
    muxer.close_chunk();
    CHECK(muxer.groups()[1].header.chunk == ChunkNumber{2});
    CHECK(muxer.groups()[1].header.offset == ByteOffset{0});
}

TEST_CASE("Bytes of another chunk end a group that nobody closed") {
    GroupCutter cutter{{{1}, {}, with_run({250, 8, 1})}};
    Bytes const frame(4000);
    CHECK(cutter.feed({frame, {1}, {0}}, {}).empty());
    auto const groups = cutter.feed({frame, {2}, {4000}}, {});
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].header.chunk == ChunkNumber{1});
    CHECK(groups[0].bytes.size() == 4000);
}

TEST_CASE("No group is empty") {
    Muxer muxer;
    muxer.close_chunk();
    muxer.frame(0);
    muxer.close_chunk();
    muxer.wait(10s);
    CHECK_FALSE(muxer.cutter().on_time(muxer.now()));
    CHECK(muxer.groups().empty());
}

TEST_CASE("A burst is cut at the most that a group may have") {
    SECTION("of eight stripes") {
        Muxer muxer;
        muxer.next_is_random_access_point();
        muxer.frame(limits::edge_group * 2 + 5, 0ms);
        REQUIRE(muxer.groups().size() == 2);
        CHECK(muxer.groups()[0].bytes.size() == limits::edge_group);
        CHECK(muxer.groups()[0].header.is_random_access_point());
        CHECK_FALSE(muxer.groups()[1].header.is_random_access_point());
        CHECK(muxer.groups()[1].header.offset == ByteOffset{limits::edge_group});
        muxer.close_chunk();
        CHECK(joined(muxer.groups()) == muxer.bytes());
    }
    SECTION("of two stripes, whose payloads must fit messages, too") {
        Muxer muxer{{500, 2, 0}};
        muxer.frame(limits::edge_group, 0ms);
        CHECK(muxer.groups().size() == 4);
        CHECK(muxer.groups()[0].bytes.size() == 2 * limits::edge_payload);
    }
}
