// Its class table lacks methods.
#include "bad_entry.hpp"
struct Broken {};
static constexpr vissl_loss_class kTable = [] {
  vissl_loss_class table = plain_table<vissl_loss_class, Broken>();
  table.size = 24;
  return table;
}();
VISSL_COMPONENT(Broken, VISSL_LOSS_ID, kTable, "loss/short_table/Has a table that ends early.")
BAD_PLUGIN("short_table", "1.0", 1, nullptr)
