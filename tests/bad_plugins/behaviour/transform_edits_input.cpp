// It writes into pixels that it asked for as read-only.
#include <vissl/transform.hpp>
using namespace vissl;
static vissl_status edit(void*, vissl_image* image, vissl_rng*, vissl_err* err) {
  const auto& api = service<vissl_image_api>(VISSL_IMAGE_ID);
  const void* pixels = nullptr;
  const vissl_status status = api.pixels(image, VISSL_LAYOUT_U8_HWC, &pixels, err);
  if (status != VISSL_OK) return status;
  auto* bytes = static_cast<std::uint8_t*>(const_cast<void*>(pixels));
  bytes[0] = static_cast<std::uint8_t>(255 - bytes[0]);
  return VISSL_OK;
}
struct Broken {};
static constexpr vissl_transform_class kTable = {sizeof(vissl_transform_class),
                                                 &detail::create<Broken>, &detail::destroy<Broken>,
                                                 &edit, nullptr};
VISSL_COMPONENT(Broken, VISSL_TRANSFORM_ID, kTable, "transform/transform_edits_input/Edits all.")
VISSL_PLUGIN("org.example.transform_edits_input", "1.0.0")
