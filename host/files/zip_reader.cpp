#include "host/files/zip_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <numeric>

#include "host/files/crc.hpp"
#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kZip64End = 0x06064b50;
constexpr std::uint32_t kZip64Locator = 0x07064b50;
constexpr std::uint64_t kUnknown32 = 0xffffffff;
constexpr std::uint64_t kLargestRatio = 200;
constexpr std::uint64_t kRatioFrom = std::uint64_t{16} << 20;  // smaller entries may have any ratio

bool is_unsafe(const std::string& name) {
  return name.empty() || name.front() == '/' || name.find('\0') != std::string::npos ||
         name.find('\\') != std::string::npos ||
         ("/" + name + "/").find("/../") != std::string::npos;
}

}  // namespace

void ZipReader::damaged(const std::string& what, std::uint64_t where) const {
  throw_damaged(name_, what, where);
}

std::uint64_t ZipReader::number(std::uint64_t at, int size_bytes) const {
  if (at > file_.size() || file_.size() - at < static_cast<std::uint64_t>(size_bytes)) {
    damaged("the zip file ends inside a header", file_.size());
  }
  std::uint64_t value = 0;
  for (int i = size_bytes; i-- > 0;) {
    value = (value << 8) | static_cast<std::uint64_t>(file_[at + static_cast<std::uint64_t>(i)]);
  }
  return value;
}

ZipReader::ZipReader(std::span<const std::byte> file, std::string name)
    : file_(file), name_(std::move(name)) {
  if (file_.size() < 4 || number(0, 4) != kLocalHeader) damaged("is not a zip file", 0);
  const Directory directory = find_directory();
  read_directory(directory);
  check_ranges(directory);
}

ZipReader::Directory ZipReader::find_directory() const {
  constexpr std::uint64_t kEndBytes = 22;
  constexpr std::uint64_t kLongestComment = 0xffff;
  const std::uint64_t size = file_.size();
  if (size < kEndBytes) damaged("the zip file has no directory", size);
  std::uint64_t at = size - kEndBytes;
  const std::uint64_t first = at > kLongestComment ? at - kLongestComment : 0;
  while (number(at, 4) != kEnd || at + kEndBytes + number(at + 20, 2) != size) {
    if (at == first) damaged("the zip file has no directory at its end", size);
    --at;
  }
  Directory directory{number(at + 16, 4), number(at + 12, 4), number(at + 10, 2), at};
  if (number(at + 4, 2) != 0 || number(at + 6, 2) != 0) damaged("is a multi-part zip file", at);
  std::uint64_t count_here = number(at + 8, 2);
  if (at >= 20 && number(at - 20, 4) == kZip64Locator) {
    const std::uint64_t record = number(at - 20 + 8, 8);
    if (number(at - 20 + 4, 4) != 0 || number(at - 20 + 16, 4) > 1) {
      damaged("is a multi-part zip file", at - 20);
    }
    if (record > size || number(record, 4) != kZip64End || number(record + 4, 8) < 44) {
      damaged("the zip file's 64-bit end record is missing", at - 20);
    }
    if (number(record + 16, 4) != 0 || number(record + 20, 4) != 0) {
      damaged("is a multi-part zip file", record);
    }
    count_here = number(record + 24, 8);
    directory = {number(record + 48, 8), number(record + 40, 8), number(record + 32, 8), record};
  }
  if (count_here != directory.count) damaged("the zip file's entry counts disagree", at);
  if (directory.offset > directory.end_record ||
      directory.size != directory.end_record - directory.offset ||
      directory.count > directory.size / 46) {
    damaged("the zip directory does not fit into the file", at);
  }
  return directory;
}

