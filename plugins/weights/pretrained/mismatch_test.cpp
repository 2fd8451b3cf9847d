// Tensors whose shape is not the model's: what is taken, left out and refused, and what is told.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

const std::string kTrunk = "trunk._feature_blocks.";

std::string of(const std::string& profile, const std::string& more = "") {
  return "profile = \"" + profile + "\"\npath = \"a.pth\"\n" + more;
}

// A stem, a deeper layer and a linear head, below `trunk` and `head`.
Shapes network(const std::string& trunk, const std::string& head, std::int64_t classes,
               std::int64_t channels) {
  return {{trunk + "conv1.weight", {4, channels, 3, 3}},
          {trunk + "layer1.0.conv1.weight", {8, 4, 3, 3}},
          {head + "weight", {classes, 8}}};
}

Shapes model(std::int64_t classes = 7, std::int64_t channels = 3) {
  return network(kTrunk, "heads.0.clf.0.", classes, channels);
}

}  // namespace

TEST_CASE("shape_mismatch = error refuses classifiers and stems that a profile would leave out") {
  const std::string off = "shape_mismatch = \"error\"";
  const Shapes classes = network("", "fc.", 1000, 3), stem = network("", "fc.", 7, 5);
  for (const char* profile : {"timm", "timm-classic", "auto", "mmcv", "essmc2"}) {
    CAPTURE(profile);
    CHECK(error(of(profile), classes, model()) == "no error");
    CHECK(error(of(profile, off), classes, model())
              .find("size mismatch for fc.weight: copying a param with shape torch.Size([1000, 8]) "
                    "from checkpoint, the shape in current model is torch.Size([7, 8]) "
                    "('heads.0.clf.0.weight')") == 0);
    CHECK(error(of(profile), stem, model()) == "no error");
    CHECK(error(of(profile, off), stem, model()).find("size mismatch for conv1.weight") == 0);
  }
  // What can be adapted fits then.
  CHECK(error(of("timm", off), classes, model(1000, 1)) == "no error");
  // VISSL's heads are checked, whatever assert_head_layer_shape_init says: the host refuses them.
  const Lines lines = plan(
      "params_file = \"a\"\nstate_dict_key_name = \"\"\nassert_head_layer_shape_init = "
      "false\n" +
          off,
      model(1000), model());
  CHECK(has(lines, "load heads.0.clf.0.weight -> heads.0.clf.0.weight"));
}

TEST_CASE("one element loads into a scalar, as in torch, and nothing else does") {
  const Shapes with_scalar = {{kTrunk + "conv1.weight", {4, 3, 3, 3}}, {kTrunk + "scale", {}}};
  const auto file = [](std::vector<std::int64_t> scale) {
    return Shapes{{"conv1.weight", {4, 3, 3, 3}}, {"scale", std::move(scale)}};
  };
  const std::string strict = "shape_mismatch = \"error\"";
  for (const char* profile : {"timm", "auto", "mmcv", "essmc2", "detectron2", "vis4d"}) {
    CAPTURE(profile);
    CHECK(has(plan(of(profile, strict), file({1}), with_scalar),
              "load scale -> " + kTrunk + "scale"));
    CHECK(error(of(profile, strict), file({2}), with_scalar).find("size mismatch for scale") == 0);
    CHECK(error(of(profile, strict), file({1, 1}), with_scalar).find("size mismatch for scale") ==
          0);
  }
  CHECK(has(plan("params_file = \"a\"\nstate_dict_key_name = \"\"\nappend_prefix = \"" + kTrunk +
                     "\"\nshape_mismatch = \"drop\"",
                 file({1}), with_scalar),
            "load scale -> " + kTrunk + "scale"));
}

TEST_CASE(
    "vissl: position embeddings that cannot be resized name both shapes, and may be dropped") {
  const Shapes trunk = {{"trunk.pos_embed", {1, 17, 24}}, {"trunk.cls_token", {1, 1, 8}}};
  const auto file = [](std::vector<std::int64_t> positions) {
    return Shapes{{"trunk.pos_embed", std::move(positions)}, {"trunk.cls_token", {1, 1, 8}}};
  };
  const std::string toml = "params_file = \"a\"\nstate_dict_key_name = \"\"\n";
  const std::string remedy =
      "; change the model, list the layer in skip_layers, or set shape_mismatch = \"drop\"";
  CHECK(error(toml, file({1, 17, 48}), trunk) ==
        "Unable to interpolate position embeddings: 'trunk.pos_embed' is torch.Size([1, 17, 48]) "
        "in the file and torch.Size([1, 17, 24]) in the model: their last sizes, the width, must "
        "be the same" +
            remedy);
  CHECK(error(toml, file({1, 3, 24}), trunk) ==
        "Unable to interpolate position embeddings: 'trunk.pos_embed' is torch.Size([1, 3, 24]) "
        "in the file and torch.Size([1, 17, 24]) in the model: both must be (1, positions, "
        "width), the positions square grids besides their tokens" +
            remedy);
  const Lines dropped = plan(toml + "shape_mismatch = \"drop\"", file({1, 17, 48}), trunk);
  CHECK(has(dropped, "load trunk.cls_token -> trunk.cls_token"));
  CHECK(has(dropped,
            "ignore trunk.pos_embed (it is torch.Size([1, 17, 48]), 'trunk.pos_embed' of the model "
            "is torch.Size([1, 17, 24]))"));
}

