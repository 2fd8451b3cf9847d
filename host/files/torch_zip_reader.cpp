#include "host/files/torch_zip_reader.hpp"

#include <algorithm>
#include <charconv>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/file_bytes.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/pickle_reader.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/zip_reader.hpp"

namespace vissl::host {
namespace {

constexpr std::uint64_t kLargestNote = 4096;  // bytes of "version" and "byteorder"

class TorchZip final : public StorageSource {
 public:
  TorchZip(ZipReader zip, std::shared_ptr<const void> keep_alive, const std::string& name,
           const TorchZipReadOptions& options)
      : zip_(std::make_shared<const ZipReader>(std::move(zip))),
        keep_alive_(std::move(keep_alive)),
        name_(name),
        options_(options) {}

  Node read();
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t least_bytes,
                                   DType dtype) override;

 private:
  void find_root();
  std::string note(const std::string& entry_name) const;
  void check_version() const;
  Node read_objects();

  std::shared_ptr<const ZipReader> zip_;
  std::shared_ptr<const void> keep_alive_;
  const std::string& name_;
  const TorchZipReadOptions& options_;
  std::string root_;
  bool is_big_endian_ = false;
};

void TorchZip::find_root() {
  if (zip_->entries().empty()) throw_damaged(name_, "the zip file is empty");
  root_ = torch_zip_root(*zip_);
  if (zip_->find(root_ + "data.pkl") == nullptr) {
    throw Error(Exit::bad_data, name_ + ": is a zip file but not one of torch.save: it has no " +
                                    quoted_name(root_ + "data.pkl") + "; name a checkpoint");
  }
  if (!options_.allow_script && zip_->find(root_ + "constants.pkl") != nullptr) {
    throw Error(Exit::bad_data, name_ +
                                    ": is a TorchScript program, not a checkpoint; save the "
                                    "module's state_dict() with torch.save instead");
  }
}

// Contents of a small entry, empty if there is none.
std::string TorchZip::note(const std::string& entry_name) const {
  const ZipEntry* entry = zip_->find(root_ + entry_name);
  if (entry == nullptr) return "";
  const auto bytes = zip_->contents(*entry, kLargestNote);
  zip_->check_crc(*entry, bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void TorchZip::check_version() const {
  std::string version = note("version");
  if (version.empty()) version = note(".data/version");
  int number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  if (number < 1 || number > 10) {
    throw_damaged(name_, "has the unknown format version " + quoted_name(version));
  }
}

Node TorchZip::read() {
  find_root();
  const std::string byte_order = note("byteorder");
  is_big_endian_ = byte_order.empty() ? options_.is_big_endian : byte_order == "big";
  if (!byte_order.empty() && byte_order != "big" && byte_order != "little") {
    throw_damaged(name_, "has the unknown byte order " + quoted_name(byte_order));
  }
  check_version();
  if (options_.verify) {
    for (const ZipEntry& entry : zip_->entries()) {
      if (!entry.is_deflated) zip_->check_crc(entry, zip_->stored(entry));
    }
  }
  return read_objects();
}

Node TorchZip::read_objects() {
  const ZipEntry& entry = *zip_->find(root_ + "data.pkl");
  TorchObjectOptions objects = options_.objects;
  std::span<const std::byte> pickle;
  if (entry.is_deflated) {
    const auto kept = std::make_shared<const std::vector<std::byte>>(
        zip_->contents(entry, options_.largest_pickle));
    pickle = *kept;
    objects.keep_alive = kept;
  } else {
    if (entry.size_bytes > options_.largest_pickle) {
      throw_damaged(name_,
                    "has a pickle of " + std::to_string(entry.size_bytes) +
                        " bytes, more than the limit of " + std::to_string(options_.largest_pickle),
                    entry.data_offset);
    }
    pickle = zip_->stored(entry);
    objects.keep_alive = keep_alive_;
  }
  if (options_.verify || objects.warnings == nullptr) {
    zip_->check_crc(entry, pickle);
  } else if (!zip_->has_crc(entry, pickle)) {  // torch reads such files without a word
    objects.warnings->push_back("the entry " + quoted_name(entry.name) +
                                " has a wrong checksum; the file may be damaged");
  }
  const std::string_view text(reinterpret_cast<const char*>(pickle.data()), pickle.size());
  return torch_objects(read_pickle(text, name_), *this, name_, objects);
}

std::shared_ptr<Storage> TorchZip::storage(const std::string& key, std::uint64_t least_bytes,
                                           DType dtype) {
  const ZipEntry* entry = zip_->find(root_ + "data/" + key);
  if (entry == nullptr) throw_damaged(name_, "has no data for the storage " + quoted_name(key));
  if (entry->size_bytes < least_bytes) {
    throw_damaged(name_,
                  "storage " + quoted_name(key) + " has " + std::to_string(entry->size_bytes) +
                      " bytes where its tensors need " + std::to_string(least_bytes),
                  entry->data_offset);
  }
  if (!entry->is_deflated) {
    return file_storage(zip_->stored(*entry), keep_alive_, dtype, is_big_endian_,
                        zip_->checksum(*entry));
  }
  const auto inflate = [zip = zip_, keep = keep_alive_, entry, dtype, swap = is_big_endian_,
                        verify = options_.verify] {
    auto contents = zip->contents(*entry, entry->size_bytes);
    if (verify) zip->check_crc(*entry, contents);
    if (swap) swap_elements(contents, dtype);
    return owned_storage(std::move(contents));
  };
  return options_.verify ? inflate() : Storage::lazy(entry->size_bytes, inflate);
}

}  // namespace

std::string torch_zip_root(const ZipReader& zip) {
  const std::string& first = zip.entries().front().name;
  return first.substr(0, first.find('/')) + "/";
}

Node read_torch_zip(ZipReader zip, std::shared_ptr<const void> keep_alive, const std::string& name,
                    const TorchZipReadOptions& options) {
  return TorchZip(std::move(zip), std::move(keep_alive), name, options).read();
}

Node read_torch_zip(std::span<const std::byte> file, std::shared_ptr<const void> keep_alive,
                    const std::string& name, const TorchZipReadOptions& options) {
  return read_torch_zip(ZipReader(file, name), std::move(keep_alive), name, options);
}

Node read_torch_zip(const std::filesystem::path& path, const TorchZipReadOptions& options) {
  const auto file = MappedFile::open(path);
  return read_torch_zip(file->bytes(), file, file->name(), options);
}

}  // namespace vissl::host
