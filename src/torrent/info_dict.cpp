#include "torrent/info_dict.hpp"

#include "base/percent.hpp"
#include "base/signature.hpp"
#include "base/text.hpp"
#include "torrent/sha256_stream.hpp"

#include <libtorrent/bencode.hpp>
#include <libtorrent/entry.hpp>
#include <libtorrent/hasher.hpp>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace minuteswarm {
namespace {

lt::entry list_of(std::vector<std::string> const& texts) {
    lt::entry list{lt::entry::list_t};
    for (auto const& text : texts)
        list.list().emplace_back(text);
    return list;
}

lt::entry tiers_of(std::vector<std::string> const& trackers) {
    lt::entry tiers{lt::entry::list_t};
    for (auto const& tracker : trackers)
        tiers.list().push_back(list_of({tracker}));
    return tiers;
}

} // namespace

std::string chunk_name(ChannelId const& channel, Record const& record) {
    return concat(
        short_hex(channel),
        '-',
        record.event.value,
        '-',
        record.rendition.value,
        '-',
        record.number.value,
        '.',
        extension(record.container)
    );
}

InfoDict make_info_dict(ChannelId const& channel, Record const& record) {
    assert(record.size > 0 && record.pieces.size() == piece_count(record.size));
    lt::entry dictionary{lt::entry::dictionary_t};
    dictionary["length"] = lt::entry{static_cast<std::int64_t>(record.size)};
    dictionary["name"] = lt::entry{chunk_name(channel, record)};
    dictionary["piece length"] = lt::entry{std::int64_t{piece_length(record.size)}};
    dictionary["pieces"] = lt::entry{join_hashes(record.pieces.all())};
    return encode_info_dict(dictionary);
}

std::string join_hashes(std::span<Sha1 const> hashes) {
    std::string joined;
    joined.reserve(hashes.size() * Sha1::size);
    for (auto const& hash : hashes)
        joined += as_text(hash.view());
    return joined;
}

InfoDict encode_info_dict(lt::entry const& dictionary) {
    InfoDict info;
    lt::bencode(std::back_inserter(info.bytes), dictionary);
    info.hash.bytes = sha1(info.bytes).bytes;
    return info;
}

Bytes make_torrent_file(
    InfoDict const& info,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
) {
    lt::entry torrent{lt::entry::dictionary_t};
    if (!trackers.empty()) {
        torrent["announce"] = lt::entry{trackers.front()};
        torrent["announce-list"] = tiers_of(trackers);
    }
    if (!web_seeds.empty()) torrent["url-list"] = list_of(web_seeds);
    auto const text = as_text(info.bytes);
    torrent["info"] = lt::entry::preformatted_type{text.begin(), text.end()};
    Bytes bytes;
    lt::bencode(std::back_inserter(bytes), torrent);
    return bytes;
}

ChunkHashes hash_chunk(ByteView bytes) {
    ChunkHashes hashes;
    Sha256Stream whole;
    whole.add(bytes);
    hashes.sha256 = whole.finish();
    auto const length = piece_length(bytes.size());
    while (!bytes.empty()) {
        auto const piece = bytes.first(std::min<std::size_t>(length, bytes.size()));
        hashes.pieces.push_back(sha1(piece));
        bytes = bytes.subspan(piece.size());
    }
    return hashes;
}

Sha1 sha1(ByteView bytes) {
    lt::hasher hasher;
    auto const text = as_text(bytes);
    if (!text.empty()) hasher.update({text.data(), static_cast<std::ptrdiff_t>(text.size())});
    auto const digest = hasher.final();
    return *Sha1::from(as_bytes({digest.data(), Sha1::size}));
}

InfoHash channel_info_hash(ChannelId const& channel) {
    auto text = to_bytes("minuteswarm:channel:1:");
    append(text, channel.view());
    return {sha1(text).bytes};
}

std::string make_magnet(
    InfoHash const& hash, std::string const& name, std::vector<std::string> const& trackers
) {
    auto magnet = concat("magnet:?xt=urn:btih:", hash.hex());
    if (!name.empty()) magnet += concat("&dn=", percent_encode(name));
    for (auto const& tracker : trackers)
        magnet += concat("&tr=", percent_encode(tracker, ":/"));
    return magnet;
}

} // namespace minuteswarm
