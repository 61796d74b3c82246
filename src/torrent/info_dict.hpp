#pragma once

#include "base/expected.hpp"
#include "base/statements.hpp"

#include <libtorrent/fwd.hpp>

#include <span>
#include <string>
#include <vector>

namespace minuteswarm {

/// A chunk's v1 info dictionary (BEP 3), computed from its record: the same everywhere, so nobody
/// fetches it.
struct InfoDict {
    Bytes bytes;   ///< bencoded
    InfoHash hash; ///< SHA-1 of them
};

/// `<channel, 16 hex>-<event>-<rendition>-<number>.<ext>`: file name in archives and info
/// dictionaries.
std::string chunk_name(ChannelId const& channel, Record const& record);

/// `record` must be consistent (as a verified one is). Pieces of `piece_length(size)` bytes.
InfoDict make_info_dict(ChannelId const& channel, Record const& record);

/// What chunk and event dictionaries share: their bytes and hash, and the value of `pieces`.
InfoDict encode_info_dict(lt::entry const& dictionary);
std::string join_hashes(std::span<Sha1 const> hashes);

/// A .torrent file around it (BEP 3, BEP 12 tiers of one, BEP 19 web seeds).
Bytes make_torrent_file(
    InfoDict const& info,
    std::vector<std::string> const& trackers,
    std::vector<std::string> const& web_seeds
);

/// SHA-1 of each piece, and SHA-256 of the whole: what a record states of a chunk's bytes.
/// Nothing has no pieces: no record can state it.
struct ChunkHashes {
    std::vector<Sha1> pieces;
    Sha256 sha256;
};
ChunkHashes hash_chunk(ByteView bytes);
Sha1 sha1(ByteView bytes);

/// The info-hash of a channel's swarm: SHA-1 of `minuteswarm:channel:1:` ‖ public key.
InfoHash channel_info_hash(ChannelId const& channel);

/// `magnet:?xt=urn:btih:…` for any BitTorrent client.
std::string make_magnet(
    InfoHash const& hash, std::string const& name, std::vector<std::string> const& trackers
);

} // namespace minuteswarm
