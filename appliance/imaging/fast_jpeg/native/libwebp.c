#include "libwebp.h"

#include <dlfcn.h>

Libwebp libwebp;

static int takes_our_structures(const Libwebp *found) {
    WebpSettings settings;
    WebpPicture picture;
    return found->WebPConfigInitInternal(&settings, 0, 75, WEBP_INTERFACE) &&
           found->WebPPictureInitInternal(&picture, WEBP_INTERFACE);
}

const char *libwebp_load(const char *path) {
    Libwebp found;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
#define FIND(name)                                                                                                     \
    *(void **)&found.name = dlsym(library, #name);                                                                     \
    if (!found.name) return "the library has no " #name;
    FIND(WebPConfigInitInternal)
    FIND(WebPPictureInitInternal)
    FIND(WebPEncode)
#undef FIND
    if (!takes_our_structures(&found)) return "the library has another version of the interface";
    libwebp = found;
    return NULL;
}
