#pragma once
// How a file that cannot be trusted is reported: "file: what[ (byte where)]; remedy".
#include <cstdint>
#include <string>
#include <string_view>

namespace vissl::host {

// `name` in single quotes, printable and on one line, cut to 200 bytes: a name inside a damaged or
// hostile file may hold whatever its writer likes.
std::string quoted_name(std::string_view name);

// Throws Error(Exit::bad_data); without a byte where the fault is in no one place.
[[noreturn]] void throw_damaged(const std::string& file, const std::string& what);
[[noreturn]] void throw_damaged(const std::string& file, const std::string& what,
                                std::uint64_t where);

}  // namespace vissl::host
