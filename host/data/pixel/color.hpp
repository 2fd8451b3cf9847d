#pragma once
// Colour operations equal, bit for bit, to Pillow's ImageEnhance and ImageOps and to torchvision's
// adjust_hue of PIL images. They work in place on images of 1 or 3 channels and throw on 4 (Pillow
// would need to know what the fourth is).
#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

// Blends with black, with the mean of the gray image, with the gray image, with the smoothed image:
// factor 0 gives these, 1 gives the image back, anything else extrapolates and clips.
void adjust_brightness(Pixels& image, double factor);
void adjust_contrast(Pixels& image, double factor);
void adjust_saturation(Pixels& image, double factor);
void adjust_sharpness(Pixels& image, double factor);

// Shifts the hue by `factor` turns, -0.5 to 0.5 (throws outside), through 8-bit HSV. Leaves gray
// images as they are.
void adjust_hue(Pixels& image, double factor);

// Luma (ITU-R 601-2) as one channel; one channel again as three.
Pixels to_gray(const View& image);
Pixels to_rgb(const View& gray);
// torchvision's to_grayscale with three output channels, in place.
void replace_by_gray(Pixels& image);

void invert(Pixels& image);
void posterize(Pixels& image, int bits);  // keeps the `bits` highest bits, 1 to 8 (throws outside)
void solarize(Pixels& image, double threshold);  // inverts values at or above the threshold
void autocontrast(Pixels& image);                // stretches each channel to 0..255
void equalize(Pixels& image);                    // flattens the histogram of each channel

}  // namespace vissl::host::pixel
