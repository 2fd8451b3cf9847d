#include "host/runtime/train/meters.hpp"

#include <ATen/ops/from_blob.h>
#include <vissl/meter.h>

#include <span>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {

namespace {

const vissl_meter_class& table_of(const Instance& meter) {
  return meter.as<vissl_meter_class>();
}

std::span<double> counters_of(const Instance& meter) {
  double* data = nullptr;
  std::uint64_t count = 0;
  ErrorSink sink;
  sink.check(table_of(meter).counters(meter.self(), &data, &count, sink.get()),
             "meter " + meter.name());
  return {data, static_cast<std::size_t>(count)};
}

}  // namespace

Meters::Meters(const Setting& meters, Catalogue& catalogue) {
  for (std::size_t i = 0; i < meters.size(); ++i)
    meters_.push_back(catalogue.create("meter", meters.at(i).value()));
}

void Meters::reset() {
  for (const auto& meter : meters_) {
    ErrorSink sink;
    sink.check(table_of(*meter).reset(meter->self(), sink.get()), "meter " + meter->name());
  }
}

void Meters::update(const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
  if (meters_.empty()) return;
  std::vector<at::Tensor> cpu;
  for (const at::Tensor& t : outputs) cpu.push_back(t.detach().to(at::kCPU));
  const at::Tensor labels = target.defined() ? target.detach().to(at::kCPU) : at::Tensor();
  const std::vector<vissl_tensor*> handles = borrow_all(cpu);
  for (const auto& meter : meters_) {
    const InPlugin place = entering(*meter, "update");
    ErrorSink sink;
    sink.check(table_of(*meter).update(meter->self(), handles.data(), handles.size(),
                                       borrow(labels), sink.get()),
               "meter " + meter->name());
  }
}

void Meters::reduce() {
  for (const auto& meter : meters_) {
    if (table_of(*meter).reduce == nullptr) continue;
    ErrorSink sink;
    sink.check(table_of(*meter).reduce(meter->self(), sink.get()), "meter " + meter->name());
  }
  if (collectives().world() == 1) return;
  for (const auto& meter : meters_) {
    const std::span<double> counters = counters_of(*meter);
    at::Tensor view =
        at::from_blob(counters.data(), {static_cast<std::int64_t>(counters.size())}, at::kDouble);
    collectives().all_reduce(view, Collectives::Reduce::sum);
  }
}

std::vector<Meters::Value> Meters::values() const {
  std::vector<Value> values;
  for (const auto& meter : meters_) {
    std::string json;
    const vissl_out out = text_sink(json);
    ErrorSink sink;
    sink.check(table_of(*meter).value(meter->self(), &out, sink.get()), "meter " + meter->name());
    values.push_back({meter->name(), std::move(json)});
  }
  return values;
}

Node Meters::state() const {
  Node list = Node::list();
  for (const auto& meter : meters_) {
    Node counters = Node::list();
    for (const double c : counters_of(*meter)) counters.append(c);
    Node entry = Node::dict();
    entry["name"] = meter->name();
    entry["counters"] = std::move(counters);
    list.append(std::move(entry));
  }
  return list;
}

void Meters::load(const Node& state, const std::string& source) {
  const std::vector<Node>& saved = state.as_items();
  for (std::size_t i = 0; i < saved.size() && i < meters_.size(); ++i) {
    const std::vector<Node>& values = saved[i].at("counters").as_items();
    const std::span<double> counters = counters_of(*meters_[i]);
    if (saved[i].at("name").as_text() != meters_[i]->name() || values.size() != counters.size()) {
      throw Error(
          Exit::bad_data,
          source + ": its meters differ from those of this config; keep the config of the run");
    }
    for (std::size_t k = 0; k < counters.size(); ++k) counters[k] = values[k].as_real();
  }
}

}  // namespace vissl::host
