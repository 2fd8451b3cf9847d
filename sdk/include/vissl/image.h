/* vissl.image/1: one picture in the data path. An image stays encoded until a transform needs pixels; a crop that comes
 * first decodes only its rows; a map of 8-bit values stays pending as a table until the row of the batch is written. Every
 * operation works in place on the handle; shared pixels are copied on write. Arithmetic equals Pillow's and
 * torchvision's, byte for byte (data.arithmetic = "exact"). [worker] */
#ifndef VISSL_IMAGE_H
#define VISSL_IMAGE_H
#include <vissl/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_IMAGE_ID "vissl.image/1"

typedef struct vissl_image vissl_image; /* host object; belongs to its sample */

#define VISSL_LAYOUT_U8_HWC 0u  /* interleaved bytes */
#define VISSL_LAYOUT_F32_CHW 1u /* planes of floats */

#define VISSL_NEAREST 0u /* torchvision's InterpolationMode as Pillow's filters */
#define VISSL_BILINEAR 2u
#define VISSL_BICUBIC 3u

#define VISSL_ENHANCE_BRIGHTNESS 0u
#define VISSL_ENHANCE_CONTRAST 1u
#define VISSL_ENHANCE_SATURATION 2u
#define VISSL_ENHANCE_SHARPNESS 3u

typedef struct vissl_image_info {
  uint64_t size; /* set by the caller */
  int64_t width, height, channels;
  uint32_t is_float; /* 1 = F32_CHW: after a tensor transform */
} vissl_image_info;

typedef struct vissl_image_api {
  uint64_t size;
  /* Width, height and channels; reads at most the header of an encoded image. */
  vissl_status (*info)(vissl_image* image, vissl_image_info* out, vissl_err* err);
  /* Read-only pixels in the asked layout, contiguous; borrowed until the image is changed or its sample is gone. */
  vissl_status (*pixels)(vissl_image* image, uint32_t layout, const void** data, vissl_err* err);
  /* Writable pixels in place. U8_HWC of a float image is an error. */
  vissl_status (*edit)(vissl_image* image, uint32_t layout, void** data, vissl_err* err);
  /* Replaces the content. Encoded bytes (JPEG, PNG) are copied, or, when `keep_alive` is not 0, borrowed until the data
   * source instance is destroyed. */
  vissl_status (*set_encoded)(vissl_image* image, const void* bytes, uint64_t size, uint32_t keep_alive, vissl_err* err);
  vissl_status (*set_pixels)(vissl_image* image, uint32_t layout, int64_t width, int64_t height, int64_t channels,
                             const void* data, vissl_err* err); /* copied; data NULL = zeros */
  /* Geometry, 8-bit images. Boxes are in pixels. */
  vissl_status (*crop)(vissl_image* image, int64_t top, int64_t left, int64_t height, int64_t width, vissl_err* err); /* outside = 0 */
  vissl_status (*resize)(vissl_image* image, int64_t height, int64_t width, uint32_t interpolation, vissl_err* err);
  vissl_status (*resized_crop)(vissl_image* image, int64_t top, int64_t left, int64_t height, int64_t width,
                               int64_t out_height, int64_t out_width, uint32_t interpolation, vissl_err* err);
  vissl_status (*flip)(vissl_image* image, uint32_t vertical, vissl_err* err); /* also float images */
  /* Counter-clockwise about the centre, same size; multiples of 90 degrees are exact where the size allows. */
  vissl_status (*rotate)(vissl_image* image, double degrees, uint32_t interpolation, const uint8_t fill[3], vissl_err* err);
  /* Colour, 8-bit images. */
  vissl_status (*grayscale)(vissl_image* image, uint32_t channels, vissl_err* err); /* L, replicated to `channels` (1 or 3) */
  vissl_status (*enhance)(vissl_image* image, uint32_t kind, double factor, vissl_err* err);
  vissl_status (*hue)(vissl_image* image, double shift, vissl_err* err); /* shift in turns, -0.5 … 0.5 */
  vissl_status (*gaussian_blur)(vissl_image* image, double radius, vissl_err* err); /* standard deviation in pixels */
  vissl_status (*map_u8)(vissl_image* image, const uint8_t* table, uint32_t channels, vissl_err* err); /* channels x 256, or 1 x 256 for all */
  vissl_status (*autocontrast)(vissl_image* image, vissl_err* err);
  vissl_status (*equalize)(vissl_image* image, vissl_err* err);
  /* To float: per channel x/255 (ToTensor); on floats (x - mean[c]) / std[c] (Normalize). Both stay pending as a table. */
  vissl_status (*to_tensor)(vissl_image* image, vissl_err* err);
  vissl_status (*normalize)(vissl_image* image, const double* mean, const double* std, uint32_t channels, vissl_err* err);
  /* Copies `source`'s content (cheap: shared until one of both is changed). */
  vissl_status (*assign)(vissl_image* image, vissl_image* source, vissl_err* err);
} vissl_image_api;

#ifdef __cplusplus
}
#endif
#endif
