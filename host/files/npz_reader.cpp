#include "host/files/npz_reader.hpp"

#include <algorithm>

#include "host/files/damage.hpp"
#include "host/files/npy.hpp"
#include "host/files/numpy_types.hpp"
#include "host/files/pickle_tree.hpp"

namespace vissl::host {
namespace {

constexpr std::string_view kEnding = ".npy";
constexpr std::uint64_t kLargestHeader = std::uint64_t{1} << 20;
constexpr std::uint64_t kLargestObjects = std::uint64_t{1} << 30;

class Npz {
 public:
  Npz(ZipReader zip, const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out)
      : zip_(std::make_shared<const ZipReader>(std::move(zip))),
        file_(file),
        options_(options),
        out_(out) {}

  void read() {
    out_.format = "npz";
    Dict arrays;
    for (const ZipEntry& entry : zip_->entries()) {
      if (options_.verify && !entry.is_deflated) zip_->check_crc(entry, zip_->stored(entry));
      arrays.set(entry.name.substr(0, entry.name.size() - kEnding.size()), array(entry));
    }
    out_.tree = Node(std::move(arrays));
  }

 private:
  Node array(const ZipEntry& entry) {
    const std::string name = file_.name + ": " + quoted_name(entry.name);
    const NpyHeader header = read_npy_header(zip_->start(entry, kLargestHeader), name);
    if (is_npy_of_objects(header)) {
      const auto kept =
          std::make_shared<const std::vector<std::byte>>(zip_->contents(entry, kLargestObjects));
      return read_lone_pickle({std::span(*kept).subspan(header.data_offset), kept, name}, options_,
                              out_);
    }
    if (header.descr.empty() || numpy_code(header.descr.substr(1)) == nullptr) {
      out_.warnings.push_back("the array " + quoted_name(entry.name) + " has the element type " +
                              quoted_name(header.descr) + ", which is no plain number");
      return Node(Opaque{"numpy.ndarray", {}});
    }
    NpyLayout layout = npy_layout(header, name);
    if (layout.size_bytes > entry.size_bytes - header.data_offset) {
      throw_damaged(name, "ends before its elements", entry.data_offset);
    }
    const auto part = [offset = header.data_offset, size = layout.size_bytes](auto bytes) {
      return bytes.subspan(offset, size);
    };
    if (!entry.is_deflated) {
      layout.tensor.storage =
          file_storage(part(zip_->stored(entry)), file_.keep_alive, layout.tensor.dtype,
                       layout.is_swapped, zip_->checksum(entry));
      return Node(std::move(layout.tensor));
    }
    const auto inflate = [zip = zip_, keep = file_.keep_alive, &entry, part,
                          dtype = layout.tensor.dtype, swap = layout.is_swapped,
                          verify = options_.verify] {
      const auto kept =
          std::make_shared<std::vector<std::byte>>(zip->contents(entry, entry.size_bytes));
      if (verify) zip->check_crc(entry, *kept);
      const auto elements = part(std::span(*kept));
      if (swap) swap_elements(elements, dtype);
      return Storage::borrow(elements.data(), elements.size(), kept);
    };
    layout.tensor.storage = options_.verify ? inflate() : Storage::lazy(layout.size_bytes, inflate);
    return Node(std::move(layout.tensor));
  }

  std::shared_ptr<const ZipReader> zip_;
  const FileBytes& file_;
  const WeightsReadOptions& options_;
  WeightsFile& out_;
};

}  // namespace

bool is_npz(const ZipReader& zip) {
  return std::ranges::all_of(zip.entries(),
                             [](const ZipEntry& entry) { return entry.name.ends_with(kEnding); });
}

void read_npz(ZipReader zip, const FileBytes& file, const WeightsReadOptions& options,
              WeightsFile& out) {
  Npz(std::move(zip), file, options, out).read();
}

}  // namespace vissl::host
