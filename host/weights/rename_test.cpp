#include "host/weights/rename.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "host/files/error.hpp"

namespace {

using namespace vissl::host;
using Sink = vissl_weights_rename_sink;

TensorRef floats(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return TensorRef::contiguous(DType::float32, std::move(shape),
                               Storage::copy_of(std::as_bytes(std::span(values))));
}

std::vector<float> values_of(const Node& node) {
  const std::vector<std::byte> bytes = node.as_tensor().packed();
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

vissl_str text(const char* s) {
  return {s, std::strlen(s)};
}

// A profile whose rename() is `answer`.
std::function<void(const vissl_weights_rename_request&, const Sink&)> answer;
vissl_status rename(void*, const vissl_weights_rename_request* request, const Sink* sink,
                    vissl_err*) {
  answer(*request, *sink);
  return VISSL_OK;
}

WeightsFile small_file() {
  WeightsFile file;
  file.tree["state_dict"]["conv.weight"] = floats({1, 2, 3, 4, 5, 6}, {1, 3, 2});
  file.tree["state_dict"]["bias"] = floats({7, 8}, {2});
  return file;
}

Renamed renamed(const WeightsFile& file, Container container = Container::torch) {
  vissl_weights_profile_class profile = {};
  profile.rename = rename;
  return rename_weights(file, {"x", "", "", 0, false, false}, container, "a.pth", profile, nullptr);
}

std::string refused(const WeightsFile& file) {
  try {
    renamed(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("convert: a file's names cannot steer the terminal in what is said of them") {
  WeightsFile file;
  file.tree["\x1b[31mred"] = floats({1}, {1});
  answer = [](const vissl_weights_rename_request& request, const Sink& sink) {
    sink.keep(sink.self, 0, text(""), request.source[0].name, 0);
    sink.message(sink.self, 1, text("two\nlines of \x1b[31mred"));
  };
  const Renamed out = renamed(file);
  CHECK(out.messages[0].line == "two\nlines of \x1b[31mred");  // the log makes it harmless
  CHECK(out.contents.tree.find("\x1b[31mred") != nullptr);     // the name itself stays
  answer = [](const vissl_weights_rename_request& request, const Sink& sink) {
    for (int i = 0; i < 2; ++i) sink.keep(sink.self, 0, text(""), request.source[0].name, 0);
  };
  CHECK(refused(file) ==
        "a.pth: two tensors would be called '\\x1b[31mred'; choose one with --part");
}

TEST_CASE("convert: names, places, further keys and tensors stand where the profile wants them") {
  answer = [](const vissl_weights_rename_request& request, const Sink& sink) {
    CHECK(request.source_count == 2);
    sink.keep(sink.self, 0, text("a.b"), text("w.x"), VISSL_WEIGHTS_REVERSE_CHANNELS);
    sink.fill(sink.self, 1, text("a.b"), text("var"), 1.0);
    sink.flag(sink.self, text("matching"), 1);
    sink.text(sink.self, text("author"), text("us"));
    sink.message(sink.self, 1, text("hello"));
  };
  const WeightsFile file = small_file();
  const Renamed out = renamed(file);
  const Node& place = out.contents.tree.at("a").at("b");
  CHECK(values_of(place.at("w.x")) == std::vector<float>{5, 6, 3, 4, 1, 2});
  CHECK(values_of(place.at("var")) == std::vector<float>{1, 1});
  CHECK(out.contents.tree.at("matching").as_bool());
  CHECK(out.contents.tree.at("author").as_text() == "us");
  REQUIRE(out.contents.left_out.size() == 1);
  CHECK(out.contents.left_out[0].name == "state_dict.bias");
  CHECK(out.contents.left_out[0].reason == "not covered");
  CHECK(out.messages.at(0).line == "hello");
  const Renamed flat = renamed(file, Container::safetensors);
  CHECK(flat.contents.metadata ==
        std::vector<std::pair<std::string, std::string>>{{"matching", "True"}, {"author", "us"}});
}

TEST_CASE("convert: reversing the channels twice gives the tensor back") {
  const TensorRef tensor = floats({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3, 2, 1});
  const TensorRef once = with_reversed_channels(tensor);
  CHECK(values_of(once) == std::vector<float>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8});
  CHECK(values_of(with_reversed_channels(once)) == values_of(tensor));
}

TEST_CASE("convert: a profile that gives one name twice, or nothing, is refused") {
  const WeightsFile file = small_file();
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.keep(sink.self, 0, text("model"), text("w"), 0);
    sink.keep(sink.self, 1, text("model"), text("w"), 0);
  };
  CHECK(refused(file) ==
        "a.pth: two tensors would be called 'w' in 'model'; choose one with --part");
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.drop(sink.self, 0, text("no"));
  };
  CHECK(refused(file) == "a.pth: no tensor is left; nothing would be written");
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.keep(sink.self, 1, text(""), text("w"), VISSL_WEIGHTS_REVERSE_CHANNELS);
  };
  CHECK(refused(file) == "a.pth: 'state_dict.bias' has no input channels to reverse");
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.keep(sink.self, 2, text(""), text("w"), 0);
  };
  const std::string beyond =
      "a.pth: the weights component asks for tensor 2 of 2, counted from 0; use another version of "
      "its plugin";
  CHECK(refused(file) == beyond);
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.fill(sink.self, 2, text(""), text("w"), 1.0);
  };
  CHECK(refused(file) == beyond);
  WeightsFile counts;
  const std::int64_t one = 1;
  counts.tree["n"] =
      TensorRef::contiguous(DType::int64, {1}, Storage::copy_of(std::as_bytes(std::span(&one, 1))));
  answer = [](const vissl_weights_rename_request&, const Sink& sink) {
    sink.fill(sink.self, 0, text(""), text("w"), 1.0);
  };
  CHECK(refused(counts) ==
        "a.pth: a further tensor of the type int64 is asked for, but only floating types can be "
        "made; use another version of the weights component's plugin");
  vissl_weights_profile_class old = {};
  CHECK_THROWS_WITH_AS(rename_weights(file, {}, Container::torch, "a.pth", old, nullptr),
                       "the weights component knows no other system's names; --to can be torch, "
                       "safetensors or sliced",
                       Error);
}
