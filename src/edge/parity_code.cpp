#include "edge/parity_code.hpp"

#include "base/limits.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <cassert>

namespace minuteswarm {
namespace {

constexpr std::size_t table_size = 32; // ISA-L's for one coefficient

Bytes expanded(std::size_t columns, ByteView rows) {
    Bytes tables(table_size * rows.size());
    auto copy = Bytes{rows.begin(), rows.end()}; // ISA-L takes no const
    ec_init_tables(
        static_cast<int>(columns),
        static_cast<int>(rows.size() / columns),
        copy.data(),
        tables.data()
    );
    return tables;
}

/// One new payload for each row of coefficients in `tables`. ISA-L asks for no alignment, and falls
/// back to plain code where the size is below that of a vector register.
std::vector<SharedBytes>
multiply(Bytes const& tables, std::size_t rows, std::span<SharedBytes const> from) {
    auto const size = from.front()->size();
    std::vector<unsigned char*> sources;
    for (auto const& payload : from) {
        assert(payload->size() == size);
        // ISA-L's pointers are not const, but it does not write through these.
        sources.push_back(const_cast<unsigned char*>(payload->data()));
    }
    std::vector<std::shared_ptr<Bytes>> made;
    std::vector<unsigned char*> targets;
    for (std::size_t row = 0; row < rows; ++row) {
        made.push_back(std::make_shared<Bytes>(size));
        targets.push_back(made.back()->data());
    }
    ec_encode_data(
        static_cast<int>(size),
        static_cast<int>(from.size()),
        static_cast<int>(rows),
        const_cast<unsigned char*>(tables.data()),
        sources.data(),
        targets.data()
    );
    return {made.begin(), made.end()};
}

/// One row of coefficients times a square matrix.
Bytes product(ByteView row, ByteView square) {
    Bytes result(row.size());
    for (std::size_t i = 0; i < square.size(); ++i) {
        result[i % row.size()] ^= gf_mul(row[i / row.size()], square[i]);
    }
    return result;
}

} // namespace

ParityCode::ParityCode(std::uint8_t stripes, std::uint8_t parity)
    : stripes_(stripes)
    , all_(std::size_t{stripes} + parity)
    , matrix_(all_ * stripes_) {
    assert(stripes > 0 && all_ <= limits::edge_stripes);
    gf_gen_cauchy1_matrix(matrix_.data(), static_cast<int>(all_), static_cast<int>(stripes_));
    if (parity > 0) tables_ = expanded(stripes_, ByteView{matrix_}.subspan(stripes_ * stripes_));
}

std::vector<SharedBytes> ParityCode::encode(std::span<SharedBytes const> data) const {
    assert(data.size() == stripes_);
    if (all_ == stripes_) return {};
    return multiply(tables_, all_ - stripes_, data);
}

std::optional<Bytes> ParityCode::rebuilding_rows(
    std::span<std::size_t const> present, std::span<std::size_t const> missing
) const {
    Bytes square;
    for (auto const row : present)
        append(square, ByteView{matrix_}.subspan(row * stripes_, stripes_));
    Bytes inverse(square.size());
    auto const order = static_cast<int>(stripes_);
    if (gf_invert_matrix(square.data(), inverse.data(), order) != 0) return std::nullopt;

    Bytes rows;
    for (auto const row : missing)
        append(rows, product(ByteView{matrix_}.subspan(row * stripes_, stripes_), inverse));
    return rows;
}

std::optional<std::vector<SharedBytes>> ParityCode::rebuild(std::span<SharedBytes const> payloads
) const {
    assert(payloads.size() == all_);
    std::vector<std::size_t> present;
    std::vector<std::size_t> missing;
    std::vector<SharedBytes> from;
    for (std::size_t i = 0; i < all_; ++i) {
        if (!payloads[i]) {
            missing.push_back(i);
        } else if (present.size() < stripes_) {
            present.push_back(i);
            from.push_back(payloads[i]);
        }
    }
    if (present.size() < stripes_) return std::nullopt;
    std::vector<SharedBytes> all{payloads.begin(), payloads.end()};
    if (missing.empty()) return all;
    auto const rows = rebuilding_rows(present, missing);
    if (!rows) return std::nullopt;
    auto const made = multiply(expanded(stripes_, *rows), missing.size(), from);
    for (std::size_t i = 0; i < missing.size(); ++i)
        all[missing[i]] = made[i];
    return all;
}

} // namespace minuteswarm
