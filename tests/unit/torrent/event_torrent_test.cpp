#include "base/limits.hpp"
#include "torrent/event_torrent.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/torrent_info.hpp>

using namespace minuteswarm;

namespace {

using File = EventTorrentBuilder::File;

constexpr EventId event{1'700'000'000'123};

Bytes pattern(std::uint64_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(i * 31 >> 3);
    return bytes;
}

EventTorrentBuilder builder_of(std::vector<File> files) {
    return {vectors::key().channel(), event, std::move(files)};
}

lt::torrent_info parse(InfoDict const& info) {
    auto const torrent = make_torrent_file(info, {}, {});
    auto const text = as_text(torrent);
    return lt::torrent_info{
        lt::span<char const>{text.data(), static_cast<std::ptrdiff_t>(text.size())}, lt::from_span};
}

Sha1 piece_hash(lt::torrent_info const& torrent, int piece) {
    auto const hash = torrent.hash_for_piece(lt::piece_index_t{piece});
    return *Sha1::from(as_bytes({hash.data(), Sha1::size}));
}

} // namespace

TEST_CASE("An event torrent lists the archive folder's chunks in order") {
    auto builder = builder_of({{"b.ts", 20'000}, {"a.ts", 5}, {"c.ts", 30'000}});
    auto const bytes = pattern(50'005);
    builder.add(bytes);
    auto const info = builder.finish();
    REQUIRE(info);
    auto const torrent = parse(*info);
    auto const hash = torrent.info_hashes().v1;
    CHECK(*InfoHash::from(as_bytes({hash.data(), InfoHash::size})) == info->hash);
    auto const folder = event_folder_name(vectors::key().channel(), event);
    CHECK(folder == "03a107bff3ce10be-1700000000123");
    CHECK(torrent.name() == folder);
    auto const& files = torrent.files();
    REQUIRE(files.num_files() == 3);
    CHECK(files.file_path(lt::file_index_t{0}) == folder + "/chunks/b.ts");
    CHECK(files.file_path(lt::file_index_t{1}) == folder + "/chunks/a.ts");
    CHECK(files.file_size(lt::file_index_t{2}) == 30'000);
}

TEST_CASE("An event torrent's pieces span files, whatever portions bytes come in") {
    auto const bytes = pattern(50'005);
    for (std::size_t const portion : {1UL, 7UL, 16'384UL, 40'000UL, 50'005UL}) {
        CAPTURE(portion);
        auto builder = builder_of({{"b.ts", 20'000}, {"a.ts", 5}, {"c.ts", 30'000}});
        for (ByteView left{bytes}; !left.empty();) {
            auto const part = left.first(std::min(portion, left.size()));
            builder.add(part);
            left = left.subspan(part.size());
        }
        auto const info = builder.finish();
        REQUIRE(info);
        auto const torrent = parse(*info);
        REQUIRE(torrent.num_pieces() == 4);
        for (int piece = 0; piece < 4; ++piece) {
            auto const offset = static_cast<std::size_t>(piece) * 16'384;
            auto const size = std::min<std::size_t>(16'384, bytes.size() - offset);
            CHECK(piece_hash(torrent, piece) == sha1(ByteView{bytes}.subspan(offset, size)));
        }
    }
}

TEST_CASE("An event torrent whose last piece is full has no empty one behind it") {
    auto builder = builder_of({{"a.ts", 16'384}, {"b.ts", 16'384}});
    builder.add(pattern(32'768));
    auto const info = builder.finish();
    REQUIRE(info);
    CHECK(parse(*info).num_pieces() == 2);
}

TEST_CASE("An event torrent's piece length grows with the event") {
    auto const length = [](std::uint64_t size) {
        return builder_of({{"a.ts", size}}).piece_length();
    };
    CHECK(length(1) == 16'384);
    CHECK(length(2048ULL * 16'384) == 16'384);
    CHECK(length(2048ULL * 16'384 + 1) == 32'768);
    CHECK(length(2048ULL * 16 * limits::MiB) == 16 * limits::MiB);
    CHECK(length(1ULL << 50) == 16 * limits::MiB);
}

TEST_CASE("An event torrent needs exactly its files' bytes") {
    auto const finished = [](std::vector<File> files, std::size_t size) {
        auto builder = builder_of(std::move(files));
        builder.add(pattern(size));
        return builder.finish().has_value();
    };
    CHECK(finished({{"a.ts", 10}}, 10));
    CHECK_FALSE(finished({{"a.ts", 10}}, 9));
    CHECK_FALSE(finished({{"a.ts", 10}}, 11));
    CHECK_FALSE(finished({}, 0));
    CHECK_FALSE(finished({{"a.ts", 0}}, 0));
    CHECK_FALSE(finished({{"a.ts", 10}, {"b.ts", 0}}, 10));
    CHECK_FALSE(finished({{"", 10}}, 10));
}
