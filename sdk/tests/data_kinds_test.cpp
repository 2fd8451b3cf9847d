// One small component of each kind of the data path, written as an author would, called through its
// class table.
#include <doctest/doctest.h>

#include <vissl/collator.hpp>
#include <vissl/components.hpp>
#include <vissl/data_source.hpp>
#include <vissl/sampler.hpp>
#include <vissl/test.hpp>
#include <vissl/transform.hpp>
#include <vissl/weights.hpp>

using namespace vissl;

namespace {

struct Jitter {
  double p;
  static void params(Params& x) { x.number("p", 0.5, between(0.0, 1.0), "Probability."); }
  explicit Jitter(const Config& c) : p(c.number("p")) {}
  void apply(Image& image, Rng& rng) const {
    if (!rng.bernoulli(p)) return;
    image.brightness(rng.uniform(0.5, 1.5));
    image.gaussian_blur(2.0);
    image.rotate(90, Interpolation::bilinear, {1, 2, 3});
  }
};
struct Prepare {
  void apply(Image& image) const {
    image.resized_crop(0, 1, 4, 4, 2, 2);
    image.flip_horizontal();
    image.to_tensor();
    image.normalize({0.5, 0.5, 0.5}, {0.25, 0.5, 1});
  }
};
struct Copies {
  void apply(Sample& sample) const {
    sample.repeat({3});
    for (std::uint64_t i = 0; i < sample.count("data"); ++i) {
      sample.set("draw", i, sample.rng(i).uniform());
    }
    sample.set("label", 1, std::vector<std::int64_t>{7, 8});
    sample.remove("data_valid");
    sample.add_image("more").set_bytes(1, 1, 3, nullptr);
  }
};
struct Maybe {
  InnerTransform inner;
  static void params(Params& x) { x.component("inner", "transform", required, "Applied."); }
  explicit Maybe(const Config& c) : inner(c.table("inner")) {}
  void apply(Sample& sample) {
    Image image = sample.image("data", 0);
    inner.apply(image, sample.rng(5).stream());
  }
};

struct Rows {
  void layout(const Sample& first, std::int64_t count, Batch& batch) const {
    batch.add_images("data", count, first.image("data", 0));
    batch.add<std::int64_t>("label", {count});
    batch.add<float>("weight", {count, 2});
  }
  void place(std::int64_t i, std::int64_t, Sample& sample, Batch& batch) const {
    batch.write("data", 0, i, sample.image("data", 0));
    batch.write("label", 0, i, sample.array("label", 0));
    batch.data<float>("weight")[2 * i] = static_cast<float>(sample.index());
  }
  void finish(Batch& batch) const {
    batch.data<float>("weight")[1] = static_cast<float>(batch.rng().uniform());
  }
};

struct Numbers {
  std::int64_t count;
  std::vector<std::int64_t> labels;
  static void params(Params& p) { p.integer("count", required, at_least(1), "Elements."); }
  explicit Numbers(const Config& c) : count(c.integer("count")) {}
  void open() {
    if (count == 13) fail(VISSL_E_DATA, "13 is no length");
    for (std::int64_t i = 0; i < count; ++i) labels.push_back(i % 3);
  }
  std::int64_t length() const { return count; }
  const std::int64_t& label(std::int64_t i) const { return labels.at(static_cast<std::size_t>(i)); }
  std::string path(std::int64_t i) const { return "numbers:" + std::to_string(i); }
  std::int64_t class_count() const { return 3; }
  std::string class_name(std::int64_t k) const { return "class " + std::to_string(k); }
  struct Reader {
    const Numbers& source;
    explicit Reader(const Numbers& s) : source(s) {}
    void read(std::int64_t i, Image& image) {
      if (i >= source.count) fail(VISSL_E_DATA, "there is no number " + std::to_string(i));
      const std::vector<std::uint8_t> pixels(12, static_cast<std::uint8_t>(i));
      image.set_bytes(2, 2, 3, pixels.data());
    }
  };
};
struct LabelsOnly {
  std::vector<std::vector<std::int64_t>> labels = {{1, 2}, {}};
  std::int64_t length() const { return 2; }
  const std::vector<std::int64_t>& label(std::int64_t i) const {
    return labels[static_cast<std::size_t>(i)];
  }
};
struct ImagesOnly {
  std::int64_t length() const { return 0; }
  struct Reader {
    explicit Reader(const ImagesOnly&) {}
    void read(std::int64_t, Image& image) { image.set_encoded("GIF", 3); }
  };
};

struct Strided {
  SamplerOpen args = {};
  void open(const SamplerOpen& given) { args = given; }
  std::int64_t batch_count() const { return 2; }
  std::vector<std::int64_t> batch(std::int64_t k) const { return {k * args.world + args.rank}; }
};

struct Renames {
  void plan(const WeightsPlan& plan) const {
    for (const WeightsEntry& entry : plan.source()) {
      const std::string target = "trunk." + entry.name;
      if (plan.find_target(target) != nullptr)
        plan.load(entry, target);
      else
        plan.ignore(entry, "the model has no such layer");
    }
    plan.skip_target("heads.0.weight", "is trained anew");
  }
  void rename(const WeightsRenames& renames) const {
    const WeightsEntry& first = renames.source().at(0);
    renames.keep(first, renames.to(), renames.from() + first.name, VISSL_WEIGHTS_REVERSE_CHANNELS);
    renames.drop(renames.source().at(1), renames.part());
    renames.fill(first, "", "mean", renames.has(VISSL_WEIGHTS_WITH_HEADS) ? 1.0 : 0.0);
    renames.text("container", renames.container());
    renames.flag("deep", renames.depth() == 50);
    renames.message(VISSL_LOG_INFO, "renamed");
  }
};

TEST_CASE("transform: draws come from the view's stream and calls reach the image") {
  test::Host host;
  host.load_self();
  test::Transform jitter = host.component("transform", "jitter").create("p = 1.0");
  test::FakeImage image = test::FakeImage::pattern(4, 6);
  jitter(image, 3);
  test::FakeSample sample;
  sample.seed = 3;
  RngStream expected(sample.rng(0));
  CHECK(expected.bernoulli(1.0));
  char text[60];
  std::snprintf(text, sizeof text, "brightness %.9g", expected.uniform(0.5, 1.5));
  CHECK(image.calls == std::vector<std::string>{text, "gaussian_blur 2", "rotate 90 2 1 2 3"});
  test::FakeImage untouched = test::FakeImage::pattern(4, 6);
  test::Transform(host.component("transform", "jitter").create("p = 0.0"))(untouched);
  CHECK(untouched.calls.empty());
}

TEST_CASE("transform: the fake image crops, flips and normalises") {
  test::Host host;
  host.load_self();
  test::Transform prepare = host.component("transform", "prepare").create();
  test::FakeImage image = test::FakeImage::pattern(4, 6);
  prepare(image);
  CHECK(image.calls ==
        std::vector<std::string>{"resized_crop 0 1 4 4 2 2 2", "flip 0", "to_tensor", "normalize"});
  REQUIRE(image.pixels.size() == 12);
  // The right upper pixel of the crop, (0, 3) of the picture, came to the left.
  CHECK(image.at(0, 0, 0) == doctest::Approx((3 / 255.0 - 0.5) / 0.25));
  CHECK(image.at(1, 1, 2) == doctest::Approx((2 * 16 + 1 + 128) / 255.0 - 0.5));
  CHECK_THROWS_WITH_AS(prepare(image),
                       "resized_crop needs an 8-bit image, but ToTensor came before", Failure);
}

TEST_CASE("transform: a whole sample can be repeated and changed") {
  test::Host host;
  host.load_self();
  test::FakeSample sample;
  sample.index = 11;
  sample.add("data", test::FakeImage::pattern(2, 2));
  sample.add("label", 4);
  sample.add("data_valid", 1);
  test::Transform(host.component("transform", "copies").create())(sample);
  CHECK(sample.list("data").size() == 3);
  CHECK(sample.values("label", 0) == std::vector<double>{4});
  CHECK(sample.values("label", 1) == std::vector<double>{7, 8});
  CHECK(sample.values("draw", 2)[0] == RngStream(sample.rng(2)).uniform());
  CHECK(sample.lists.size() == 4);
  CHECK(sample.image("more", 0).width == 1);
  test::Transform maybe =
      host.component("transform", "maybe").create("inner = { name = \"jitter\", p = 1.0 }");
  maybe(sample);
  CHECK(sample.image("data", 0).calls.size() == 3);
  test::Transform wrong =
      host.component("transform", "maybe").create("inner = { name = \"copies\" }");
  CHECK_THROWS_WITH_AS(wrong(sample),
                       "only transforms of single images can stand inside another transform",
                       Failure);
}

TEST_CASE("collator: rows go to their places in any order") {
  test::Host host;
  host.load_self();
  std::vector<test::FakeSample> samples(2);
  for (std::size_t i = 0; i < 2; ++i) {
    samples[i].index = static_cast<std::int64_t>(10 + i);
    samples[i].add("label", static_cast<std::int64_t>(i) + 5);
    test::FakeImage& image = samples[i].add("data", test::FakeImage::pattern(1, 2, 1));
    image.is_float = true;
    image.pixels[0] = static_cast<float>(i) + 0.5f;
  }
  const test::Instance collator = host.component("collator", "rows").create();
  const auto batch = test::collate(collator, samples, 9);
  CHECK(batch->shape("data") == std::vector<std::int64_t>{2, 1, 1, 2});
  CHECK(batch->values("data") == std::vector<double>{0.5, 1, 1.5, 1});
  CHECK(batch->values("label") == std::vector<double>{5, 6});
  const std::vector<double> weight = batch->values("weight");
  CHECK(weight[0] == 10);
  vissl_rng stream;
  vissl_rng_init_batch(&stream, 9, 0, 0, 0);
  CHECK(weight[1] == static_cast<float>(vissl_rng_uniform(&stream)));
  CHECK(weight[2] == 11);
  CHECK(std::isnan(weight[3]));  // nothing was written there
  samples[1].image("data", 0).height = 2;
  CHECK_THROWS_WITH_AS(test::collate(collator, samples),
                       "a row of 'data' has another shape than the layout", Failure);
}

TEST_CASE("data_source: labels, paths, classes and reading") {
  test::Host host;
  host.load_self();
  test::Source numbers = host.component("data_source", "numbers").create("count = 5");
  CHECK(numbers.length() == 5);
  CHECK(numbers.label(4) == std::vector<std::int64_t>{1});
  CHECK(numbers.path(3) == "numbers:3");
  CHECK(numbers.class_count() == 3);
  CHECK(numbers.class_name(2) == "class 2");
  CHECK(numbers.read(4).pixels == std::vector<float>(12, 4.0f));
  CHECK_THROWS_WITH_AS(numbers.read(5), "there is no number 5", Failure);
  try {
    test::Source(host.component("data_source", "numbers").create("count = 13"));
    FAIL("opened");
  } catch (const Failure& failure) {
    CHECK(failure.status() == VISSL_E_DATA);
    CHECK(std::string(failure.what()) == "13 is no length");
  }
  test::Source labels = host.component("data_source", "labels_only").create();
  CHECK_FALSE(labels.has_reader());
  CHECK(labels.label(0) == std::vector<std::int64_t>{1, 2});
  CHECK(labels.label(1).empty());
  CHECK(labels.path(0).empty());
  CHECK(labels.class_count() == 0);
  test::Source images = host.component("data_source", "images_only").create();
  CHECK(images.read(0).encoded == "GIF");
  try {
    images.label(0);
    FAIL("has a label");
  } catch (const Failure& failure) {
    CHECK(failure.status() == VISSL_E_UNSUPPORTED);
  }
}

TEST_CASE("sampler and weights: batches and plans reach the host") {
  test::Host host;
  host.load_self();
  SamplerOpen args = {};
  args.rank = 1;
  args.world = 2;
  CHECK(test::batches_of(host.component("sampler", "strided").create(), args) ==
        std::vector<std::vector<std::int64_t>>{{1}, {3}});
  CHECK(test::plan_weights(host.component("weights", "renames").create(),
                           {{"conv1.weight", {8, 3}}, {"fc.weight", {2}}},
                           {{"trunk.conv1.weight", {8, 3}}, {"heads.0.weight", {2}}}) ==
        std::vector<std::string>{"load conv1.weight -> trunk.conv1.weight",
                                 "ignore fc.weight (the model has no such layer)",
                                 "skip heads.0.weight (is trained anew)"});
  CHECK(test::rename_weights(host.component("weights", "renames").create(),
                             {{"conv1.weight", {8, 3}}, {"fc.weight", {2}}},
                             {"place", "my_", "a part", "torch", 50, VISSL_WEIGHTS_WITH_HEADS}) ==
        std::vector<std::string>{"keep conv1.weight -> place/my_conv1.weight reversed",
                                 "drop fc.weight (a part)", "fill mean like conv1.weight = 1",
                                 "text container = torch", "flag deep = 1", "say 1: renamed"});
}

}  // namespace

VISSL_TRANSFORM(Jitter, "jitter", "Brightness and blur.")
VISSL_TRANSFORM(Prepare, "prepare", "Crop to floats.")
VISSL_TRANSFORM(Copies, "copies", "Three views.")
VISSL_TRANSFORM(Maybe, "maybe", "Another transform.")
VISSL_COLLATOR(Rows, "rows", "Rows.")
VISSL_DATA_SOURCE(Numbers, "numbers", "Pictures of one colour.")
VISSL_DATA_SOURCE(LabelsOnly, "labels_only", "Labels.")
VISSL_DATA_SOURCE(ImagesOnly, "images_only", "Images.")
VISSL_SAMPLER(Strided, "strided", "Every world-th.")
VISSL_WEIGHTS(Renames, "renames", "Names with a prefix.")
