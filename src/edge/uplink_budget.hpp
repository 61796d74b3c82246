#pragma once

#include "base/statements.hpp"
#include "edge/group.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

namespace minuteswarm {

inline constexpr std::size_t block_overhead =
    158; ///< bytes of a message before a payload, see Block

/// How many copies of a stripe an uplink carries, the headers of packets included: what 92 % of it
/// leave when what comes is acknowledged, the rest, 6.4 kbit/s at least, being for control and
/// repair. Follows the stream's bitrate, half a minute's. Pure.
class UplinkBudget {
public:
    struct Options {
        EdgeParameters parameters;
        std::uint64_t bitrate = 0; ///< of the stream until groups tell, bits per second; 0: unknown
        std::uint64_t uplink =
            0; ///< bits per second; 0: not known, twice the bitrate to begin with
        bool is_source = false;
    };

    explicit UplinkBudget(Options const& options)
        : options_(options) {}

    /// A group of the stream, in whichever order they come.
    void note(GroupHeader const& header);
    /// At most limits::edge_slots; those that are there stay while they take hardly more than that.
    [[nodiscard]] std::size_t slots(std::size_t present = 0) const;
    /// Bits per second that so many copies of a stripe take on the line.
    [[nodiscard]] double promised(std::size_t slots) const;
    /// Bits per second, of the groups of the last half minute or as was given.
    [[nodiscard]] double bitrate() const;

    /// Bits per second, as given or assumed, of packets and all that is in them.
    [[nodiscard]] double uplink() const;
    /// Bits per second that chunk torrents may use: what so many slots do not, little while blocks
    /// wait.
    [[nodiscard]] double left_for_chunks(std::size_t used_slots, bool has_waiting_blocks) const;

private:
    [[nodiscard]] std::size_t block_size() const;
    [[nodiscard]] double span() const; ///< of a group, seconds
    /// Bits per second, of what comes.
    [[nodiscard]] double acknowledgements() const;

    Options options_;
    struct Length {
        MediaTime at;
        std::uint32_t bytes = 0;
    };
    std::map<GroupNumber, Length> recent_;
};

} // namespace minuteswarm