void ZipReader::read_directory(const Directory& directory) {
  std::uint64_t at = directory.offset;
  const std::uint64_t end = directory.offset + directory.size;
  entries_.reserve(directory.count);
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    if (end - at < 46 || number(at, 4) != kCentralHeader) {
      damaged("zip directory entry " + std::to_string(i) + " is broken", at);
    }
    const std::uint64_t name_size = number(at + 28, 2);
    const std::uint64_t extra_size = number(at + 30, 2);
    const std::uint64_t comment_size = number(at + 32, 2);
    if (end - at - 46 < name_size + extra_size + comment_size) {
      damaged("zip directory entry " + std::to_string(i) + " is cut off", at);
    }
    ZipEntry entry;
    entry.name.assign(reinterpret_cast<const char*>(file_.data() + at + 46), name_size);
    if (is_unsafe(entry.name))
      damaged("has an entry with the bad name " + quoted_name(entry.name), at);
    if ((number(at + 8, 2) & 1) != 0)
      damaged("entry " + quoted_name(entry.name) + " is encrypted", at);
    const std::uint64_t method = number(at + 10, 2);
    if (method != 0 && method != 8) {
      damaged("entry " + quoted_name(entry.name) + " has the unknown compression method " +
                  std::to_string(method),
              at);
    }
    entry.is_deflated = method == 8;
    entry.crc = static_cast<std::uint32_t>(number(at + 16, 4));
    has_crcs_ = has_crcs_ || entry.crc != 0;
    entry.stored_bytes = number(at + 20, 4);
    entry.size_bytes = number(at + 24, 4);
    entry.header_offset = number(at + 42, 4);
    read_zip64_extra(entry, at + 46 + name_size, extra_size);
    if (!entry.is_deflated && entry.stored_bytes != entry.size_bytes) {
      damaged("entry " + quoted_name(entry.name) + " has two different sizes", at);
    }
    check_local_header(entry, at, directory.offset);
    if (!index_.try_emplace(entry.name, entries_.size()).second) {
      damaged("has two entries called " + quoted_name(entry.name), at);
    }
    entries_.push_back(std::move(entry));
    at += 46 + name_size + extra_size + comment_size;
  }
  if (at != end) damaged("the zip directory has bytes that belong to no entry", at);
}

void ZipReader::read_zip64_extra(ZipEntry& entry, std::uint64_t at, std::uint64_t size) const {
  const std::uint64_t end = at + size;
  while (end - at >= 4) {
    const std::uint64_t id = number(at, 2);
    const std::uint64_t length = number(at + 2, 2);
    at += 4;
    if (length > end - at)
      damaged("the extra field of " + quoted_name(entry.name) + " is cut off", at);
    if (id == 1) {
      std::uint64_t field = at;
      for (std::uint64_t* value : {&entry.size_bytes, &entry.stored_bytes, &entry.header_offset}) {
        if (*value != kUnknown32) continue;
        if (at + length - field < 8) {
          damaged("the 64-bit sizes of " + quoted_name(entry.name) + " are cut off", at);
        }
        *value = number(field, 8);
        field += 8;
      }
    }
    at += length;
  }
}

// `central` is where the directory entry lies, `end` where the directory begins.
void ZipReader::check_local_header(ZipEntry& entry, std::uint64_t central,
                                   std::uint64_t end) const {
  constexpr std::uint64_t kHeaderBytes = 30;
  const std::uint64_t at = entry.header_offset;
  const std::string label = "entry " + quoted_name(entry.name);
  if (at > end || end - at < kHeaderBytes || number(at, 4) != kLocalHeader) {
    damaged(label + " has no header where the directory says", central);
  }
  const std::uint64_t name_size = number(at + 26, 2);
  const std::uint64_t skipped = kHeaderBytes + name_size + number(at + 28, 2);
  if (end - at < skipped || end - at - skipped < entry.stored_bytes) {
    damaged(label + " reaches beyond the zip file's data", central);
  }
  const std::string_view local_name(reinterpret_cast<const char*>(file_.data() + at + kHeaderBytes),
                                    name_size);
  const std::uint64_t flags = number(at + 6, 2);
  const bool has_sizes = (flags & 8) == 0;  // else they follow the data
  if (local_name != entry.name || flags != number(central + 8, 2) ||
      number(at + 8, 2) != number(central + 10, 2) ||
      (has_sizes && number(at + 14, 4) != entry.crc)) {
    damaged(label + " has a header that disagrees with the directory", at);
  }
  const std::uint64_t local_size = number(at + 18, 4);
  if (has_sizes && local_size != kUnknown32 && local_size != entry.stored_bytes) {
    damaged(label + " has another size in its header than in the directory", at);
  }
  entry.data_offset = at + skipped;
}

