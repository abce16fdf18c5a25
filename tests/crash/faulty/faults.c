/*
 * A disk that fails when it is told to, preloaded into the daemon: what it is asked for the store's files goes on to the C library, until
 * there is a file in the folder FAULTS by the name of the fault.
 *
 * sync-log: one fsync of the write-ahead log fails, and what was written since the last good one is lost. The next ones say that all is well,
 * as the kernel does after a failed write-back (fsync(2), "errors"): whoever asks again is deceived.
 * sync-store: the same of the database, without the loss.
 * write-log: every write to the write-ahead log fails.
 *
 * Under the daemon's own locks it may ask for no other calls than the daemon: stat, fstat, ftruncate.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

static char log_file[512], store_file[512], sync_log[512], sync_store[512], write_log[512];
static off_t synced;
static int has_failed;

__attribute__((constructor)) static void begin(void)
{
    const char *state = getenv("STATE_DIRECTORY"), *faults = getenv("FAULTS");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_pwrite64 = dlsym(RTLD_NEXT, "pwrite64");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    if (!state || !faults)
        return;
    snprintf(log_file, sizeof log_file, "%s/store.db-wal", state);
    snprintf(store_file, sizeof store_file, "%s/store.db", state);
    snprintf(sync_log, sizeof sync_log, "%s/sync-log", faults);
    snprintf(sync_store, sizeof sync_store, "%s/sync-store", faults);
    snprintf(write_log, sizeof write_log, "%s/write-log", faults);
}

static int is_there(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0;
}

static int is(int descriptor, const char *path)
{
    struct stat open, there;
    return fstat(descriptor, &open) == 0 && stat(path, &there) == 0 && open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

static int failed(void)
{
    has_failed = 1;
    errno = EIO;
    return -1;
}

static int synchronise(int descriptor, int (*real)(int))
{
    struct stat now;
    if (is(descriptor, log_file)) {
        if (!has_failed && is_there(sync_log)) {
            if (ftruncate(descriptor, synced) != 0)
                abort();
            return failed();
        }
        if (fstat(descriptor, &now) == 0)
            synced = now.st_size;
    } else if (!has_failed && is(descriptor, store_file) && is_there(sync_store)) {
        return failed();
    }
    return real(descriptor);
}

int fsync(int descriptor)
{
    return synchronise(descriptor, real_fsync);
}

int fdatasync(int descriptor)
{
    return synchronise(descriptor, real_fdatasync);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset)
{
    if (is_there(write_log) && is(descriptor, log_file))
        return failed();
    return real_pwrite64(descriptor, bytes, count, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    if (is_there(write_log) && is(descriptor, log_file))
        return failed();
    return real_pwrite(descriptor, bytes, count, offset);
}
