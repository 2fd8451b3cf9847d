#include "host/files/torch_zip_reader.hpp"

#include <algorithm>
#include <charconv>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/pickle_reader.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/zip_reader.hpp"

namespace vissl::host {
namespace {

constexpr std::uint64_t kLargestNote = 4096;  // bytes of "version" and "byteorder"

class TorchZip final : public StorageSource {
 public:
  TorchZip(std::span<const std::byte> file, std::shared_ptr<const void> keep_alive,
           const std::string& name, const TorchZipReadOptions& options)
      : keep_alive_(std::move(keep_alive)), name_(name), options_(options), zip_(file, name) {}

  Node read();
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t least_bytes,
                                   DType dtype) override;

 private:
  void find_root();
  std::string note(const std::string& entry_name) const;

  std::shared_ptr<const void> keep_alive_;
  const std::string& name_;
  const TorchZipReadOptions& options_;
  ZipReader zip_;
  std::string root_;
  bool is_big_endian_ = false;
};

void TorchZip::find_root() {
  if (zip_.entries().empty()) throw_damaged(name_, "the zip file is empty", 0);
  const std::string& first = zip_.entries().front().name;
  root_ = first.substr(0, first.find('/')) + "/";
  if (zip_.find(root_ + "data.pkl") == nullptr) {
    throw Error(Exit::bad_data, name_ + ": is a zip file but not one of torch.save: it has no " +
                                    quoted_name(root_ + "data.pkl") + "; name a checkpoint");
  }
  if (zip_.find(root_ + "constants.pkl") != nullptr) {
    throw Error(Exit::bad_data, name_ +
                                    ": is a TorchScript program, not a checkpoint; save the "
                                    "module's state_dict() with torch.save instead");
  }
}

// Contents of a small entry, empty if there is none.
std::string TorchZip::note(const std::string& entry_name) const {
  const ZipEntry* entry = zip_.find(root_ + entry_name);
  if (entry == nullptr) return "";
  const auto bytes = zip_.contents(*entry, kLargestNote);
  zip_.check_crc(*entry, bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Node TorchZip::read() {
  find_root();
  const std::string byte_order = note("byteorder");
  is_big_endian_ = byte_order == "big";
  if (!byte_order.empty() && !is_big_endian_ && byte_order != "little") {
    throw_damaged(name_, "has the unknown byte order " + quoted_name(byte_order), 0);
  }
  std::string version = note("version");
  if (version.empty()) version = note(".data/version");
  int number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  if (number < 1 || number > 10) {
    throw_damaged(name_, "has the unknown format version " + quoted_name(version), 0);
  }
  if (options_.verify) {
    for (const ZipEntry& entry : zip_.entries()) {
      if (!entry.is_deflated) zip_.check_crc(entry, zip_.stored(entry));
    }
  }
  const ZipEntry& entry = *zip_.find(root_ + "data.pkl");
  const auto pickle = zip_.contents(entry, options_.largest_pickle);
  zip_.check_crc(entry, pickle);
  const std::string_view text(reinterpret_cast<const char*>(pickle.data()), pickle.size());
  const PickleGraph graph = read_pickle(text, name_);
  // Text that stands once in the pickle may be as long as the pickle itself.
  const TorchObjectLimits limits{options_.deepest, options_.most_nodes + text.size() / 64};
  return torch_objects(graph, *this, name_, limits);
}

std::shared_ptr<Storage> TorchZip::storage(const std::string& key, std::uint64_t least_bytes,
                                           DType dtype) {
  const ZipEntry* entry = zip_.find(root_ + "data/" + key);
  if (entry == nullptr) throw_damaged(name_, "has no data for the storage " + quoted_name(key), 0);
  if (entry->size_bytes < least_bytes) {
    throw_damaged(name_,
                  "storage " + quoted_name(key) + " has " + std::to_string(entry->size_bytes) +
                      " bytes where its tensors need " + std::to_string(least_bytes),
                  entry->data_offset);
  }
  const DTypeFacts& type = facts(dtype);
  const bool is_swapped = is_big_endian_ && type.swap_bytes > 1;
  if (!entry->is_deflated && !is_swapped) {
    const auto bytes = zip_.stored(*entry);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    if (address % type.swap_bytes != 0) return Storage::copy_of(bytes);
    return Storage::borrow(bytes.data(), bytes.size(), keep_alive_);
  }
  const auto contents = zip_.contents(*entry, entry->size_bytes);
  if (entry->is_deflated && options_.verify) zip_.check_crc(*entry, contents);
  auto storage = Storage::copy_of(contents);
  if (is_swapped) {
    const auto bytes = storage->writable();
    const std::size_t unit = type.swap_bytes;
    for (std::size_t i = 0; i + unit <= bytes.size(); i += unit) {
      std::ranges::reverse(bytes.subspan(i, unit));
    }
  }
  return storage;
}

}  // namespace

Node read_torch_zip(std::span<const std::byte> file, std::shared_ptr<const void> keep_alive,
                    const std::string& name, const TorchZipReadOptions& options) {
  return TorchZip(file, std::move(keep_alive), name, options).read();
}

Node read_torch_zip(const std::filesystem::path& path, const TorchZipReadOptions& options) {
  const auto file = MappedFile::open(path);
  return read_torch_zip(file->bytes(), file, file->name(), options);
}

}  // namespace vissl::host
