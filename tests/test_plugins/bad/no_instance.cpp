// Its create succeeds without an instance; another one fails with a text.
#include "bad_entry.hpp"
struct Nothing {};
static vissl_status create_nothing(const vissl_value*, void**, vissl_err*) {
  return VISSL_OK;
}
static constexpr vissl_loss_class kNothing = [] {
  vissl_loss_class table = plain_table<vissl_loss_class, Nothing>();
  table.create = &create_nothing;
  return table;
}();
VISSL_COMPONENT(Nothing, VISSL_LOSS_ID, kNothing, "loss/no_instance/Creates nothing.")
struct Undeclared {
  explicit Undeclared(const vissl::Config& c) { c.number("undeclared"); }
};
PLAIN(loss, Undeclared, "undeclared_parameter")
BAD_PLUGIN("no_instance", "1.0", 1, [](const vissl_host* host, vissl_err*) -> vissl_status {
  vissl::set_host(host);
  return VISSL_OK;
})