TEST_CASE("tensors of the trunk that are left out for their shapes are told with both") {
  const auto warnings = [](const Lines& lines) {
    Lines out;
    for (const std::string& line : lines)
      if (line.rfind("say 2: ", 0) == 0) out.push_back(line.substr(7));
    return out;
  };
  // auto has no line of its own: a stem of one channel for three.
  CHECK(warnings(plan(of("auto"), network("", "fc.", 1000, 1), model())) ==
        Lines{"weights: left out for its shape: 'conv1.weight' torch.Size([4, 1, 3, 3]), '" +
              kTrunk + "conv1.weight' of the model is torch.Size([4, 3, 3, 3])"});
  CHECK(warnings(plan(of("auto"), network("", "fc.", 7, 3), model())).empty());
  // timm has one for the stem.
  CHECK(warnings(plan(of("timm"), network("", "fc.", 7, 1), model())) ==
        Lines{"Unable to convert pretrained conv1 weights, using random init for this layer."});
  Shapes file = {{"trunk.stay", {2}}}, trunk = file;
  for (int i = 0; i < 7; ++i) {
    file.push_back({"trunk.block" + std::to_string(i), {2}});
    trunk.push_back({"trunk.block" + std::to_string(i), {3}});
  }
  const std::string drop = "shape_mismatch = \"drop\"\n";
  for (const std::string& toml :
       {of("vissl", "state_dict_key_name = \"\"\n" + drop), of("timm", "strict = false\n" + drop),
        of("timm-classic", "strict = false\n" + drop), of("auto", drop)}) {
    CAPTURE(toml);
    const Lines told = warnings(plan(toml, file, trunk));
    REQUIRE(told.size() == 1);
    const bool vissl = toml.find("vissl") != std::string::npos;
    const std::string name = vissl ? "'trunk.block" : "'block";
    CHECK(told[0].find("weights: left out for their shapes: ") == 0);
    for (int i = 0; i < 7; ++i)
      CHECK((told[0].find("block" + std::to_string(i) + "' torch.Size([2]), 'trunk.block" +
                          std::to_string(i) + "' of the model is torch.Size([3])") !=
             std::string::npos) == (i < 5));
    CHECK(told[0].find("; and 2 more") == told[0].size() - 12);
  }
}

TEST_CASE("strict counts what is left out for its shape, and no counters, with every profile") {
  Shapes trunk = model();
  trunk.push_back({kTrunk + "bn1.num_batches_tracked", {}});
  for (const char* profile : {"auto", "essmc2", "detectron2"}) {
    CAPTURE(profile);
    const std::string strict = of(profile, "strict = true");
    CHECK(error(strict, network("", "fc.", 7, 3), trunk) == "no error");
    CHECK(error(strict, network("", "fc.", 1000, 3), trunk) ==
          "1 tensor of the model stays as initialised: heads.0.clf.0.weight; list it in "
          "skip_layers, or "
          "set "
          "strict = false of [model.weights_init]");
    CHECK(error(of(profile), network("", "fc.", 1000, 3), trunk) == "no error");
  }
}

TEST_CASE("dtype_mismatch = drop leaves out other element types with every profile") {
  const auto loads = [](const std::string& toml) {
    vissl::test::Host host;
    host.load(VISSL_PLUGIN_DIR "/pretrained.so");
    const vissl::test::Instance profile = host.component("weights", "pretrained").create(toml);
    const Shapes named = {{"trunk.a", {2}}, {"trunk.b", {2}}};
    const std::vector<vissl_weights_entry> model = vissl::test::weights_entries(named);
    std::vector<vissl_weights_entry> file = model;
    file[1].dtype = VISSL_F16;
    std::vector<std::uint64_t> loaded;
    vissl_weights_sink sink = {};
    sink.size = sizeof sink;
    sink.self = &loaded;
    sink.load = [](void* self, std::uint64_t entry, vissl_str) {
      static_cast<std::vector<std::uint64_t>*>(self)->push_back(entry);
    };
    sink.ignore = [](void*, std::uint64_t, vissl_str) {};
    sink.skip_target = [](void*, vissl_str, vissl_str) {};
    sink.message = [](void*, std::uint32_t, vissl_str) {};
    vissl::call(profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID).plan,
                profile.handle(), file.data(), file.size(), model.data(), model.size(), &sink);
    return loaded;
  };
  const std::vector<std::uint64_t> both = {0, 1}, first = {0};
  for (const char* profile : {"vissl", "essmc2", "timm", "mmcv", "vis4d", "detectron2", "auto"}) {
    CAPTURE(profile);
    const std::string toml = of(profile, "state_dict_key_name = \"\"\nstrict = false\n");
    CHECK(loads(toml) == both);
    CHECK(loads(toml + "dtype_mismatch = \"drop\"") == first);
  }
}
