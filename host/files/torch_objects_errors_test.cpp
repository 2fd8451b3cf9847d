// Every sentence with which the objects of a torch pickle are refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <string>

#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/torch_objects.hpp"
#include "pickle_bytes.hpp"

namespace {

using namespace vissl::host;
using namespace vissl::test;
using namespace std::string_literals;

// Storages of 24 bytes that begin with the elements that their key lists: "0 2 1".
class Listed final : public StorageSource {
 public:
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t, DType dtype) override {
    auto storage = Storage::allocate(24);
    std::byte* at = storage->writable().data();
    std::memset(at, 0, 24);
    std::istringstream numbers(key);
    for (std::int64_t number = 0; numbers >> number; at += size_bytes(dtype)) {
      std::memcpy(at, &number, std::min<std::size_t>(size_bytes(dtype), sizeof number));
    }
    return storage;
  }
};

// What reading {"model": {"w": VALUE}}, and touching its tensors, says after the file.
std::string refusal(const std::string& value) {
  Listed storages;
  TorchObjectOptions options;
  options.dequantize = true;
  const std::string pickle =
      pickled(pickled_dict({pickled_text("model"), pickled_dict({pickled_text("w"), value})}));
  try {
    const Node tree = torch_objects(read_pickle(pickle, "net.pth"), storages, "net.pth", options);
    for_each_tensor(tree,
                    [](const std::string&, const TensorRef& tensor) { tensor_sha256(tensor); });
  } catch (const Error& error) {
    CHECK(error.code() == Exit::bad_data);
    return error.what();
  }
  return "no error";
}

void refused(const std::string& value, const std::string& what) {
  CHECK(refusal(value) ==
        "net.pth: 'model.w': " + what + "; the file is damaged or incomplete, use another copy");
}

std::string plain(const std::string& storage, const std::string& offset, const std::string& sizes,
                  const std::string& strides) {
  return pickled_call("torch._utils._rebuild_tensor_v2",
                      {storage, offset, sizes, strides, "\x89", "N"});
}

// A vector of these elements.
std::string vector(const std::string& elements, const std::string& type) {
  const std::int64_t count = elements.empty() ? 0 : 1 + std::ranges::count(elements, ' ');
  return plain(pickled_storage(elements, type, count), pickled_integer(0), pickled_sizes({count}),
               pickled_sizes({1}));
}

}  // namespace

TEST_CASE("torch pickle errors: a tensor's facts are refused with the tensor's place") {
  const std::string storage = pickled_storage("0", "Float", 6), zero = pickled_integer(0);
  const std::string six = pickled_sizes({6}), one = pickled_sizes({1});
  CHECK(refusal(plain(storage, zero, six, one)) == "no error");
  refused(plain(storage, pickled_text("0"), six, one),
          "has a tensor with a number that is no integer");
  refused(plain(storage, zero, pickled_integer(6), one), "has a tensor with a bad shape");
  refused(plain(storage, zero, "(" + std::string(65, 'N') + "t", one),
          "has a tensor with a bad shape");
  refused(plain(storage, pickled_integer(-1), six, one), "has a tensor with a negative offset");
  refused(plain(storage, zero, six, pickled_sizes({-1})), "has a tensor with a negative stride");
  refused(plain(storage, zero, pickled_sizes({-6}), one), "has a tensor with a negative size");
  refused(plain(storage, zero, six, pickled_sizes({1, 1})),
          "has a tensor with another number of strides than sizes");
  refused(plain(storage, zero, pickled_sizes({7}), one),
          "has a tensor that reaches beyond its storage");
  refused(plain("N", zero, six, one), "has a tensor without a storage");
  refused(plain(pickled_tuple({pickled_text("storage")}) + "Q", zero, six, one),
          "has a storage with a bad name");
  refused(plain(pickled_storage("../0", "Float", 6), zero, six, one),
          "has a storage with a bad name");
  refused(plain(pickled_storage("0", "Float", -1), zero, six, one),
          "has a storage of negative size");
  refused(plain(pickled_storage("0", "Float", INT64_MAX), zero, six, one),
          "has a storage of impossible size");
  refused(pickled_call("torch._utils._rebuild_tensor_v2", {storage, zero}),
          "has a tensor with too few facts");
  refused(pickled_call("torch._utils._rebuild_parameter", {"N", "N"}),
          "has a parameter with too few facts");
  refused(pickled_call("torch._tensor._rebuild_from_type_v2", {"N", "N"}),
          "has a tensor with too few facts");
  refused(pickled_call("torch.storage._load_from_bytes", {"N"}) + "0" +
              plain(pickled_call("torch.storage._load_from_bytes", {"N"}), zero, six, one),
          "has a pickled storage that is none");
}

TEST_CASE("torch pickle errors: containers and bytes that are not what they say") {
  refused(pickled_call("collections.OrderedDict", {pickled_tuple({pickled_tuple({"N"})})}),
          "has an OrderedDict that is not made of pairs");
  refused(pickled_call("_codecs.encode", {pickled_text("a"), pickled_text("utf-8")}),
          "has bytes in an unknown encoding");
  refused(pickled_call("_codecs.encode", {pickled_text("\xc4\x80"), pickled_text("latin1")}),
          "has bytes that are not latin1");
  const std::string deep = refusal(std::string(2000, ']') + std::string(1999, 'a'));
  CHECK(deep.starts_with("net.pth: 'model.w.0.0.0."));
  CHECK(
      deep.ends_with("...': is nested too deep; the file is damaged or incomplete, use another "
                     "copy"));
}

