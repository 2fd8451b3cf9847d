// It uses a loss interface of another version.
#include "bad_entry.hpp"
struct Broken {};
static constexpr auto kTable = plain_table<vissl_loss_class, Broken>();
VISSL_COMPONENT(Broken, "vissl.loss/9", kTable,
                "loss/other_interface/Stands for a later interface.")
BAD_PLUGIN("other_interface", "1.0", 1, nullptr)
