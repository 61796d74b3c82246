#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound on what peers, players or a long event can make a process hold, with its reason.
namespace minuteswarm::limits {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// Formats
inline constexpr std::uint64_t piece_length_min =
    16 * KiB; ///< libtorrent's block: nothing smaller spreads sooner
inline constexpr std::uint64_t pieces_per_chunk = 64; ///< 20 bytes each: keeps a record under 2 KiB
inline constexpr std::uint64_t chunk_size =
    512 * MiB; ///< 120 s at 32 Mbit/s; larger sizes in a record are refused
inline constexpr std::size_t statement_size = 4 * KiB; ///< any signed statement
inline constexpr std::size_t title_size =
    200; ///< bytes of UTF-8: fits a status line and a descriptor
inline constexpr std::size_t link_size = 4 * KiB; ///< what a chat program still passes on
inline constexpr std::size_t codecs_size = 100;   ///< RFC 6381 names of a few tracks
inline constexpr std::uint32_t edge_stripes = 32; ///< K + M: far above what pays, still a bit mask
inline constexpr std::uint32_t edge_span_ms = 10'000;  ///< a longer span would be no live edge
inline constexpr std::chrono::hours chunk_duration{1}; ///< a record of more media is refused
inline constexpr std::size_t link_endpoints = 20; ///< peers, trackers, web seeds of a link, each
inline constexpr std::size_t dht_value = 1000;    ///< BEP 44: larger values are not stored
inline constexpr std::size_t dht_chunks = 30;     ///< info-hashes in the item: 600 of those bytes
inline constexpr std::size_t event_pieces = 2048; ///< of an event torrent: its hashes take 40 KiB
inline constexpr std::uint64_t event_piece_length = 16 * MiB; ///< the most common clients accept

// Memory
inline constexpr std::size_t feed_window = 2000; ///< records in memory: 2.2 h of 4 s chunks, 12 MB
inline constexpr std::size_t renditions = 8; ///< followed of one event: more than any ladder has
inline constexpr std::size_t chunk_memory = 64 * MiB; ///< chunk bytes in memory, over all chunks
inline constexpr std::size_t disk_queue =
    32 * MiB; ///< bytes waiting for the disk before writers are slowed
inline constexpr std::size_t remembered_chunk =
    16 * MiB; ///< a new chunk that is kept in memory whole: its first peers come at once
inline constexpr std::size_t append_size = 4 * MiB; ///< of a chunk in progress, in one write
inline constexpr std::size_t input_queue =
    16 * MiB; ///< muxed bytes between the input thread and the loop

// Peers
inline constexpr std::size_t message_size =
    72 * KiB; ///< of ms_channel: a full get_records reply still fits
inline constexpr std::size_t unsent_messages =
    2 * MiB; ///< that wait for a neighbour to read: thirty full replies
inline constexpr std::size_t unsent_in_kernel =
    16 * KiB; ///< of a channel's connection: nothing overtakes these; 65 ms at 2 Mbit/s
inline constexpr std::size_t records_per_reply = 64;
inline constexpr std::size_t records_reply_size = 64 * KiB;
inline constexpr std::size_t held_ranges = 16;
inline constexpr std::size_t peers_per_message = 32;
inline constexpr std::size_t wanted_neighbours = 24; ///< who has as many dials for a reason only
inline constexpr std::size_t kept_neighbours =
    28;                                       ///< who has more lets go those that serve nothing
inline constexpr std::size_t neighbours = 34; ///< of a viewer
inline constexpr std::size_t source_neighbours = 40; ///< of a publisher
inline constexpr std::size_t known_peers = 500;      ///< endpoints remembered for dialling
inline constexpr std::size_t awaited_dials =
    32; ///< of named peers, to be introduced to those that do not answer: one message's
inline constexpr std::size_t push_fanout = 4; ///< neighbours a new record is pushed to
inline constexpr std::size_t active_chunk_torrents = 60;
inline constexpr std::size_t chunk_peers =
    12; ///< dialled as one chunk is joined: 8-12 keep a mesh connected
inline constexpr std::size_t thrifty_chunk_peers = 3; ///< of live radio
inline constexpr std::size_t announced_per_neighbour =
    256; ///< chunks a neighbour told of: 8 min of 2 s chunks
inline constexpr std::size_t known_per_neighbour =
    128;                                  ///< statements it is known to have: only new ones matter
inline constexpr std::size_t strikes = 3; ///< malformed messages before a ban
inline constexpr std::size_t banned_sessions = 1000;

// Live edge
inline constexpr std::size_t edge_payload =
    64 * KiB; ///< of a block: with what stands before it, it still fits a message
inline constexpr std::size_t edge_group =
    512 * KiB; ///< bytes of a group: 8 such payloads; 250 ms at 16 Mbit/s
inline constexpr std::size_t edge_block_least =
    1 * KiB; ///< below it, what stands before a payload costs a seventh and more
inline constexpr std::size_t edge_path =
    24; ///< nodes a block came through: trees of 100,000 viewers need 8 to 12
inline constexpr std::chrono::seconds edge_window{20}; ///< of media, held for those that attach
inline constexpr std::size_t edge_memory =
    32 * MiB; ///< of blocks, over all runs: the window at 11 Mbit/s with one parity stripe in nine
inline constexpr std::size_t edge_groups =
    1024; ///< held: the window with a random access point in each of 50 pictures a second
inline constexpr std::size_t edge_runs = 2; ///< the one that is on, and the one before it
inline constexpr std::size_t wanted_groups =
    24; ///< in one `want` or `missing`: three to six seconds
inline constexpr std::size_t edge_accounted_groups =
    64; ///< groups whose subscriptions are judged: 8 s of 125 ms
inline constexpr std::size_t edge_slots = 255; ///< blocks' copies a node sends: 16 viewers' worth
inline constexpr std::size_t edge_entries =
    8; ///< random access points that a node tells of: where those who join can begin
inline constexpr std::size_t edge_unchecked =
    1 * MiB; ///< of blocks whose seals are being checked: half a second at 16 Mbit/s
inline constexpr std::size_t edge_wants = 24; ///< blocks asked for at once to repair groups
inline constexpr std::size_t edge_leaving_children = 2; ///< that still get blocks after their slot
inline constexpr std::size_t edge_directed_links = 10;  ///< neighbours chosen for their homes
inline constexpr std::size_t edge_open_chunks = 4;      ///< played before their records have come
inline constexpr std::size_t edge_marks =
    4096; ///< groups ahead of the playhead whose media time is known: 17 minutes of 250 ms
inline constexpr std::size_t edge_control_percent =
    5; ///< of the bitrate, for the policy's messages
inline constexpr std::size_t edge_control_floor = 350; ///< bytes a second whatever the bitrate
inline constexpr std::size_t edge_queue =
    2 * MiB; ///< of blocks that wait for one neighbour: a second of all stripes at 16 Mbit/s
inline constexpr std::size_t edge_queue_control =
    64 * KiB; ///< of the policy's messages there: hundreds of them; it has stopped reading
inline constexpr std::chrono::seconds edge_queue_wait{
    4}; ///< of a block there: what it was for has been played or skipped
inline constexpr std::chrono::seconds edge_urgent_wait{
    8}; ///< of a block after an outage: as long as one is made up for

// Players
inline constexpr std::size_t http_clients = 64;
inline constexpr std::size_t http_request = 8 * KiB;
inline constexpr std::size_t output_slice = 256 * KiB; ///< read and written at a time for -o
inline constexpr std::size_t playlist_window =
    6; ///< segments of /live.m3u8: RFC 8216 6.2.2 asks for at least 3
inline constexpr std::size_t part_chunks =
    8; ///< whose partial segments are known: those of /live.m3u8, and two that have left it
inline constexpr std::size_t chunk_parts = 512; ///< of one chunk: two minutes and a half of 330 ms
inline constexpr std::size_t chunk_frames =
    16384; ///< of one chunk that are in no part yet: two minutes at 120 a second
inline constexpr std::size_t dvr_window =
    5000; ///< segments of /dvr.m3u8: 5 h of 4 s chunks, 500 KiB of text

} // namespace minuteswarm::limits