TEST_CASE("torch pickle errors: numpy's arrays must have the bytes of their shape") {
  const auto array = [](const std::string& sizes, const std::string& bytes) {
    return pickled_call("numpy.core.multiarray._reconstruct", {}) +
           pickled_tuple(
               {sizes, pickled_call("numpy.dtype", {pickled_text("f4")}), "\x89", bytes}) +
           "b";
  };
  CHECK(refusal(array(pickled_sizes({1}), pickled_bytes("1234"))) == "no error");
  refused(array(pickled_sizes({2}), pickled_bytes("1234")),
          "has a numpy array whose bytes do not fit its shape");
  refused(array(pickled_sizes({1}),
                pickled_call("_codecs.encode", {pickled_text("12345"), pickled_text("latin1")})),
          "has a numpy array whose bytes do not fit its shape");
  refused(array(pickled_sizes({-1}), pickled_bytes("")), "has a numpy array with a bad shape");
}

TEST_CASE("torch pickle errors: a quantised tensor needs a scheme and fitting scales") {
  const std::string storage =
      pickled_tuple({pickled_text("storage"), pickled_global("torch.QInt8Storage"),
                     pickled_text("0"), pickled_text("cpu"), pickled_integer(6)}) +
      "Q";
  const auto quantised = [&](const std::string& scheme) {
    return pickled_call("torch._utils._rebuild_qtensor",
                        {storage, pickled_integer(0), pickled_sizes({2, 3}), pickled_sizes({3, 1}),
                         scheme, "\x89", "N"});
  };
  const auto per_channel = [&](const std::string& scales, const std::string& zeros) {
    return quantised(pickled_tuple(
        {pickled_global("torch.per_channel_affine"), scales, zeros, pickled_integer(0)}));
  };
  const std::string two = vector("1 2", "Float");
  CHECK(refusal(per_channel(two, vector("0 0", "Long"))) == "no error");
  refused(per_channel(vector("1 2 3", "Float"), vector("0 0", "Long")),
          "has a quantised tensor with another number of scales than channels");
  refused(per_channel(vector("1 2", "ComplexFloat"), two),
          "has a quantised tensor with scales of a wrong type");
  refused(quantised(pickled_tuple({pickled_global("torch.per_row_affine")})),
          "has a quantised tensor of the unknown scheme 'torch.per_row_affine'");
  refused(pickled_call("torch._utils._rebuild_qtensor", {storage}),
          "has a quantised tensor with too few facts");
}

TEST_CASE("torch pickle errors: the indices of sparse tensors are checked when they are used") {
  // Entries of a vector, and of a matrix of three rows.
  const auto coo = [](const std::string& indices, const std::string& type,
                      const std::string& value_type, std::int64_t size) {
    const std::int64_t count = 1 + std::ranges::count(indices, ' ');
    const std::string places = plain(pickled_storage(indices, type, count), pickled_integer(0),
                                     pickled_sizes({1, count}), pickled_sizes({count, 1}));
    return pickled_call(
        "torch._utils._rebuild_sparse_tensor",
        {pickled_text("torch.sparse_coo"),
         pickled_tuple({places, vector(indices, value_type), pickled_sizes({size})})});
  };
  const auto csr = [](const std::string& offsets, const std::string& columns) {
    return pickled_call("torch._utils._rebuild_sparse_csr_tensor",
                        {pickled_text("torch.sparse_csr"),
                         pickled_tuple({vector(offsets, "Int"), vector(columns, "Int"),
                                        vector(columns, "Float"), pickled_sizes({3, 4})})});
  };
  const std::string outside = "has a sparse tensor with an index outside its shape";
  const std::string offsets = "has a sparse tensor with offsets that do not fit its entries";
  CHECK(refusal(coo("0 2 1", "Long", "Float", 3)) == "no error");
  refused(coo("0 2 1", "Long", "Float", 2), outside);
  refused(coo("0 -1 1", "Long", "Float", 2), outside);
  refused(coo("0 2 1", "Short", "Float", 3), "has a sparse tensor whose indices are no integers");
  refused(coo("0 1 1", "Long", "Half", 3),
          "has a sparse tensor with several entries at one place; save it after coalesce()");
  CHECK(refusal(csr("0 1 1 3", "3 0 1")) == "no error");
  refused(csr("0 1 1 2", "3 0 1"), offsets);
  refused(csr("1 1 1 3", "3 0 1"), offsets);
  refused(csr("0 5 5 3", "3 0 1"), offsets);
  refused(csr("0 2 1 3", "0 3 1"), "has a sparse tensor with offsets that descend");
  refused(csr("0 1 1 3", "3 1 0"), "has a sparse tensor with indices that do not ascend");
  refused(csr("0 1 1 3", "4 0 1"), outside);
  refused(pickled_call("torch._utils._rebuild_sparse_tensor", {"N"}),
          "has a sparse tensor with too few facts");
}
