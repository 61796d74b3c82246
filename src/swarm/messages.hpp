#pragma once

#include "base/expected.hpp"
#include "base/statements.hpp"
#include "edge/block.hpp"
#include "edge/stripe_list.hpp"
#include "edge/subscription_messages.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace minuteswarm {

/// The messages of `ms_channel`, a BEP 10 extension: one type byte, then a body; integers
/// big-endian. A number once given is never given again. Unknown types are ignored, malformed ones
/// are strikes.
enum class MessageType : std::uint8_t {
    records = 1,     ///< frames of statements, see append_frame
    get_records = 2, ///< event u64, rendition u32, first u64, count u16
    have = 3,        ///< event u64, rendition u32, number u64, state u8
    peers = 4,       ///< count u8, then each: family u8 (4 or 6), address, port u16, homes u32
    get_peers = 5,   ///< empty
    get_init = 6,    ///< 6 and 7 belong to fragmented MP4; not sent by this version
    init = 7,
    advert = 8, ///< 8 to 13: source u32, then the body, see encode_body
    subscribe = 9,
    accept = 10,
    reject = 11,
    unsubscribe = 12,
    preempt = 13,
    block = 14,      ///< see Block
    want = 15,       ///< see StripeList
    missing = 16,    ///< see StripeList
    proof = 17,      ///< signature (64), see source_proof.hpp
    rendezvous = 18, ///< 18 and 19: family u8 (4 or 6), address, port u16
    connect = 19,
};

/// Grows when a change would mislead an older peer.
inline constexpr std::uint32_t protocol_version = 1;

struct RecordsMessage {
    std::vector<Statement> statements;
    bool operator==(RecordsMessage const&) const = default;
};

/// Answered by `records`: descriptor and end if known, then what is known of the range.
struct GetRecordsMessage {
    EventId event; ///< 0: the highest one known
    RenditionId rendition;
    ChunkNumber first;
    std::uint16_t count = 0;
    bool operator==(GetRecordsMessage const&) const = default;
};

struct HaveMessage {
    enum class State : std::uint8_t {
        joining = 1,         ///< has added the chunk's torrent
        complete = 2,        ///< has all of it
        joining_dialling = 3 ///< joining, and is about to connect to the receiver for it
    };
    EventId event;
    RenditionId rendition;
    ChunkNumber number;
    State state = State::joining;
    bool operator==(HaveMessage const&) const = default;
};

/// A node's address in the channel swarm, as it is dialled.
struct PeerEndpoint {
    std::array<std::uint8_t, 16> address{}; ///< IPv6, or IPv4 mapped (RFC 4291 2.5.5.2)
    std::uint16_t port = 0;
    auto operator<=>(PeerEndpoint const&) const = default;
};

struct PeersMessage {
    struct Peer {
        PeerEndpoint endpoint;
        std::uint32_t homes = 0; ///< stripes it is a home of, one bit each
        bool operator==(Peer const&) const = default;
    };
    std::vector<Peer> peers;
    bool operator==(PeersMessage const&) const = default;
};

struct GetPeersMessage {
    bool operator==(GetPeersMessage const&) const = default;
};

/// What a node says of its stripes of one run's live edge, or asks of the receiver's.
struct SubscriptionEnvelope {
    NodeId source; ///< tells the run from one that is over, see source_node
    SubscriptionMessage message;
    bool operator==(SubscriptionEnvelope const&) const = default;
};

/// A block of the run that the source stands for; only who knows the run can read it.
struct BlockMessage {
    NodeId source;
    Bytes body; ///< see decode_block
    bool operator==(BlockMessage const&) const = default;
};

/// The message that carries a block.
BlockMessage message_of(Block const& block);

/// Asks for blocks; answered by `block` each, as far as the receiver has them and uplink to spare.
struct WantMessage {
    StripeList list;
    bool operator==(WantMessage const&) const = default;
};

/// Of the blocks wanted, those that the sender does not have.
struct MissingMessage {
    StripeList list;
    bool operator==(MissingMessage const&) const = default;
};

/// The sender is the channel's source, and shows it: its first message.
struct ProofMessage {
    Signature signature;
    bool operator==(ProofMessage const&) const = default;
};

/// Asks the receiver to tell a neighbour of its, who listens there, that the sender is about to
/// connect to it (BEP 55).
struct RendezvousMessage {
    PeerEndpoint peer;
    bool operator==(RendezvousMessage const&) const = default;
};

/// Who listens there is about to connect to the receiver over uTP: a NAT has to let it in.
struct ConnectMessage {
    PeerEndpoint peer;
    bool operator==(ConnectMessage const&) const = default;
};

/// A type of another version: nothing to do.
struct UnknownMessage {
    bool operator==(UnknownMessage const&) const = default;
};

using Message = std::variant<
    RecordsMessage,
    GetRecordsMessage,
    HaveMessage,
    PeersMessage,
    GetPeersMessage,
    SubscriptionEnvelope,
    BlockMessage,
    WantMessage,
    MissingMessage,
    ProofMessage,
    RendezvousMessage,
    ConnectMessage,
    UnknownMessage>;

/// UnknownMessage cannot be encoded.
Bytes encode(RecordsMessage const& message);
Bytes encode(GetRecordsMessage const& message);
Bytes encode(HaveMessage const& message);
Bytes encode(PeersMessage const& message);
Bytes encode(GetPeersMessage const& message);
Bytes encode(SubscriptionEnvelope const& envelope);
Bytes encode(BlockMessage const& message);
Bytes encode(WantMessage const& message);
Bytes encode(MissingMessage const& message);
Bytes encode(ProofMessage const& message);
Bytes encode(RendezvousMessage const& message);
Bytes encode(ConnectMessage const& message);

/// `bytes` is one whole message, at most limits::message_size long.
Expected<Message> decode_message(ByteView bytes);

/// What each side says of itself when a connection begins: the value of `ms` in the extension
/// handshake.
struct ChannelHandshake {
    struct HeldRange {
        EventId event;
        RenditionId rendition;
        ChunkNumber first;
        ChunkNumber last;
        bool operator==(HeldRange const&) const = default;
    };
    /// How far it knows the feed of the highest event it has heard of. A hint: who claims more than
    /// it has gets less.
    struct Known {
        EventId event;
        ChunkNumber newest;         ///< of its records; 0: none
        std::uint64_t revision = 0; ///< of its descriptor; 0: none
        bool has_end = false;
        bool operator==(Known const&) const = default;
    };
    std::uint32_t version = protocol_version;
    SessionId session;
    std::uint16_t port = 0;      ///< where it listens; 0: it does not
    bool claims_source = false;  ///< to be the channel's publisher: `proof` follows
    bool has_edge = false;       ///< takes part in the live edge
    std::optional<Known> known;  ///< what it lacks of it is sent as `records`
    std::vector<HeldRange> held; ///< complete chunks, at most limits::held_ranges
    bool operator==(ChannelHandshake const&) const = default;
};

/// Bencoded dictionary {v, id, p, src, e, k, h}; `k` is a list of event, newest, revision, end (0
/// or 1).
Bytes encode(ChannelHandshake const& handshake);
/// A higher version is no error here: the caller says so to the user.
Expected<ChannelHandshake> decode_handshake(ByteView bytes);

} // namespace minuteswarm
