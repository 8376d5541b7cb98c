#include "libjpeg.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <string.h>

Libjpeg libjpeg;

static jmp_buf refused;

static void on_error(j_common_ptr codec) {
    (void)codec;
    longjmp(refused, 1);
}

// Whether the library takes the structures that this file was compiled with: it compares their version and size.
static int takes_our_structures(void) {
    struct jpeg_error_mgr errors;
    struct jpeg_decompress_struct reader;
    struct jpeg_compress_struct writer;
    memset(&reader, 0, sizeof reader);
    memset(&writer, 0, sizeof writer);
    reader.err = writer.err = libjpeg.jpeg_std_error(&errors);
    errors.error_exit = on_error;
    if (setjmp(refused)) return 0;
    libjpeg.jpeg_CreateDecompress(&reader, JPEG_LIB_VERSION, sizeof reader);
    libjpeg.jpeg_destroy_decompress(&reader);
    libjpeg.jpeg_CreateCompress(&writer, JPEG_LIB_VERSION, sizeof writer);
    libjpeg.jpeg_destroy_compress(&writer);
    return 1;
}

const char *libjpeg_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return dlerror();
#define X(name)                                                                                                        \
    *(void **)&libjpeg.name = dlsym(library, #name);                                                                   \
    if (!libjpeg.name) return "the library has no " #name;
    LIBJPEG_FUNCTIONS(X)
#undef X
    return takes_our_structures() ? NULL : "the library has another version of the interface";
}
