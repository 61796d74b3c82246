#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace minuteswarm {

/// A call that need not be copyable, for handing over to another thread; C++23's
/// std::move_only_function without arguments.
class Task {
public:
    template <class Work>
    requires(!std::same_as<std::remove_cvref_t<Work>, Task>) explicit Task(Work&& work)
        : call_(std::make_unique<Holder<std::decay_t<Work>>>(std::forward<Work>(work))) {}

    void operator()() { call_->run(); }

private:
    struct Call {
        virtual ~Call() = default;
        virtual void run() = 0;
    };

    template <class Work>
    struct Holder final : Call {
        template <class Given>
        explicit Holder(Given&& given)
            : work(std::forward<Given>(given)) {}
        void run() override { work(); }
        Work work;
    };

    std::unique_ptr<Call> call_;
};

} // namespace minuteswarm
