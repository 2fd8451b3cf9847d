// Schemes of peers whose servers only their owners can reach: they say so, and what to do instead.
#include <vissl/plugin.hpp>
#include <vissl/weights_scheme.hpp>

namespace {

struct Pavi {
  std::string resolve(std::string_view) const {
    vissl::fail(
        VISSL_E_DATA,
        "pavi:// is a model cloud of OpenMMLab's authors, whose client was never published; "
        "get the file from whoever trained it and give its path, or ship a weights scheme "
        "plugin 'pavi'");
  }
};

struct Petrel {
  std::string resolve(std::string_view) const {
    vissl::fail(VISSL_E_DATA,
                "petrel:// needs OpenMMLab's Petrel client, which was never published; the same "
                "store answers to S3: add weights_schemes = [{ name = \"s3\", prefix = "
                "\"petrel://\", force = true, endpoint = \"http://…\" }] to the config");
  }
};

}  // namespace

VISSL_WEIGHTS_SCHEME(Pavi, "pavi", "OpenMMLab's private model cloud: says what to do instead.")
VISSL_WEIGHTS_SCHEME(Petrel, "petrel", "OpenMMLab's private store: says how to reach it by S3.")
