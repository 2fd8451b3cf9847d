// An exponential moving average of the model beside the run: e <- decay e + (1 - decay) m, over
// parameters and floating-point buffers; other buffers are copied. While less than `warmup` of the
// run is done the average is the model itself. It is a twin of the model, saved and resumed with
// the run under "ema_model", and may have meters of its own.
//
// Departs from VISSL in three ways: the average is always saved, because a resumed run needs it; it
// lives on the model's device (VISSL's EMA_DEVICE); its metrics stand on the phase's line of
// metrics.json instead of one of their own.
#include <vissl/collectives.hpp>
#include <vissl/components.hpp>
#include <vissl/hook.hpp>
#include <vissl/meter.hpp>
#include <vissl/plugin.hpp>

#include <optional>
#include <string>
#include <vector>

using namespace vissl;

namespace {

// One of the run's meters a second time, for the average.
class TwinMeter : public Inner<vissl_meter_class> {
 public:
  explicit TwinMeter(const Config& config) : Inner("meter", config), name_(config.string("name")) {}

  const std::string& name() const { return name_; }
  void reset() const { call(table().reset, instance()); }
  void update(const Tensors& outputs, std::uint64_t count, const Tensor& target) const {
    call(table().update, instance(), outputs.handles(), count, target.handle());
  }
  std::vector<double> counters() const {
    const auto [data, count] = writable();
    return std::vector<double>(data, data + count);
  }
  void set_counters(const std::vector<double>& values) const {
    const auto [data, count] = writable();
    if (count != values.size())
      fail(VISSL_E_DATA, "the saved counters of the average's meter '" + name_ + "' do not fit");
    std::copy(values.begin(), values.end(), data);
  }
  // Sums over the ranks. `like`: a tensor on the model's device.
  void reduce(const Collectives& ranks, const Tensor& like) const {
    if (ranks.world() == 1) return;
    if (table().reduce != nullptr) call(table().reduce, instance());
    const std::vector<double> own = counters();
    const Options there(Dtype::f64, like.device());
    const Tensor sums =
        Tensor::of(own, {static_cast<std::int64_t>(own.size())}).to(zeros({1}, there));
    ranks.all_reduce(sums);
    set_counters(sums.to_vector<double>());
  }
  std::string value() const {
    std::string json;
    const vissl_out out = {sizeof(vissl_out), &json,
                           [](void* self, const void* data, std::uint64_t bytes) {
                             static_cast<std::string*>(self)->append(
                                 static_cast<const char*>(data), static_cast<std::size_t>(bytes));
                             return bytes;
                           }};
    call(table().value, instance(), &out);
    return json;
  }

 private:
  std::pair<double*, std::uint64_t> writable() const {
    double* data = nullptr;
    std::uint64_t count = 0;
    call(table().counters, instance(), &data, &count);
    return {data, count};
  }
  std::string name_;
};

class Ema {
 public:
  static void params(Params& p) {
    p.vissl_prefix("HOOKS.EMA_MODEL");
    p.number("decay", 0.9999, between(0.0, 1.0), "What the average keeps of itself per update.");
    p.number("warmup", 0.05, between(0.0, 1.0),
             "Part of the run during which the average is the model itself.");
    p.integer("update_iter", 1, at_least(1), "Train steps between two updates.");
    p.boolean("enable_ema_meters", false,
              "Measures the average too, with the run's meters, as <meter>_ema.");
  }
  explicit Ema(const Config& c)
      : decay_(c.number("decay")),
        warmup_(c.number("warmup")),
        every_(c.integer("update_iter")),
        metered_(c.boolean("enable_ema_meters")) {}

  static constexpr auto events = event_mask(Event::start, Event::phase_start, Event::loss_and_meter,
                                            Event::update, Event::phase_end);
  void on_event(Event event, Run& run) {
    if (event == Event::start) start(run);
    if (event == Event::update) update(run);
    if (event == Event::loss_and_meter && counts(run)) measure(run);
    if (event == Event::phase_end && counts(run)) report(run);
    if (event != Event::phase_start) return;
    for (const TwinMeter& meter : meters_) meter.reset();
  }

  void save(Writer& out) const {
    std::vector<double> counters = waiting_;
    for (const TwinMeter& meter : meters_) {
      const std::vector<double> own = meter.counters();
      counters.insert(counters.end(), own.begin(), own.end());
    }
    out.put(counters);
  }
  void load(Reader& in, std::uint64_t) { waiting_ = in.get<std::vector<double>>(); }

 private:
  void start(const Run& run) {
    TwinSpec spec;
    spec.from = run.model();
    spec.buffers = TwinBuffers::ema;
    spec.training = false;
    spec.state_path = "ema_model";
    average_ = Model::create(spec);
    if (!metered_) return;
    for (const Config& meter : run.config().list("meters")) meters_.emplace_back(meter);
    if (meters_.empty())
      fail(VISSL_E_CONFIG, "ema: enable_ema_meters needs at least one of [[meters]]");
    meter_train_ = run.config().at("metering").boolean("enable_training_meter");
    if (waiting_.empty()) return;  // a fresh run
    auto at = waiting_.begin();
    for (const TwinMeter& meter : meters_) {
      const std::size_t count =
          std::min(meter.counters().size(), static_cast<std::size_t>(waiting_.end() - at));
      const auto end = at + static_cast<std::ptrdiff_t>(count);
      meter.set_counters(std::vector<double>(at, end));
      at = end;
    }
    waiting_.clear();
  }

  void update(const Run& run) const {
    const Counters now = run.counters();
    if (now.iteration % every_ == 0)
      average_->ema_update(run.model(), now.where < warmup_ ? 0.0 : decay_);
  }

  bool counts(const Run& run) const {
    return !meters_.empty() && (run.counters().training == 0 || meter_train_);
  }
  static const char* phase(const Run& run) {
    return run.counters().training != 0 ? "train" : "test";
  }

  void measure(const Run& run) const {
    const std::vector<std::string> keys =
        run.config().at("data").at(phase(run)).strings("target_key_names");
    std::vector<Tensor> outputs;
    for (const Tensor& output : run.forward_step(*average_)) outputs.push_back(on_cpu(output));
    const Tensor target = keys.empty() ? Tensor() : on_cpu(run.record(keys[0]));
    const Tensors list(outputs);
    for (const TwinMeter& meter : meters_) meter.update(list, outputs.size(), target);
  }
  static Tensor on_cpu(const Tensor& t) {
    return t ? t.to(zeros({1}, Options(t.dtype()))) : Tensor();
  }

  void report(const Run& run) const {
    for (const TwinMeter& meter : meters_) {
      meter.reduce(Collectives(), run.params().front().tensor);
      const std::string name = std::string(phase(run)) + "_" + meter.name() + "_ema";
      const std::string json = meter.value();
      run.phase_metric(name, json);
      run.info(name + " " + json);
    }
  }

  double decay_, warmup_;
  std::int64_t every_;
  bool metered_, meter_train_ = true;
  std::optional<Model> average_;
  std::vector<TwinMeter> meters_;
  std::vector<double> waiting_;  // counters of a phase that goes on, until START makes the meters
};

}  // namespace

VISSL_HOOK(Ema, "ema", "Keeps an exponential moving average of the model, with meters of its own.")
VISSL_PLUGIN("org.vissl.hooks.ema", "1.0.0")
