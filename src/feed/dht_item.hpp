#pragma once

#include "base/bytes.hpp"
#include "base/expected.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace minuteswarm {

/// The value of the channel's BEP 44 mutable item: `{ih, v, e, n, t, w, end?}`, at most 1000 bytes
/// bencoded.
struct DhtItem {
    InfoHash newest;              ///< `ih`, as BEP 46 has it
    EventId event;                ///< `e`
    ChunkNumber number;           ///< `n`, of the newest chunk
    WallTime time{};              ///< `t`, whole Unix seconds
    std::vector<InfoHash> window; ///< `w`, newest first, at most 30
    bool is_end = false;          ///< `end`, 1 when the event is over

    bool operator==(DhtItem const&) const = default;
};

inline constexpr std::string_view dht_salt = "minuteswarm";

/// Canonical bencode; of a longer window only the newest 30.
Bytes encode(DhtItem const& item);

/// Refuses what is too long, not canonical, of a later version or out of its limits. Unknown keys
/// are ignored. That the channel signed it is for the DHT's BEP 44 check.
Expected<DhtItem> decode_dht_item(ByteView value);

/// What the next put must carry: more than anything stored or returned (-1 for none), and not
/// behind the clock.
std::int64_t next_sequence(WallTime now, std::int64_t stored, std::int64_t returned);

/// An item as it was put: what `seed` puts again, unchanged.
struct SignedDhtItem {
    std::int64_t sequence = 0;
    Signature signature;
    Bytes value;

    bool operator==(SignedDhtItem const&) const = default;
};

/// sequence u64 ‖ signature (64) ‖ value; the form of an archive's `dht_item` file.
Bytes encode(SignedDhtItem const& item);
Expected<SignedDhtItem> decode_signed_dht_item(ByteView bytes);

} // namespace minuteswarm
