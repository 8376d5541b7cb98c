// Memory that is freed all at once, however the work ends.
#ifndef APPLIANCE_POOL_H
#define APPLIANCE_POOL_H

#include <stddef.h>

typedef struct Block Block;

typedef struct {
    Block *last;
    void (*on_no_memory)(void *); // doesn't return
    void *context;                // its argument
} Pool;

// Zeroed bytes, aligned for vectors. Never NULL.
void *pool_take(Pool *pool, size_t bytes);

void pool_free(Pool *pool);

#endif
