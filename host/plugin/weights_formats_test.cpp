#include "host/plugin/weights_formats.hpp"

#include <doctest/doctest.h>
#include <vissl/weights_format.h>

#include <cstring>
#include <fstream>
#include <functional>

#include "host/files/zip_writer.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;
using vissl::test::TempFolder;

namespace {

// A format that answers as a test tells it to.
struct Script {
  std::string name;
  std::string magic;
  std::function<vissl_status(const vissl_weights_bytes&, const vissl_weights_tensor_sink&)> open;
  std::string open_error = {}, read_error = {};
  int reads = 0, opened = 0, closed = 0;
};

vissl_str text(const std::string& s) {
  return {s.data(), s.size()};
}

vissl_status recognise(void* self, const vissl_weights_bytes* file, std::uint32_t* is_known,
                       vissl_err*) {
  const std::string& magic = static_cast<Script*>(self)->magic;
  *is_known =
      file->count >= magic.size() && std::memcmp(file->data, magic.data(), magic.size()) == 0;
  return VISSL_OK;
}

vissl_status open_file(void* self, const vissl_weights_bytes* file,
                       const vissl_weights_tensor_sink* sink, void** opened, vissl_err* err) {
  Script& script = *static_cast<Script*>(self);
  if (!script.open_error.empty()) {
    err->set(err, VISSL_E_DATA, text(script.open_error));
    return VISSL_E_DATA;
  }
  const vissl_status status = script.open(*file, *sink);
  if (status == VISSL_OK) ++script.opened;
  *opened = self;
  return status;
}

vissl_status read_tensor(void* opened, std::uint64_t tensor, void* data, std::uint64_t bytes,
                         vissl_err* err) {
  Script& script = *static_cast<Script*>(opened);
  ++script.reads;
  if (!script.read_error.empty()) {
    err->set(err, VISSL_E_DATA, text(script.read_error));
    return VISSL_E_DATA;
  }
  std::memset(data, static_cast<int>(tensor) + 1, bytes);
  return VISSL_OK;
}

void close_file(void* opened) {
  ++static_cast<Script*>(opened)->closed;
}

constexpr vissl_weights_format_class kTable = {sizeof(vissl_weights_format_class),
                                               nullptr,
                                               nullptr,
                                               recognise,
                                               open_file,
                                               read_tensor,
                                               close_file,
                                               nullptr};
constexpr vissl_weights_format_class kNoRead = {sizeof(vissl_weights_format_class),
                                                nullptr,
                                                nullptr,
                                                recognise,
                                                open_file,
                                                nullptr,
                                                nullptr,
                                                nullptr};

class Format final : public Instance {
 public:
  Format(Script& script, const vissl_weights_format_class& table)
      : script_(script), table_(table), id_("org.example." + script.name) {}
  const void* table() const override { return &table_; }
  void* self() const override { return &script_; }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return kind_; }
  const std::string& name() const override { return script_.name; }
  const std::string& plugin_id() const override { return id_; }
  const std::string& plugin_version() const override { return id_; }

 private:
  Script& script_;
  const vissl_weights_format_class& table_;
  std::string id_, kind_ = "weights_format";
};

class Formats final : public Catalogue, public DeclarationIndex {
 public:
  explicit Formats(std::vector<Script*> scripts, const vissl_weights_format_class& table = kTable)
      : scripts_(std::move(scripts)), table_(table) {}
  std::unique_ptr<Instance> create(std::string_view, const vissl_value* config) override {
    for (Script* script : scripts_)
      if (script->name == config->find("name")->as_text())
        return std::make_unique<Format>(*script, table_);
    return nullptr;
  }
  const Declaration* find(std::string_view, std::string_view, const std::string&) override {
    return &declaration;
  }
  std::vector<std::string> names(std::string_view kind) const override {
    std::vector<std::string> out;
    for (const Script* script : scripts_)
      if (kind == "weights_format") out.push_back(script->name);
    return out;
  }
  std::string searched() const override { return ""; }

  Declaration declaration;

 private:
  std::vector<Script*> scripts_;
  const vissl_weights_format_class& table_;
};

vissl_weights_tensor tensor(const std::string& name, vissl_dtype dtype,
                            const std::vector<std::int64_t>& shape, std::uint64_t offset,
                            std::uint64_t flags = 0) {
  vissl_weights_tensor out{};
  out.size = sizeof out;
  out.name = text(name);
  out.dtype = dtype;
  out.ndim = static_cast<std::uint32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size() && i < 8; ++i) out.shape[i] = shape[i];
  out.offset = offset;
  out.flags = flags;
  return out;
}

const std::string kBytes("TOY!\1\2\3\4\5\6\7\10\11\12\13\14", 16);

