// How coarsely each frequency is stored at quality 50: Klein, Silverstein and Carney, "Relevance of human vision to
// JPEG-DCT compression" (1992), which mozjpeg has as table 5 and libvips as `quant_table=5`. Brightness and colours share
// it.
#ifndef APPLIANCE_QUANTISATION_H
#define APPLIANCE_QUANTISATION_H

#include <jpeglib.h>

static const unsigned int QUANTISATION_TABLE[DCTSIZE2] = {
    10, 12, 14, 19, 26, 38, 57, 86,
    12, 18, 21, 28, 35, 41, 54, 76,
    14, 21, 25, 32, 44, 63, 92, 136,
    19, 28, 32, 41, 54, 75, 107, 157,
    26, 35, 44, 54, 70, 95, 132, 190,
    38, 41, 63, 75, 95, 125, 170, 239,
    57, 54, 92, 107, 132, 170, 227, 312,
    86, 76, 136, 157, 190, 239, 312, 419,
};

#endif
