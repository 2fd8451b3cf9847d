// Weighted k-nearest-neighbour classification of trunk features (arXiv:1805.01978, section 3.4), as
// VISSL votes: the k training images with the largest dot product vote for their class with
// exp(similarity / sigma); classes are ranked by their votes.
//
// Departs from VISSL in arithmetic alone: votes are summed in float64 after the row's largest
// similarity is subtracted, which scales all votes of an image alike, so that nothing overflows;
// among equal votes the lowest class number comes first.
//
// Writes kNN_{layer}_output_predictions.npy (N, C) i64, all classes in order; …_targets.npy (N, 1)
// i64; …_image_indices.npy (N) i64; and knn_top1 … as fractions to summary.json.
#include <vissl/collectives.hpp>
#include <vissl/engine.hpp>
#include <vissl/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

using namespace vissl;

namespace {

// One feature of the trunk and how it becomes a vector. The host reads model.feature_eval with a
// parser of its own: an engine knows the SDK alone, and no other plugin would ask it for pooling.
struct Layer {
  std::string name;
  std::string pool = "Identity";
  std::vector<std::vector<std::int64_t>> args;

  explicit Layer(const Config& c) {
    if (c.is_string()) {
      name = c.string();
      return;
    }
    for (std::uint64_t i = 0; i < c.size(); ++i) {
      const std::string key = c.key(i);
      if (key == "name") {
        name = c.string(key);
      } else if (key == "pool") {
        pool = c.string(key);
      } else if (key == "args") {
        for (const Config& arg : c.list(key)) {
          args.push_back(arg.is_list() ? arg.integers() : std::vector<std::int64_t>{arg.integer()});
        }
      } else {
        fail(VISSL_E_CONFIG, c.at(i).where() + ": unknown key '" + key +
                                 "' of a feature; it has name, pool and args");
      }
    }
    const bool adaptive = pool == "AdaptiveAvgPool2d" || pool == "AdaptiveMaxPool2d";
    const bool sliding = pool == "AvgPool2d" || pool == "MaxPool2d";
    if (!adaptive && !sliding && pool != "Identity") {
      fail(VISSL_E_CONFIG, c.where() + ": unknown pool '" + pool +
                               "'; it is AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, "
                               "MaxPool2d or Identity");
    }
    if (name.empty() || (adaptive && args.size() != 1) ||
        (sliding && (args.empty() || args.size() > 3))) {
      fail(VISSL_E_CONFIG, c.where() +
                               ": a feature needs a name, and its pool torch's arguments: "
                               "args = [[2, 2]] (output size), or kernel, stride, padding");
    }
  }
  explicit Layer(std::string layer_name) : name(std::move(layer_name)) {}

  // (N, …) -> (N, D) f32
  Tensor vectors(const Tensor& feature) const {
    if (pool != "Identity" && feature.dim() != 4) {
      fail(VISSL_E_CONFIG, "feature '" + name + "' has " + std::to_string(feature.dim()) +
                               " dimensions, so it cannot be pooled; leave out its pool (a pool of "
                               "model.feature_eval acts already)");
    }
    return pooled(feature.to(Dtype::f32)).flatten(1);
  }

 private:
  Tensor pooled(const Tensor& x) const {
    const auto arg = [&](std::size_t i, std::vector<std::int64_t> otherwise) {
      return i < args.size() ? args[i] : otherwise;
    };
    if (pool == "AdaptiveAvgPool2d") return adaptive_avg_pool2d(x, args[0]);
    if (pool == "AdaptiveMaxPool2d") return std::get<0>(adaptive_max_pool2d(x, args[0]));
    if (pool == "AvgPool2d") return avg_pool2d(x, args[0], arg(1, args[0]), arg(2, {0}));
    if (pool == "MaxPool2d") return max_pool2d(x, args[0], arg(1, args[0]), arg(2, {0}));
    return x;
  }
};

// The vectors of all images of a split, and their classes.
struct Split {
  std::vector<Tensor> banks;  // (N, D) f32 for each layer
  std::vector<std::int64_t> labels;
};

// An engine has no file services but its folder; these three kinds of integers are all it writes.
void write_npy(const std::string& path, const std::vector<std::int64_t>& values,
               const std::string& shape) {
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');  // the data begin at a multiple of 64
  header += '\n';
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  const char start[] = {'\x93',
                        'N',
                        'U',
                        'M',
                        'P',
                        'Y',
                        1,
                        0,
                        static_cast<char>(header.size() & 0xff),
                        static_cast<char>(header.size() >> 8)};
  file.write(start, sizeof start);
  file << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof values[0]));
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(temporary, path, error);
  if (!file || error) {
    std::filesystem::remove(temporary, error);
    fail("cannot write '" + path + "'; is the disk full, or the folder read-only?");
  }
}

