#pragma once

#include "base/bytes.hpp"
#include "edge/stripe.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace minuteswarm {

/// Reed-Solomon over GF(2^8) with a Cauchy matrix, systematic: any K of K+M payloads give all the
/// others. Holds the tables for one K and M; immutable, so that threads may share one.
class ParityCode {
public:
    /// K is at least 1, K+M at most limits::edge_stripes.
    ParityCode(std::uint8_t stripes, std::uint8_t parity);

    [[nodiscard]] std::size_t stripes() const { return stripes_; }
    [[nodiscard]] std::size_t all_stripes() const { return all_; }

    /// The M parity payloads of K payloads of one size, which is at least 1.
    [[nodiscard]] std::vector<SharedBytes> encode(std::span<SharedBytes const> data) const;

    /// `payloads` has K+M places, null where one is missing; gives all of them. None when fewer
    /// than K are there.
    [[nodiscard]] std::optional<std::vector<SharedBytes>>
    rebuild(std::span<SharedBytes const> payloads) const;

private:
    /// What to multiply the first K payloads that are there with, for each missing one.
    [[nodiscard]] std::optional<Bytes> rebuilding_rows(
        std::span<std::size_t const> present, std::span<std::size_t const> missing
    ) const;

    std::size_t stripes_;
    std::size_t all_;
    Bytes matrix_; // K+M rows of K coefficients, the first K being the identity
    Bytes tables_; // ISA-L's expansion of the last M rows
};

} // namespace minuteswarm
