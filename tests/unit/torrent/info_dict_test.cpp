#include "base/limits.hpp"
#include "torrent/info_dict.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>
#include <libtorrent/create_torrent.hpp>
#include <libtorrent/file_storage.hpp>
#include <libtorrent/magnet_uri.hpp>
#include <libtorrent/torrent_info.hpp>

#include <iterator>
#include <random>

using namespace minuteswarm;

namespace {

Bytes random_bytes(std::size_t size) {
    std::mt19937 random{static_cast<std::uint32_t>(size)};
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    return bytes;
}

Record record_of(Bytes const& bytes) {
    auto record = vectors::record();
    auto hashes = hash_chunk(bytes);
    record.size = bytes.size();
    record.pieces = std::move(hashes.pieces);
    record.sha256 = hashes.sha256;
    return record;
}

lt::torrent_info parse(Bytes const& torrent_file) {
    auto const text = as_text(torrent_file);
    return lt::torrent_info{
        lt::span<char const>{text.data(), static_cast<std::ptrdiff_t>(text.size())}, lt::from_span};
}

InfoHash info_hash(lt::torrent_info const& torrent) {
    auto const hash = torrent.info_hashes().v1;
    return *InfoHash::from(as_bytes({hash.data(), InfoHash::size}));
}

/// The same file as libtorrent's own torrent maker sees it.
Bytes made_by_libtorrent(std::string const& name, Bytes const& bytes) {
    lt::file_storage files;
    files.add_file(name, static_cast<std::int64_t>(bytes.size()));
    auto const length = static_cast<int>(piece_length(bytes.size()));
    lt::create_torrent torrent{files, length, lt::create_torrent::v1_only};
    for (int piece = 0; piece < torrent.num_pieces(); ++piece) {
        auto const offset = static_cast<std::ptrdiff_t>(piece) * length;
        auto const size = torrent.piece_size(lt::piece_index_t{piece});
        auto const text = as_text(bytes).substr(static_cast<std::size_t>(offset));
        lt::hasher hasher{lt::span<char const>{text.data(), size}};
        torrent.set_hash(lt::piece_index_t{piece}, hasher.final());
    }
    Bytes encoded;
    auto const generated = torrent.generate();
    lt::bencode(std::back_inserter(encoded), generated.dict().at("info"));
    return encoded;
}

} // namespace

TEST_CASE("A chunk's info dictionary equals libtorrent's own for any size") {
    std::vector<std::size_t> const sizes{
        1,
        2,
        16383,
        16384,
        16385,
        64 * 16384 - 1,
        64 * 16384,
        64 * 16384 + 1,
        128 * 16384,
        3'000'000,
        5'000'001};
    for (auto const size : sizes) {
        CAPTURE(size);
        auto const bytes = random_bytes(size);
        auto const record = record_of(bytes);
        auto const channel = vectors::key().channel();
        auto const info = make_info_dict(channel, record);
        CHECK(record.pieces.size() == piece_count(size));
        CHECK(info.bytes == made_by_libtorrent(chunk_name(channel, record), bytes));
    }
}

TEST_CASE("A chunk's .torrent file is what a BitTorrent client expects") {
    auto const channel = vectors::key().channel();
    auto const record = record_of(random_bytes(100'000));
    auto const info = make_info_dict(channel, record);
    auto const torrent = parse(make_torrent_file(
        info, {"http://a.example/announce", "udp://b.example:1"}, {"http://seed.example/chunks/"}
    ));
    CHECK(info_hash(torrent) == info.hash);
    CHECK_FALSE(torrent.v2());
    CHECK(torrent.name() == chunk_name(channel, record));
    CHECK(torrent.num_files() == 1);
    CHECK(torrent.total_size() == 100'000);
    CHECK(torrent.piece_length() == 16384);
    REQUIRE(torrent.trackers().size() == 2);
    CHECK(torrent.trackers()[0].url == "http://a.example/announce");
    CHECK(torrent.trackers()[1].tier == 1);
    REQUIRE(torrent.web_seeds().size() == 1);
    CHECK(torrent.web_seeds()[0].url == "http://seed.example/chunks/");
}

TEST_CASE("A .torrent file without trackers and web seeds parses") {
    auto const record = record_of(random_bytes(1));
    auto const info = make_info_dict(vectors::key().channel(), record);
    auto const torrent = parse(make_torrent_file(info, {}, {}));
    CHECK(info_hash(torrent) == info.hash);
    CHECK(torrent.trackers().empty());
    CHECK(torrent.web_seeds().empty());
}

TEST_CASE("Hashes, name and info-hash of the vectors' chunk are the vectors'") {
    auto const record = vectors::record();
    auto const channel = vectors::key().channel();
    auto const hashes = hash_chunk(vectors::chunk());
    CHECK(hashes.pieces == record.pieces);
    CHECK(hashes.sha256 == record.sha256);
    CHECK(chunk_name(channel, record) == vectors::chunk_name);
    CHECK(make_info_dict(channel, record).hash.hex() == vectors::chunk_info_hash);
}

TEST_CASE("The channel swarm's info-hash is the vectors'") {
    CHECK(channel_info_hash(vectors::key().channel()).hex() == vectors::channel_swarm);
}

TEST_CASE("Nothing has no pieces") {
    CHECK(hash_chunk({}).pieces.empty());
}

TEST_CASE("SHA-1 of FIPS 180's example") {
    CHECK(sha1(as_bytes("abc")).hex() == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(sha1({}).hex() == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST_CASE("A magnet carries hash, name and trackers to any client") {
    InfoHash hash;
    hash.bytes.fill(0xab);
    auto const magnet = make_magnet(hash, "a & b", {"http://t.example/x?y=1&z=2"});
    auto const parsed = lt::parse_magnet_uri(magnet);
    CHECK(*InfoHash::from(as_bytes({parsed.info_hashes.v1.data(), InfoHash::size})) == hash);
    CHECK(parsed.name == "a & b");
    REQUIRE(parsed.trackers.size() == 1);
    CHECK(parsed.trackers[0] == "http://t.example/x?y=1&z=2");
    CHECK(make_magnet(hash, "", {}) == "magnet:?xt=urn:btih:" + hash.hex());
}