class NearestNeighbor {
 public:
  static void params(Params& p) {
    p.vissl_prefix("NEAREST_NEIGHBOR");
    p.any("topk", Toml("200"), "Neighbours that vote; a list gives one result for each number.")
        .accepts("an integer or a list of integers");
    p.number("sigma", 0.1, above(0.0), "Temperature of the votes: exp(similarity / sigma).");
    p.boolean("l2_norm_feats", false, "Gives features unit length, so that similarity is cosine.");
    p.any("features", Toml("[]"),
          "Features of the trunk: names, or { name, pool, args } as in model.feature_eval; also "
          "\"heads\" and \"input\". Without it those of model.feature_eval, or \"heads\".")
        .accepts("a list of names or { name, pool, args }")
        .vissl("");
    p.strings("baselines", {}, one_of("random_init", "raw_pixels"),
              "What to compare with: the network with random weights, and the input's pixels.")
        .vissl("");
    p.table("random_init_model", Toml("{}"),
            "Settings of [model] that differ in the network with random weights.")
        .vissl("");
    p.string("train_split", "train", "The split whose images vote.").vissl("");
    p.string("test_split", "test", "The split whose images are classified.").vissl("");
  }
  explicit NearestNeighbor(const Config& c)
      : sigma_(c.number("sigma")),
        unit_length_(c.boolean("l2_norm_feats")),
        random_model_(c.table("random_init_model")),
        train_(c.string("train_split")),
        test_(c.string("test_split")) {
    const Config topk = c.at("topk");
    topk_ = topk.is_list() ? topk.integers() : std::vector<std::int64_t>{topk.integer()};
    if (topk_.empty() || *std::min_element(topk_.begin(), topk_.end()) < 1) {
      fail(VISSL_E_CONFIG, topk.where() + ": topk needs one or more numbers of at least 1");
    }
    for (const Config& layer : c.list("features")) layers_.emplace_back(layer);
    for (const std::string& name : c.strings("baselines")) {
      (name == "random_init" ? random_init_ : raw_pixels_) = true;
    }
  }

  void run(Run& run) {
    if (layers_.empty()) layers_ = layers_of_model(run);
    classify(run, layers_, std::nullopt, "");
    if (raw_pixels_) classify(run, {Layer("input")}, std::nullopt, "raw_pixels");
    if (random_init_) {
      TwinSpec spec;
      spec.config = random_model_;
      spec.training = false;
      classify(run, layers_, Model::create(spec), "random_init");
    }
  }

 private:
  static std::vector<Layer> layers_of_model(const Run& run) {
    std::vector<Layer> layers;
    const auto evaluated = run.config().at("model").find("feature_eval");
    if (evaluated && evaluated->has("features")) {
      for (const Config& feature : evaluated->list("features")) {
        layers.emplace_back(feature.string("name"));
      }
    }
    if (layers.empty()) layers.emplace_back("heads");
    return layers;
  }

