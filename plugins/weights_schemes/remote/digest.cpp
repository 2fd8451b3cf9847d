#include "digest.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <vissl/error.hpp>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace remote {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      vissl::fail("OpenSSL cannot compute SHA-256");
  }
  void add(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }
  std::string hex() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += kHex[digest[i] >> 4];
      text += kHex[digest[i] & 15];
    }
    return text;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::string sha256_of_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) vissl::fail(VISSL_E_DATA, "cannot read " + path + ": " + std::strerror(errno));
  Digest digest;
  std::vector<char> block(1 << 20);
  ssize_t bytes = 0;
  while ((bytes = ::read(fd, block.data(), block.size())) > 0 || (bytes < 0 && errno == EINTR))
    if (bytes > 0) digest.add(block.data(), static_cast<std::size_t>(bytes));
  const int error = errno;
  ::close(fd);
  if (bytes < 0) vissl::fail(VISSL_E_DATA, "cannot read " + path + ": " + std::strerror(error));
  return digest.hex();
}

std::string sha256_of_text(const std::string& text) {
  Digest digest;
  digest.add(text.data(), text.size());
  return digest.hex();
}

}  // namespace remote
