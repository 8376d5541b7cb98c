// libwebp's encoder, found at run time, by its public interface.
#ifndef APPLIANCE_LIBWEBP_H
#define APPLIANCE_LIBWEBP_H

#include <stddef.h>
#include <stdint.h>

enum {
    WEBP_INTERFACE = 0x0200, // the library takes any version of the same upper byte
    WEBP_MAX_SIDE = 16383,
};

// WebPConfig, of which the fields that are set come first. The others are the library's.
typedef struct {
    int32_t is_lossless;
    float quality;
    int32_t method; // 0 to 6: libvips calls it effort
    int32_t rest[61];
} WebpSettings;

typedef struct WebpPicture WebpPicture;

// WebPPicture, of which the same is true. Y, U and V are those of BT.601, in its narrow range.
struct WebpPicture {
    int32_t is_argb, colorspace;
    int32_t width, height;
    uint8_t *planes[3];
    int32_t stride, colour_stride;
    uint8_t *alpha;
    int32_t alpha_stride;
    uint32_t reserved[2];
    uint32_t *argb;
    int32_t argb_stride;
    uint32_t reserved_too[3];
    int (*write)(const uint8_t *bytes, size_t count, const WebpPicture *picture); // returns whether it could
    void *context;
    void *rest[48];
};

typedef struct {
    int (*WebPConfigInitInternal)(WebpSettings *settings, int preset, float quality, int version);
    int (*WebPPictureInitInternal)(WebpPicture *picture, int version);
    int (*WebPEncode)(const WebpSettings *settings, WebpPicture *picture);
} Libwebp;

// Every function, once `libwebp_load` has found them; NULL before.
extern Libwebp libwebp;

// Take the functions from the library at this path. Returns what is wrong, or NULL.
const char *libwebp_load(const char *path);

#endif