  // `baseline`: empty for the model itself, else part of the names of files and of the summary.
  void classify(const Run& run, const std::vector<Layer>& layers, const std::optional<Model>& model,
                const std::string& baseline) const {
    const Split train = extract(run, train_, layers, model);
    const Split test = extract(run, test_, layers, model);
    if (Collectives().rank() != 0) return;  // all have all vectors; one lets them vote
    const std::int64_t classes = *std::max_element(train.labels.begin(), train.labels.end()) + 1;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string layer = baseline.empty()     ? layers[i].name
                                : layers.size() == 1 ? baseline
                                                     : baseline + "_" + layers[i].name;
      for (std::size_t k = 0; k < topk_.size(); ++k) {
        const std::vector<std::int64_t> ranked = rank(train, test, i, topk_[k], classes);  // (N, C)
        const auto [top1, top5] = accuracy(ranked, test.labels, classes);
        char line[200];
        std::snprintf(line, sizeof line,
                      "layer: %s, topk: %lld, images: %zu, Top1: %.2f, Top5: %.2f", layer.c_str(),
                      static_cast<long long>(topk_[k]), test.labels.size(), 100.0 * top1,
                      100.0 * top5);
        run.info(line);
        const std::string suffix = topk_.size() > 1 ? "_k" + std::to_string(topk_[k]) : "";
        const std::string tail = baseline.empty() ? "" : "_" + baseline;
        if (i == 0 && k == 0) {
          run.summary("knn_top1" + tail, top1);
          run.summary("knn_top5" + tail, top5);
        }
        if (layers.size() > 1 || topk_.size() > 1) {
          run.summary("knn_top1_" + layer + suffix, top1);
          run.summary("knn_top5_" + layer + suffix, top5);
        }
        write(run, layer, ranked, test.labels, classes);
      }
    }
  }

  Split extract(const Run& run, const std::string& split, const std::vector<Layer>& layers,
                const std::optional<Model>& model) const {
    Pass pass;
    pass.split = split;
    pass.model = model;
    for (const Layer& layer : layers) pass.features.push_back(layer.name);
    Split out;
    out.banks.resize(layers.size());
    const std::int64_t length = run.split_length(split);
    const Tensor labels = zeros({length}, Dtype::i64);
    const std::int64_t rank = Collectives().rank(), world = Collectives().world();
    std::int64_t seen = 0;  // a pass gives rank r the images r, r + world, … of the split
    run.pass(pass, [&](const PassBatch& batch) {
      if (batch.labels == nullptr) {
        fail(VISSL_E_CONFIG, "the split '" + split +
                                 "' has no class labels, but neighbours vote "
                                 "for classes");
      }
      if (batch.outputs.size() != layers.size()) {
        fail(VISSL_E_CONFIG, "the model gives " + std::to_string(batch.outputs.size()) +
                                 " outputs for " + std::to_string(layers.size()) +
                                 " features; name features of the trunk");
      }
      const std::int64_t rows = static_cast<std::int64_t>(batch.rows);
      const Tensor at = arange(seen, seen + rows) * world + rank;
      seen += rows;
      for (std::size_t i = 0; i < layers.size(); ++i) {
        Tensor x = layers[i].vectors(batch.outputs[i]);
        if (unit_length_) x = normalize(x, 1);
        Tensor& bank = out.banks[i];
        if (!bank) bank = zeros({length, x.size(1)}, Dtype::f32);
        bank.index_copy_(0, at, x);
      }
      labels.index_copy_(0, at,
                         Tensor::of<std::int64_t>({batch.labels, batch.labels + rows}, {rows}));
    });
    if (length == 0) fail(VISSL_E_DATA, "the split '" + split + "' has no images");
    for (Tensor& bank : out.banks) join(bank, length);
    Collectives().all_reduce(labels);
    out.labels = labels.to_vector<std::int64_t>();
    if (*std::min_element(out.labels.begin(), out.labels.end()) < 0) {
      fail("the split '" + split + "' has labels below 0");
    }
    return out;
  }

  // Each rank filled the rows of its own images, and the others are zero: the sum over the ranks is
  // the whole bank, bit for bit. A rank without images has no bank yet.
  static void join(Tensor& bank, std::int64_t length) {
    const Tensor width = Tensor::of<std::int64_t>({bank ? bank.size(1) : 0}, {1});
    Collectives().all_reduce(width, Reduce::max);
    if (!bank) bank = zeros({length, width.item<std::int64_t>()}, Dtype::f32);
    Collectives().all_reduce(bank);
  }

  // All classes of each test image by their votes, best first: (N, C) row-major.
  std::vector<std::int64_t> rank(const Split& train, const Split& test, std::size_t layer,
                                 std::int64_t k, std::int64_t classes) const {
    const Tensor& voters = train.banks[layer];
    const Tensor& images = test.banks[layer];
    const std::int64_t voter_count = voters.size(0), image_count = images.size(0);
    if (k > voter_count) {
      fail(VISSL_E_CONFIG, "topk = " + std::to_string(k) +
                               " neighbours were asked for, but the "
                               "split '" +
                               train_ + "' has only " + std::to_string(voter_count) + " images");
    }
    // About 64 MiB of similarities at a time.
    const std::int64_t chunk = std::max<std::int64_t>(1, (std::int64_t{1} << 24) / voter_count);
    std::vector<std::int64_t> ranked(static_cast<std::size_t>(image_count * classes));
    for (std::int64_t start = 0; start < image_count; start += chunk) {
      const std::int64_t rows = std::min(chunk, image_count - start);
      const Tensor similarity = matmul(images.narrow(0, start, rows), voters.t());
      const auto [values, neighbours] = topk(similarity, k, 1);  // (rows, k)
      vote(values.to_vector<double>(), neighbours.to_vector<std::int64_t>(), train.labels, k,
           classes, &ranked[static_cast<std::size_t>(start * classes)]);
    }
    return ranked;
  }

  void vote(const std::vector<double>& similarity, const std::vector<std::int64_t>& neighbours,
            const std::vector<std::int64_t>& labels, std::int64_t k, std::int64_t classes,
            std::int64_t* ranked) const {
    std::vector<double> votes(static_cast<std::size_t>(classes));
    const std::size_t width = static_cast<std::size_t>(k);
    for (std::size_t row = 0; row < similarity.size() / width; ++row, ranked += classes) {
      std::fill(votes.begin(), votes.end(), 0.0);
      const double* own = &similarity[row * width];  // largest first
      if (!std::isfinite(own[0]) || !std::isfinite(own[width - 1])) {
        fail("the features are not finite, so no image is nearest; look at the weights");
      }
      for (std::size_t j = 0; j < width; ++j) {
        const auto voter = static_cast<std::size_t>(neighbours[row * width + j]);
        votes[static_cast<std::size_t>(labels[voter])] += std::exp((own[j] - own[0]) / sigma_);
      }
      std::iota(ranked, ranked + classes, std::int64_t{0});
      std::stable_sort(ranked, ranked + classes, [&](std::int64_t a, std::int64_t b) {
        return votes[static_cast<std::size_t>(a)] > votes[static_cast<std::size_t>(b)];
      });
    }
  }

  // Shares of images whose class is first, and among the first five (0 with fewer classes).
  static std::pair<double, double> accuracy(const std::vector<std::int64_t>& ranked,
                                            const std::vector<std::int64_t>& labels,
                                            std::int64_t classes) {
    double top1 = 0, top5 = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t* row = &ranked[i * static_cast<std::size_t>(classes)];
      top1 += row[0] == labels[i] ? 1 : 0;
      if (classes >= 5) top5 += std::find(row, row + 5, labels[i]) != row + 5 ? 1 : 0;
    }
    const double count = static_cast<double>(labels.size());
    return {top1 / count, top5 / count};
  }

  static void write(const Run& run, const std::string& layer,
                    const std::vector<std::int64_t>& ranked,
                    const std::vector<std::int64_t>& labels, std::int64_t classes) {
    const std::string start =
        std::string(view(run.facts().checkpoint_dir)) + "/kNN_" + layer + "_output_";
    const std::string count = std::to_string(labels.size());
    std::vector<std::int64_t> positions(labels.size());
    std::iota(positions.begin(), positions.end(), std::int64_t{0});
    write_npy(start + "predictions.npy", ranked,
              "(" + count + ", " + std::to_string(classes) + ")");
    write_npy(start + "targets.npy", labels, "(" + count + ", 1)");
    write_npy(start + "image_indices.npy", positions, "(" + count + ",)");
  }

  std::vector<std::int64_t> topk_;
  double sigma_;
  bool unit_length_, random_init_ = false, raw_pixels_ = false;
  Config random_model_;
  std::string train_, test_;
  std::vector<Layer> layers_;
};

}  // namespace

VISSL_ENGINE(NearestNeighbor, "nearest_neighbor",
             "Accuracy of trunk features under a vote of the k nearest training images.")
VISSL_PLUGIN("org.vissl.engines.nearest_neighbor", "1.0.0")
