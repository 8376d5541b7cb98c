#include "pool.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

struct Block {
    Block *before;
};

void *pool_take(Pool *pool, size_t bytes) {
    size_t whole = (bytes + ALIGNMENT + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    Block *block = aligned_alloc(ALIGNMENT, whole);
    if (!block) pool->on_no_memory(pool->context);
    memset(block, 0, whole);
    block->before = pool->last;
    pool->last = block;
    return (char *)block + ALIGNMENT;
}

void pool_free(Pool *pool) {
    while (pool->last) {
        Block *before = pool->last->before;
        free(pool->last);
        pool->last = before;
    }
}
