#include "host/config/key_reference.hpp"

#include <doctest/doctest.h>

using namespace vissl::host;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("key reference: the host's keys stand with their path, default and VISSL key") {
  const std::string text = key_reference({});
  CHECK(has_line(text, "### [checkpoint]"));
  CHECK(has_line(text,
                 "| `log_frequency` | an integer of at least 1 | `10` | `LOG_FREQUENCY` | Train "
                 "steps between two log lines. |"));
  CHECK(has_line(text,
                 "| `engine` | an `engine` component | `{ name = \"train\" }` | `engine_name` | "
                 "What the run does. |"));
  CHECK(
      text.find("| `data.<name>.data_sources` | a list of `data_source` components | required |") !=
      std::string::npos);
  CHECK(text.find("| `optimizer.param_schedulers.<name>.update_interval` |") != std::string::npos);
}

TEST_CASE("key reference: a component shows its parameters and its rules, and cells are escaped") {
  Declaration loss;
  loss.kind = "loss";
  loss.name = "mine";
  loss.sentence = "A loss.";
  Param size;
  size.name = "size";
  size.type = VISSL_P_INT;
  size.flags = VISSL_P_REQUIRED;
  size.doc = "Rows | columns.";
  size.vissl_key = "LOSS.mine.SIZE";
  loss.params = {size};
  loss.derivations = {{"size", "data.train.batchsize_per_replica"}};
  loss.requirements = {{"data.train.collator.name", {"simclr_collator"}, "views are paired", {}}};
  const std::string text = key_reference({&loss});
  const std::string expected =
      "\n## Kind: loss\n\n### loss/mine\n\nA loss.\n\n"
      "| key | accepts | default | VISSL | meaning |\n|---|---|---|---|---|\n"
      "| `size` | an integer | required | `LOSS.mine.SIZE` | Rows \\| columns. |\n\n"
      "- `size` is `data.train.batchsize_per_replica` unless it is set.\n"
      "- `data.train.collator.name` must be `simclr_collator`: views are paired.\n";
  CHECK(text.size() > expected.size());
  CHECK(text.substr(text.size() - expected.size()) == expected);
}
