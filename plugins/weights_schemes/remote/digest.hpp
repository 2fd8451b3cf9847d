#pragma once
#include <string>

namespace remote {

// SHA-256 in 64 lower-case hexadecimal digits. Throws vissl::Failure(VISSL_E_DATA) when the file
// cannot be read.
std::string sha256_of_file(const std::string& path);
std::string sha256_of_text(const std::string& text);

}  // namespace remote
