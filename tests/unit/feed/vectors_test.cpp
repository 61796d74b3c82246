#include "feed/statement_codec.hpp"
#include "unit/feed/vectors.hpp"

#include <catch2/catch.hpp>

using namespace minuteswarm;

TEST_CASE("The vectors' key has the vectors' channel") {
    REQUIRE(vectors::key().channel().hex() == vectors::channel);
}

TEST_CASE("A record encodes to its vector and back") {
    auto const statement = sign_statement(vectors::record(), vectors::key());
    REQUIRE(to_hex(statement.wire) == vectors::record_wire);
    auto const opened = open_record(statement.wire, vectors::key().channel());
    REQUIRE(opened);
    REQUIRE(opened->value == vectors::record());
    REQUIRE(opened->wire == statement.wire);
}

TEST_CASE("A descriptor encodes to its vector and back") {
    auto const statement = sign_statement(vectors::descriptor(), vectors::key());
    REQUIRE(to_hex(statement.wire) == vectors::descriptor_wire);
    auto const opened = open_descriptor(statement.wire, vectors::key().channel());
    REQUIRE(opened);
    REQUIRE(opened->value == vectors::descriptor());
}

TEST_CASE("An end encodes to its vector and back") {
    auto const statement = sign_statement(vectors::end(), vectors::key());
    REQUIRE(to_hex(statement.wire) == vectors::end_wire);
    auto const opened = open_end(statement.wire, vectors::key().channel());
    REQUIRE(opened);
    REQUIRE(opened->value == vectors::end());
}

TEST_CASE("A DHT item encodes to its vector and back") {
    REQUIRE(to_hex(encode(vectors::dht_item())) == vectors::dht_item_value);
    auto const decoded = decode_dht_item(vectors::bytes_of(vectors::dht_item_value));
    REQUIRE(decoded);
    REQUIRE(*decoded == vectors::dht_item());
}

TEST_CASE("A link formats to its vector and back") {
    REQUIRE(format_link(vectors::link()) == vectors::link_text);
    auto const parsed = parse_link(vectors::link_text);
    REQUIRE(parsed);
    REQUIRE(*parsed == vectors::link());
}
