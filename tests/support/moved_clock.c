/* Puts a program's calendar ahead by the seconds that a file holds (8 bytes, little-endian), for tests of what happens after days. Loaded
 * before the program (ld.so(8), LD_PRELOAD); the file is mapped once, so that the program may lock itself away afterwards. The monotonic
 * clock stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static volatile const int64_t *ahead;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("MOVED_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    /* a test that believes its clock to be moved must not run on one that is not */
    if (mapped == MAP_FAILED) abort();
    ahead = mapped;
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result == 0 && ahead && clock == CLOCK_REALTIME) now->tv_sec += *ahead;
    return result;
}