void ZipReader::check_ranges(const Directory& directory) const {
  std::vector<std::size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [this](std::size_t i) { return entries_[i].header_offset; });
  for (std::size_t k = 0; k < order.size(); ++k) {
    const ZipEntry& entry = entries_[order[k]];
    const std::uint64_t next =
        k + 1 < order.size() ? entries_[order[k + 1]].header_offset : directory.offset;
    if (entry.data_offset + entry.stored_bytes > next) {
      damaged("entry " + quoted_name(entry.name) + " overlaps the one after it",
              entry.header_offset);
    }
  }
}

const ZipEntry* ZipReader::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::span<const std::byte> ZipReader::stored(const ZipEntry& entry) const {
  return file_.subspan(entry.data_offset, entry.stored_bytes);
}

std::vector<std::byte> ZipReader::contents(const ZipEntry& entry, std::uint64_t limit_bytes) const {
  const std::string label = "entry " + quoted_name(entry.name);
  if (entry.size_bytes > limit_bytes) {
    damaged(label + " claims " + std::to_string(entry.size_bytes) +
                " bytes, more than the limit of " + std::to_string(limit_bytes),
            entry.header_offset);
  }
  const auto raw = stored(entry);
  if (!entry.is_deflated) return {raw.begin(), raw.end()};
  if (entry.size_bytes > kRatioFrom && entry.size_bytes / kLargestRatio > entry.stored_bytes) {
    damaged(label + " would inflate more than 200 times", entry.header_offset);
  }
  // One byte more than announced, so that data that is too long is seen.
  std::vector<std::byte> out = inflated(entry, entry.size_bytes + 1);
  if (out.size() != entry.size_bytes) {
    damaged(label + " cannot be inflated to its size", entry.data_offset);
  }
  return out;
}

std::vector<std::byte> ZipReader::start(const ZipEntry& entry, std::uint64_t limit_bytes) const {
  const std::uint64_t wanted = std::min(entry.size_bytes, limit_bytes);
  if (entry.is_deflated) return inflated(entry, wanted);
  const auto raw = stored(entry).first(wanted);
  return {raw.begin(), raw.end()};
}

// Up to `size_bytes` bytes. Empty where the stream is broken, or where all of it fits and its end
// is missing.
std::vector<std::byte> ZipReader::inflated(const ZipEntry& entry, std::uint64_t size_bytes) const {
  const auto raw = stored(entry);
  std::vector<std::byte> out(size_bytes);
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  std::uint64_t taken = 0;
  std::uint64_t made = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    constexpr std::uint64_t kPiece = std::uint64_t{1} << 30;  // zlib counts in 32 bits
    const std::uint64_t in = std::min<std::uint64_t>(raw.size() - taken, kPiece);
    const std::uint64_t room = std::min<std::uint64_t>(out.size() - made, kPiece);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(raw.data() + taken));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(room);
    status = ::inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += room - stream.avail_out;
    if (status == Z_OK && in == stream.avail_in && room == stream.avail_out) break;
  }
  ::inflateEnd(&stream);
  const bool is_full = made == size_bytes && (status == Z_OK || status == Z_BUF_ERROR);
  out.resize(status == Z_STREAM_END || is_full ? made : 0);
  return out;
}

bool ZipReader::has_crc(const ZipEntry& entry, std::span<const std::byte> contents) const {
  return !has_crcs_ || crc32(contents) == entry.crc;
}

std::optional<Storage::Checksum> ZipReader::checksum(const ZipEntry& entry) const {
  if (!has_crcs_) return std::nullopt;
  return Storage::Checksum{stored(entry), entry.crc};
}

void ZipReader::check_crc(const ZipEntry& entry, std::span<const std::byte> contents) const {
  if (!has_crc(entry, contents)) {
    damaged("entry " + quoted_name(entry.name) + " has a wrong checksum", entry.data_offset);
  }
}

}  // namespace vissl::host
