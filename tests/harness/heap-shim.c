/*
 * Preloaded, it tells how much memory a program has allocated at the end of each of its rounds: whenever the program
 * renames a file, which the daemon does with its status, the mapped file HEAP_SHIM_FILE, one 64-bit number, is lowered to
 * the bytes that are in use. A test sets it high, and finds the least of the rounds that followed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int rename_fn(const char *, const char *);
typedef size_t bytes_fn(void);

static rename_fn *real_rename;
static bytes_fn *sanitizer_bytes; /* NULL: there is no sanitizer, which has an allocator of its own */
static volatile uint64_t *told;   /* NULL: no file */

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("HEAP_SHIM_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    real_rename = (rename_fn *)dlsym(RTLD_NEXT, "rename");
    sanitizer_bytes = (bytes_fn *)dlsym(RTLD_DEFAULT, "__sanitizer_get_current_allocated_bytes");
    told = memory == MAP_FAILED ? NULL : memory;
    if (fd >= 0) {
        close(fd);
    }
}

static uint64_t bytes_in_use(void)
{
    struct mallinfo2 info;

    if (sanitizer_bytes != NULL) {
        return sanitizer_bytes();
    }
    info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int rename(const char *from, const char *to)
{
    uint64_t bytes = told == NULL ? 0 : bytes_in_use();

    if (told != NULL && bytes < *told) {
        *told = bytes;
    }
    return real_rename(from, to);
}
