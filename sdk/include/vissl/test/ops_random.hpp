#pragma once
// Random operators of the fake host; they draw from torch's CPU generator in torch's order, in
// float32.
#include <vissl/test/engine.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

inline void add_random_ops(OpTable& ops) {
  using namespace detail;
  ops["aten::rand.generator"] = [](OpCall& c) {
    c.give(uniform(c.ints(0), 0, 1, c.dtype(2, VISSL_F32)));
  };
  ops["aten::randn.generator"] = [](OpCall& c) {
    c.give(normal(c.ints(0), 0, 1, c.dtype(2, VISSL_F32)));
  };
  ops["aten::rand_like"] = [](OpCall& c) {
    c.give(uniform(c.tensor(0).sizes, 0, 1, c.dtype(1, c.tensor(0).dtype)));
  };
  ops["aten::randn_like"] = [](OpCall& c) {
    c.give(normal(c.tensor(0).sizes, 0, 1, c.dtype(1, c.tensor(0).dtype)));
  };
  ops["aten::uniform_"] = [](OpCall& c) {
    c.tensor(0).assign(
        uniform(c.tensor(0).sizes, c.number(1, 0.0), c.number(2, 1.0), VISSL_F64).values());
    c.give(c.shared(0));
  };
  ops["aten::normal_"] = [](OpCall& c) {
    c.tensor(0).assign(
        normal(c.tensor(0).sizes, c.number(1, 0.0), c.number(2, 1.0), VISSL_F64).values());
    c.give(c.shared(0));
  };
  ops["aten::randperm.generator"] = [](OpCall& c) {
    const std::vector<std::int64_t> order = Engine::current().generator.randperm(c.integer(0));
    c.give(Array::make(Values(order.begin(), order.end()), {c.integer(0)}, VISSL_I64));
  };
  ops["aten::randint.low_generator"] = [](OpCall& c) {
    Values values(static_cast<std::size_t>(count_of(c.ints(2))));
    for (double& x : values) {
      x = static_cast<double>(Engine::current().generator.randint(c.integer(0), c.integer(1)));
    }
    c.give(Array::make(std::move(values), c.ints(2), c.dtype(4, VISSL_I64)));
  };
  ops["aten::bernoulli.p"] = [](OpCall& c) {
    const double p = c.number(1);
    Values values(static_cast<std::size_t>(c.tensor(0).numel()));
    for (double& x : values) x = truth(Engine::current().generator.bernoulli(p));
    c.give(Array::make(std::move(values), c.tensor(0).sizes, c.tensor(0).dtype));
  };
}

}  // namespace test
}  // namespace vissl