FileBytes in_memory(const std::string& bytes) {
  const auto kept = std::make_shared<const std::string>(bytes);
  return {std::as_bytes(std::span(*kept)), kept, "a.toy"};
}

WeightsFile read(Formats& formats, const std::string& bytes = kBytes) {
  PluginFormats plugins(formats, formats);
  WeightsReadOptions options;
  options.formats = &plugins;
  return read_weights(in_memory(bytes), options);
}

std::string refusal(Formats& formats, Exit code, const std::string& bytes = kBytes) {
  try {
    read(formats, bytes);
  } catch (const Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return "";
}

// What the host says about a file with this one tensor.
std::string told(const vissl_weights_tensor& one, Exit code = Exit::bad_data,
                 const vissl_weights_format_class& table = kTable) {
  Script toy{"toy", "TOY!", [&](const auto&, const auto& sink) {
               // Goes on after a refusal, and claims success: the first problem counts.
               sink.tensor(sink.self, &one);
               const std::string name = "fine";
               const vissl_weights_tensor fine = tensor(name, VISSL_U8, {1}, 0);
               sink.tensor(sink.self, &fine);
               return VISSL_OK;
             }};
  Formats formats({&toy}, table);
  const std::string text = refusal(formats, code);
  CHECK(toy.opened == toy.closed + (table.close == nullptr ? 1 : 0));
  return text;
}

const std::string kToy = "a.toy: plugin 'org.example.toy' (weights_format 'toy') ";
const std::string kDamaged = kToy + "reads a damaged file: it ";

}  // namespace

TEST_CASE("weights formats: tensors lie in the file, or are made once when they are used") {
  const std::string in_file = "a.b", swapped = "swapped", made = "made", odd = "odd";
  Script toy{"toy", "TOY!", [&](const vissl_weights_bytes& file, const auto& sink) {
               CHECK(file.count == kBytes.size());
               CHECK(file.path.size == 0);
               for (const vissl_weights_tensor& one :
                    {tensor(in_file, VISSL_U8, {2, 3}, 4), tensor(swapped, VISSL_I16, {2}, 4, 1),
                     tensor(made, VISSL_I16, {2}, VISSL_WEIGHTS_NOT_IN_FILE),
                     tensor(odd, VISSL_I32, {}, 5)})
                 CHECK(sink.tensor(sink.self, &one) == VISSL_OK);
               const std::string key = "made_by", value = "a test";
               sink.metadata(sink.self, text(key), text(value));
               sink.warning(sink.self, text(value));
               return VISSL_OK;
             }};
  Formats formats({&toy});
  {
    const WeightsFile file = read(formats);
    CHECK(file.format == "toy");
    CHECK(file.metadata == std::vector<std::pair<std::string, std::string>>{{"made_by", "a test"}});
    CHECK(file.warnings == std::vector<std::string>{"a test"});
    const auto bytes = [&file](const char* name) {
      const auto packed = file.tree.at(std::string(name)).as_tensor().packed();
      return std::string(reinterpret_cast<const char*>(packed.data()), packed.size());
    };
    CHECK(bytes("a.b") == std::string("\1\2\3\4\5\6"));
    CHECK(bytes("swapped") == std::string("\2\1\4\3"));
    CHECK(bytes("odd") == std::string("\2\3\4\5"));
    CHECK(toy.reads == 0);
    CHECK(bytes("made") == std::string("\3\3\3\3"));
    CHECK(bytes("made") == std::string("\3\3\3\3"));
    CHECK(toy.reads == 1);
    CHECK(file.tree.at(std::string("a.b")).as_tensor().shape == std::vector<std::int64_t>{2, 3});
    CHECK(toy.closed == 0);
  }
  CHECK(toy.closed == 1);
}

TEST_CASE("weights formats: our own readers come first, then the one that knows the file") {
  const auto empty = [](const auto&, const auto&) { return VISSL_OK; };
  Script claims_all{"claims_all", "", empty}, toy{"toy", "TOY!", empty};
  Formats both({&claims_all, &toy}), one({&toy}), none({});
  const std::string safetensors("\2\0\0\0\0\0\0\0{}", 10);
  CHECK(read(both, safetensors).format == "safetensors");
  CHECK(claims_all.opened == 0);
  CHECK(refusal(both, Exit::bad_plugin) ==
        "a.toy: plugin 'org.example.claims_all' (weights_format 'claims_all') and plugin "
        "'org.example.toy' (weights_format 'toy') both say that they read it; take one of them out "
        "of the plugin folders");
  // What is named, but not read, may be a plugin's; what holds no weights is nobody's.
  Script hdf{"hdf", "\x89HDF", empty}, bzip{"bzip", "BZh", empty}, json{"json", "{", empty};
  Formats others({&hdf, &bzip, &json});
  CHECK(read(others, "\x89HDF and so on, long enough").format == "hdf");
  CHECK(read(others, "BZh and so on, long enough").format == "bzip");
  CHECK(read(others, "{\"model\": \"of another system\"}").format == "json");
  CHECK(refusal(others, Exit::bad_data, "<html>") ==
        "a.toy: is a web page, not weights: a download link gave an error or a login page; check "
        "the link and download again");
  CHECK(refusal(others, Exit::bad_data, "") == "a.toy: is empty; use another copy");
  CHECK(refusal(one, Exit::bad_data, "\x89HDF and so on, long enough") ==
        "a.toy: is an HDF5 file (Keras), which is not supported; convert it to safetensors");
}

