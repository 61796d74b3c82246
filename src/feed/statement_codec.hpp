#pragma once

#include "base/expected.hpp"
#include "base/signature.hpp"
#include "base/statements.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace minuteswarm {

/// What every peer of any version must agree on: canonical bencode (BEP 3) of each statement, and
/// Ed25519 over a domain prefix ‖ channel ‖ those bytes. Version 1, whose prefixes are
/// `minuteswarm:record:1:`, `minuteswarm:descriptor:1:` and `minuteswarm:end:1:`:
///
/// | record        | type       | meaning and limits                                             |
/// |---------------|------------|----------------------------------------------------------------|
/// | `event`       | integer    | 1 to 2^62                                                      |
/// | `rendition`   | integer    | u32                                                            |
/// | `run`         | 8 bytes    |                                                                |
/// | `epoch`       | integer    | u32                                                            |
/// | `number`      | integer    | 1 to 2^62                                                      |
/// | `media_time`  | integer    | µs, 0 to 2^62                                                  |
/// | `wall_time`   | integer    | µs since 1970, 0 to 2^62                                       |
/// | `duration`    | integer    | µs, 1 to one hour                                              |
/// | `size`        | integer    | bytes, 1 to limits::chunk_size                                 |
/// | `pieces`      | bytes      | 20 for each of piece_count(size) pieces                        |
/// | `sha256`      | 32 bytes   | of the chunk                                                   |
/// | `flags`       | integer    | u32: bit 0 discontinuity, 1 not independent, 8-11 container;   |
/// |               |            | the others are written as 0 and ignored                        |
///
/// | descriptor    | type       | meaning and limits                                             |
/// |---------------|------------|----------------------------------------------------------------|
/// | `event`       | integer    | as above                                                       |
/// | `revision`    | integer    | 0 to 2^62                                                      |
/// | `title`       | bytes      | plain UTF-8, up to limits::title_size                          |
/// | `container`   | integer    | as in a record                                                 |
/// | `codecs`      | bytes      | printable, up to limits::codecs_size                           |
/// | `bitrate`     | integer    | bits per second, 0 to 2^40                                     |
/// | `duration`    | integer    | µs, of a usual chunk: 0 (unknown) to one hour                  |
/// | `start`       | integer    | µs since 1970, 0 to 2^62                                       |
/// | `edge`        | dictionary | absent when nothing is pushed                                  |
/// | in it: `span` | integer    | ms, 1 to limits::edge_span_ms                                  |
/// | `k`           | integer    | data stripes, at least 1                                       |
/// | `m`           | integer    | parity stripes, with `k` at most limits::edge_stripes          |
/// | `run`         | 8 bytes    | whose live edge it is                                          |
///
/// | end           | type       | meaning and limits                                             |
/// |---------------|------------|----------------------------------------------------------------|
/// | `event`       | integer    | as above                                                       |
/// | `last`        | integer    | 0 (no chunk) to 2^62                                           |
/// | `torrent`     | 20 bytes   | info-hash of the event torrent; absent when there is none      |
///
/// Encoding writes a title that is not plain text without what makes it so.
Bytes encode(Record const& record);
Bytes encode(Descriptor const& descriptor);
Bytes encode(EndRecord const& end);

/// Refuse what is not canonical, lacks a key, is out of its limits or contradicts itself.
/// Unknown keys are legal and ignored.
Expected<Record> decode_record(ByteView body);
Expected<Descriptor> decode_descriptor(ByteView body);
Expected<EndRecord> decode_end(ByteView body);

Statement sign_statement(Record const& record, ChannelKey const& key);
Statement sign_statement(Descriptor const& descriptor, ChannelKey const& key);
Statement sign_statement(EndRecord const& end, ChannelKey const& key);

/// What a wire form says about itself: its bencoded part. Nothing is known to be genuine yet.
Expected<ByteView> statement_body(ByteView wire);

/// Whether `channel` signed this wire form as a statement of this kind.
bool is_genuine(StatementKind kind, ByteView wire, ChannelId const& channel);

/// Decode and check the signature: the only way from foreign bytes to a Signed value.
Expected<Signed<Record>> open_record(ByteView wire, ChannelId const& channel);
Expected<Signed<Descriptor>> open_descriptor(ByteView wire, ChannelId const& channel);
Expected<Signed<EndRecord>> open_end(ByteView wire, ChannelId const& channel);

/// Frames of statements, one behind the other: kind u8 ‖ length u32 ‖ wire. Big-endian.
/// The form of an archive's `feed` file and of the `records` message.
void append_frame(Bytes& to, Statement const& statement);

/// Statements up to the first incomplete frame, at most `most`; `consumed` is where the rest
/// starts. A frame of unknown kind is passed over; one that is longer than a statement may be is an
/// error.
struct Frames {
    std::vector<Statement> statements;
    std::size_t consumed = 0;
};
Expected<Frames> read_frames(ByteView bytes, std::size_t most);

} // namespace minuteswarm
