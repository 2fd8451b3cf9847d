#include "host/files/zip_writer.hpp"

#include "host/files/crc.hpp"

namespace vissl::host {
namespace {

constexpr std::uint16_t kUtf8Names = 0x0800;
constexpr std::uint16_t kVersionStored = 20;
constexpr std::uint16_t kVersionZip64 = 45;
constexpr std::uint16_t kDate1980 = 0x0021;  // first of January; all zero is no valid date
constexpr std::uint16_t kZip64Extra = 0x0001;
constexpr std::uint16_t kPaddingExtra = 0x4246;  // "FB", torch's mark of alignment padding

// Appends little-endian numbers.
struct Fields {
  std::string bytes;
  Fields& u16(std::uint64_t v) { return put(v, 2); }
  Fields& u32(std::uint64_t v) { return put(v, 4); }
  Fields& u64(std::uint64_t v) { return put(v, 8); }

 private:
  Fields& put(std::uint64_t v, int size) {
    for (int i = 0; i < size; ++i) bytes += static_cast<char>((v >> (8 * i)) & 0xff);
    return *this;
  }
};

}  // namespace

void ZipWriter::put(const std::string& bytes) {
  sink_.write_text(bytes);
  offset_ += bytes.size();
}

void ZipWriter::add(const std::string& name, std::span<const std::byte> data,
                    std::uint32_t alignment) {
  const Entry entry{name, data.size(), offset_, crc32(data)};
  const bool is_large = entry.size >= zip64_from_;
  Fields extra;
  if (is_large) extra.u16(kZip64Extra).u16(16).u64(entry.size).u64(entry.size);
  const std::uint64_t unpadded = offset_ + 30 + name.size() + extra.bytes.size() + 4;
  const std::uint64_t padding = (alignment - unpadded % alignment) % alignment;
  extra.u16(kPaddingExtra).u16(padding);
  extra.bytes.append(static_cast<std::size_t>(padding), 'Z');

  const std::uint64_t size_field = is_large ? 0xffffffff : entry.size;
  Fields header;
  header.u32(0x04034b50).u16(is_large ? kVersionZip64 : kVersionStored).u16(kUtf8Names).u16(0);
  header.u16(0).u16(kDate1980).u32(entry.crc).u32(size_field).u32(size_field);
  header.u16(name.size()).u16(extra.bytes.size());
  put(header.bytes + name + extra.bytes);
  sink_.write(data);
  offset_ += data.size();
  entries_.push_back(entry);
}

void ZipWriter::finish() {
  const std::uint64_t start = offset_;
  for (const Entry& entry : entries_) {
    const bool is_large = entry.size >= zip64_from_;
    const bool is_far = entry.offset >= zip64_from_;
    Fields wide;
    if (is_large) wide.u64(entry.size).u64(entry.size);
    if (is_far) wide.u64(entry.offset);
    Fields extra;
    if (!wide.bytes.empty()) extra.u16(kZip64Extra).u16(wide.bytes.size());
    extra.bytes += wide.bytes;

    const std::uint16_t version = wide.bytes.empty() ? kVersionStored : kVersionZip64;
    const std::uint64_t size_field = is_large ? 0xffffffff : entry.size;
    Fields header;
    header.u32(0x02014b50).u16(version).u16(version).u16(kUtf8Names).u16(0);
    header.u16(0).u16(kDate1980).u32(entry.crc).u32(size_field).u32(size_field);
    header.u16(entry.name.size()).u16(extra.bytes.size()).u16(0).u16(0).u16(0).u32(0);
    header.u32(is_far ? 0xffffffff : entry.offset);
    put(header.bytes + entry.name + extra.bytes);
  }
  const std::uint64_t size = offset_ - start;
  const std::uint64_t count = entries_.size();
  const bool needs_zip64 = start >= zip64_from_ || size >= zip64_from_ || count >= 0xffff;
  Fields end;
  if (needs_zip64) {
    const std::uint64_t record = offset_;
    end.u32(0x06064b50).u64(44).u16(kVersionZip64).u16(kVersionZip64).u32(0).u32(0);
    end.u64(count).u64(count).u64(size).u64(start);
    end.u32(0x07064b50).u32(0).u64(record).u32(1);
  }
  const std::uint64_t count_field = needs_zip64 ? 0xffff : count;
  end.u32(0x06054b50).u16(0).u16(0).u16(count_field).u16(count_field);
  end.u32(needs_zip64 ? 0xffffffff : size).u32(needs_zip64 ? 0xffffffff : start).u16(0);
  put(end.bytes);
}

}  // namespace vissl::host