TEST_CASE("weights formats: an unknown file's error lists what could have been read") {
  Script hdf{"hdf", "\x89HDF", {}}, toy{"toy", "TOY!", {}};
  Formats two({&hdf, &toy}), none({});
  const std::string ours =
      "a.toy: is of no format that holds weights: neither torch's zip, stream or tar format, "
      "TorchScript, safetensors, numpy's .npy and .npz nor a pickle of arrays";
  CHECK(refusal(two, Exit::bad_data, "nobody knows what this is") ==
        ours + ", nor of a plugin's format: hdf, toy");
  CHECK(refusal(none, Exit::bad_data, "nobody knows what this is") ==
        ours + "; no plugin reads another format");
}

TEST_CASE(
    "weights formats: a shard of an index and the file in a zip may be of a plugin's format") {
  const TempFolder folder;
  const std::string name = "a";
  std::string path;
  Script toy{"toy", "TOY!", [&](const vissl_weights_bytes& file, const auto& sink) {
               path.assign(file.path.data, file.path.size);
               const vissl_weights_tensor one = tensor(name, VISSL_U8, {2}, 4);
               return sink.tensor(sink.self, &one);
             }};
  Formats formats({&toy});
  PluginFormats plugins(formats, formats);
  WeightsReadOptions options;
  options.formats = &plugins;
  std::ofstream(folder / "one.toy") << kBytes;
  std::ofstream(folder / "index.json") << R"({"weight_map": {"a": "one.toy"}})";
  const WeightsFile file = read_weights_file(folder / "index.json", options);
  CHECK(file.tree.at(std::string("a")).as_tensor().shape == std::vector<std::int64_t>{2});
  CHECK(path == (folder / "one.toy").string());

  MemorySink zipped;
  ZipWriter zip(zipped);
  zip.add_text("one.toy", kBytes);
  zip.finish();
  std::ofstream(folder / "toy.zip", std::ios::binary)
      .write(reinterpret_cast<const char*>(zipped.data.data()),
             static_cast<std::streamsize>(zipped.data.size()));
  CHECK(read_weights_file(folder / "toy.zip", options).format == "toy");
  CHECK(path.empty());  // part of another file
}

TEST_CASE("weights formats: what a plugin says about a tensor is checked") {
  const std::string a = "a", bad = "\xff", empty, huge(5000, 'x');
  CHECK(told(tensor(a, VISSL_F32, {4}, 4)) ==
        kDamaged +
            "gives the tensor 'a' 16 bytes from byte 4 on, but the file has 16; use another "
            "copy");
  CHECK(told(tensor(a, VISSL_U8, {1}, 17)) ==
        kDamaged +
            "gives the tensor 'a' 1 bytes from byte 17 on, but the file has 16; use another "
            "copy");
  CHECK(told(tensor(a, VISSL_F32, {-1}, 4)) ==
        kDamaged + "gives the tensor 'a' a negative size; use another copy");
  CHECK(told(tensor(a, VISSL_F32, {1L << 40, 1L << 40}, 4)) ==
        kDamaged + "gives the tensor 'a' more elements than can be counted; use another copy");
  CHECK(told(tensor(a, VISSL_F32, {1L << 40}, VISSL_WEIGHTS_NOT_IN_FILE)) ==
        kDamaged +
            "gives the tensor 'a' 4398046511104 bytes, more than the limit of 17179869184 "
            "for what is not in the file as it is; use another copy");
  CHECK(told(tensor(empty, VISSL_F32, {1}, 4)) ==
        kDamaged + "has a tensor without a name; use another copy");
  CHECK(told(tensor(bad, VISSL_F32, {1}, 4)) ==
        kDamaged + "has a tensor whose name is no text in UTF-8; use another copy");
  CHECK(told(tensor(huge, VISSL_F32, {1}, 4)) ==
        kDamaged + "has a tensor whose name has 5000 bytes; use another copy");
  const std::string fine = "fine";  // the second one's name
  CHECK(told(tensor(fine, VISSL_F32, {1}, 4)) ==
        kDamaged + "has two tensors called 'fine'; use another copy");
  const std::string author = "; report it to the plugin's author";
  for (const int dtype : {-1, 12, 18, 99, 256, 1 << 20})
    CHECK(told(tensor(a, dtype, {1}, 4), Exit::bad_plugin) ==
          kToy + "gives the tensor 'a' the element type " + std::to_string(dtype) +
              ", which is none of VISSL_U8 …" + author);
  vissl_weights_tensor deep = tensor(a, VISSL_U8, {1}, 4);
  deep.ndim = 9;
  CHECK(told(deep, Exit::bad_plugin) == kToy + "gives the tensor 'a' 9 dimensions" + author);
  CHECK(told(tensor(a, VISSL_U8, {1}, 4, 2), Exit::bad_plugin) ==
        kToy + "gives the tensor 'a' flags that this host does not know" + author);
  deep.size = 8;
  CHECK(told(deep, Exit::bad_plugin) ==
        kToy + "describes a tensor in a struct that is too short" + author);
  CHECK(told(tensor(a, VISSL_U8, {1}, VISSL_WEIGHTS_NOT_IN_FILE), Exit::bad_plugin, kNoRead) ==
        kToy +
            "says that the tensor 'a' is not in the file as it is, but has no method 'read' to "
            "make it" +
            author);
}

