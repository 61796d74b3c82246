#pragma once

#include "base/error.hpp"

#include <cassert>
#include <utility>
#include <variant>

namespace minuteswarm {

/// A value or the reason why foreign bytes were refused; the part of C++23's std::expected in use.
template <class T>
class [[nodiscard]] Expected {
public:
    Expected(T value) // NOLINT(google-explicit-constructor): `return value;` is the point
        : state_(std::move(value)) {}
    Expected(Error error) // NOLINT(google-explicit-constructor): `return Error{…};` likewise
        : state_(std::move(error)) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& operator*() & { return value(); }
    T const& operator*() const& { return value(); }
    T&& operator*() && { return std::move(value()); }
    T* operator->() { return &value(); }
    T const* operator->() const { return &value(); }

    [[nodiscard]] Error const& error() const {
        assert(!has_value());
        return std::get<1>(state_);
    }

private:
    T& value() {
        assert(has_value());
        return std::get<0>(state_);
    }
    T const& value() const {
        assert(has_value());
        return std::get<0>(state_);
    }

    std::variant<T, Error> state_;
};

} // namespace minuteswarm
