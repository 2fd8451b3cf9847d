#include "host/files/torch_objects.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/zip_reader.hpp"

namespace {

using namespace vissl::host;
using namespace std::string_literals;

// Has one storage, "0", of 24 zero bytes.
class OneStorage final : public StorageSource {
 public:
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t least_bytes,
                                   DType) override {
    if (key != "0" || least_bytes > 24) throw Error(Exit::bad_data, "m: no such storage");
    auto storage = Storage::allocate(24);
    std::memset(storage->writable().data(), 0, 24);
    return storage;
  }
};

Node parse(const std::string& pickle) {
  OneStorage storages;
  return torch_objects(read_pickle(pickle, "m"), storages, "m");
}

std::string refusal(const std::string& pickle) {
  try {
    parse(pickle);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

// A tensor of torch.save with the given offset, size tuple and stride tuple, as opcodes.
std::string tensor(const std::string& facts, const std::string& numel = "K\x06"s) {
  return "\x80\x02"
         "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
         "X\x01\0\0\0"
         "0X\x03\0\0\0cpu"s +
         numel + "tQ" + facts + "\x89" + "ccollections\nOrderedDict\n)RtR.";
}

}  // namespace

TEST_CASE("torch pickle: the stream of an early torch release is read opcode by opcode") {
  // OrderedDict(w=float32 [1,2], b=int64 [1]) of torch 1.13.
  const std::string head =
      "\x80\x02"
      "ccollections\nOrderedDict\nq\0)Rq\x01(X\x01\0\0\0wq\x02"
      "ctorch._utils\n_rebuild_tensor_v2\nq\x03((X\x07\0\0\0storageq\x04"
      "ctorch\nFloatStorage\nq\x05X\x01\0\0\0"
      "0q\x06X\x03\0\0\0cpuq\x07K\x02tq\x08QK\0K\x01K\x02\x86q\x09K\x02K\x01\x86q\x0a\x89h\0)Rq\x0b"
      "tq\x0cRq\x0du."s;
  const Node tree = parse(head);
  CHECK(tree.as_dict().is_ordered_dict);
  CHECK(tree.at("w").as_tensor().shape == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("torch pickle: tensors without data keep their shapes, and are warned of once") {
  const std::string one =
      "ctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nfloat32\n"
      "K\x02\x85K\x01\x85\x89tR";
  OneStorage storages;
  std::vector<std::string> warnings;
  TorchObjectOptions options;
  options.warnings = &warnings;
  const Node tree =
      torch_objects(read_pickle("\x80\x02](" + one + one + "e.", "m"), storages, "m", options);
  for (const Node& item : tree.as_items()) {
    CHECK(item.as_opaque().class_name == kTensorWithoutData);
    CHECK(item.as_opaque().parts.at(0).second.as_items().at(0).as_int() == 2);
  }
  CHECK(tree.as_items().size() == 2);
  CHECK(warnings == std::vector<std::string>{
                        "contains a tensor without data (it was saved from the device 'meta')"});
}

TEST_CASE("torch pickle: a tensor's facts are checked against its storage") {
  CHECK(parse(tensor("K\0K\x06\x85K\x01\x85"s)).as_tensor().numel() == 6);
  CHECK(refusal(tensor("K\x01K\x06\x85K\x01\x85"s)).find("beyond its storage") !=
        std::string::npos);
  CHECK(refusal(tensor("J\xff\xff\xff\xffK\x01\x85K\x01\x85"s)).find("negative offset") !=
        std::string::npos);
  CHECK(refusal(tensor("K\0K\x02\x85J\xff\xff\xff\xff\x85"s)).find("negative stride") !=
        std::string::npos);
  CHECK(refusal(tensor("K\0J\xff\xff\xff\xff\x85K\x01\x85"s)).find("negative size") !=
        std::string::npos);
  CHECK(refusal(tensor("K\0K\x02K\x03\x86K\x01\x85"s)).find("another number of strides") !=
        std::string::npos);
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s;
  CHECK(refusal(tensor("K\0"s + huge + huge + "\x86K\x01K\x01\x86"s)).find("overflows") !=
        std::string::npos);
  CHECK(refusal(tensor("K\0K\x01\x85K\x01\x85"s, "K\x07"s)) == "m: no such storage");
  CHECK(refusal(tensor("K\0K\x01\x85K\x01\x85"s, huge)).find("impossible size") !=
        std::string::npos);
}

TEST_CASE("torch pickle: a small hostile stream takes neither memory nor stack") {
  const auto refused_for = [](const std::string& pickle, const std::string& why) {
    const std::string text = refusal(pickle);
    CAPTURE(text);
    CHECK(text.find(why) != std::string::npos);
  };
  refused_for("\x80\x02X\xf0\xff\xff\xff"s, "ends inside a value");
  refused_for("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"s, "ends inside a value");
  CHECK(parse("\x80\x02Nr\xff\xff\xff\xff."s).is_none());  // a memo index is no size
  refused_for("\x80\x02)"s + std::string(200'000, '\x85') + ".", "is nested too deep");

  std::string laughs = "\x80\x02]q\0"s;  // 100 lists, each of twice the one before
  for (int i = 0; i < 100; ++i) {
    laughs += "0](h\0h\0eq\0"s;
  }
  refused_for(laughs + ".", "too many values");
  refused_for("\x80\x02h\x01."s, "has not defined");
  refused_for("\x80\x02t."s, "never began");
  refused_for("\x80\x02(a."s, "not there");
  refused_for("\x80\x02(N."s, "leaves no single value");
  refused_for("\x80\x02."s, "leaves no single value");
  refused_for("\x80\x09N."s, "unknown protocol 9");
  refused_for("\x80\x02\x82\x01."s, "extension registry");
  refused_for("\x80\x02}(Nu."s, "a key without a value");
  refused_for("\x80\x02NK\x01\x61."s, "no list");
  refused_for("\x80\x05\x97."s, "buffers outside the file");
  refused_for("\x80\x02"s + "c" + std::string(5000, 'x'), "has a line of 1024 bytes or more");
}

TEST_CASE("torch pickle: an object inside itself and a huge integer are set aside") {
  const Node loop = parse("\x80\x02]q\0h\0a."s);
  CHECK(loop.as_items()[0].as_opaque().class_name == "reference to an enclosing object");
  const Node huge = parse("\x80\x02\x8a\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01."s);
  CHECK(huge.as_opaque().class_name == "builtins.int");
}

TEST_CASE("torch pickle: keys that are neither text nor whole numbers become text") {
  const Node tree = parse(
      "\x80\x02}(NK\x01G\x3f\xe0\0\0\0\0\0\0K\x02G\x40\0\0\0\0\0\0\0K\x03U\x01"
      "aK\x07\x86K\x04K\x09\x85K\x05u."s);
  CHECK(tree.at("None").as_int() == 1);
  CHECK(tree.at("0.5").as_int() == 2);
  CHECK(tree.at("2.0").as_int() == 3);
  CHECK(tree.at("('a', 7)").as_int() == 4);
  CHECK(tree.at("(9,)").as_int() == 5);
  CHECK(parse("\x80\x02}cm\nC\nK\x01s."s).as_opaque().class_name == "builtins.dict");
}

TEST_CASE("torch pickle: the text opcodes of protocol 0 are read") {
  const Node tree = parse(
      "(dp0\nS'a\\n\\x41\\''\np1\nI12\nsVb\\u00e9\xe9\nL-7L\nsS\"on\"\nI01\nsI5\nF2.5\n"
      "sS'l'\n(lp2\nI1\naI2\nasS't'\n(I1\nI2\ntsS'o'\n(imodule\nName\n"
      "sS'q'\n(cmodule\nOther\nI3\nosS'h'\nL99999999999999999999L\nsS'same'\ng2\ns."s);
  CHECK(tree.at("a\nA'").as_int() == 12);
  CHECK(tree.at("b\u00e9\u00e9").as_int() == -7);
  CHECK(tree.at("on").as_bool());
  CHECK(tree.at(std::int64_t{5}).as_real() == 2.5);
  CHECK(tree.at("l").as_items().size() == 2);
  CHECK(tree.at("t").as_items()[1].as_int() == 2);
  CHECK(tree.at("o").as_opaque().class_name == "module.Name");
  CHECK(tree.at("q").as_opaque().parts.front().second.as_items()[0].as_int() == 3);
  CHECK(tree.at("h").as_opaque().class_name == "builtins.int");
  CHECK(tree.at("same").as_items().size() == 2);
  for (const char* bad :
       {"I1x\n.", "L\n.", "F1..\n.", "S'a\n.", "S'\\x4'\n.", "V\\u12\n.", "g-1\n."}) {
    CHECK(refusal(bad) != "no error");
  }
}

TEST_CASE("torch pickle: a call that Python would run is only written down") {
  const Node node = parse(
      "\x80\x02"
      "cposix\nsystem\nX\x02\0\0\0id\x85R."s);
  CHECK(node.as_opaque().class_name == "posix.system");
  CHECK(node.as_opaque().parts.front().second.as_items()[0].as_text() == "id");
}

TEST_CASE("torch pickle: any changed byte of a real stream is refused or read, never a crash") {
  for (const char* name : {"views.pth", "values.pth", "foreign.pth", "optimizer.pth"}) {
    const auto file =
        MappedFile::open(std::string(VISSL_SOURCE_DIR) + "/tests/golden/torch_zip/" + name);
    const ZipReader zip(file->bytes(), name);
    const auto bytes = zip.contents(zip.entries().front(), 1 << 20);
    const std::string whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int change : {1, 2, 16, 128, 255}) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ change);
        try {
          parse(changed);
        } catch (const Error&) {
          ++refused;
        }
      }
      CHECK_THROWS_AS(parse(whole.substr(0, at)), Error);
    }
    CHECK(refused > whole.size());
  }
}