TEST_CASE("weights formats: an empty tensor may stand at the end, beside sizes of any height") {
  const std::string a = "a", b = "b";
  Script toy{"toy", "TOY!", [&](const auto&, const auto& sink) {
               const vissl_weights_tensor one = tensor(a, VISSL_F32, {0, 1L << 40}, 16);
               const vissl_weights_tensor two =
                   tensor(b, VISSL_F32, {0}, VISSL_WEIGHTS_NOT_IN_FILE);
               CHECK(sink.tensor(sink.self, &one) == VISSL_OK);
               return sink.tensor(sink.self, &two);
             }};
  Formats formats({&toy});
  const WeightsFile file = read(formats);
  CHECK(file.tree.at(a).as_tensor().packed().empty());
  CHECK(file.tree.at(b).as_tensor().packed().empty());
}

TEST_CASE("weights formats: what a plugin reports has the file, the format and the tensor") {
  const std::string a = "a";
  Script toy{"toy", "TOY!", [&](const auto&, const auto& sink) {
               const vissl_weights_tensor one =
                   tensor(a, VISSL_F32, {2}, VISSL_WEIGHTS_NOT_IN_FILE);
               return sink.tensor(sink.self, &one);
             }};
  Formats formats({&toy});
  toy.read_error = "is cut off";
  const WeightsFile file = read(formats);
  CHECK_THROWS_WITH_AS(file.tree.at(a).as_tensor().packed(),
                       "a.toy: read as toy: tensor 'a': is cut off", Error);
  toy.read_error = "";
  CHECK(file.tree.at(a).as_tensor().packed().size() == 8);
  toy.open_error = "ends at byte 12; use another copy";
  CHECK(refusal(formats, Exit::bad_data) ==
        "a.toy: read as toy: ends at byte 12; use another copy");
  toy.open_error = "";
  toy.open = [](const auto&, const auto&) { return VISSL_E_FAILED; };
  CHECK(refusal(formats, Exit::run_failed) == "a.toy: read as toy: failed without a text");
}

TEST_CASE("weights formats: a format cannot ask for parameters that nobody can give") {
  Script toy{"toy", "TOY!", {}};
  Formats formats({&toy});
  formats.declaration.plugin_id = "org.example.toy";
  Param key;
  key.name = "key";
  key.flags = VISSL_P_REQUIRED;
  formats.declaration.params = {key};
  CHECK(refusal(formats, Exit::bad_plugin) ==
        "a.toy: plugin 'org.example.toy': the weights_format 'toy' requires its parameter 'key', "
        "but formats have their defaults alone; report it to the plugin's author");
}

TEST_CASE("weights formats: metadata is bounded and text") {
  const std::string large(std::size_t{40} << 20, 'x'), key = "k", bad = "\xff";
  Script toy{"toy", "TOY!", [&](const auto&, const auto& sink) {
               for (int i = 0; i < 2; ++i) sink.metadata(sink.self, text(key), text(large));
               return VISSL_OK;
             }};
  Formats formats({&toy});
  CHECK(refusal(formats, Exit::bad_data) == kDamaged + "has too much metadata; use another copy");
  toy.open = [&](const auto&, const auto& sink) {
    sink.warning(sink.self, text(bad));
    return VISSL_OK;
  };
  CHECK(refusal(formats, Exit::bad_data) ==
        kDamaged + "has metadata that is no UTF-8; use another copy");
}
