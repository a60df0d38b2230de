// Preloaded into the program: writes down what it asks the kernel to write and to sync in one folder, in the order in which
// the kernel has done so. A record is written before the call returns, so what is done because of a call comes after it.
// While a file NAME.broken lies beside a file, its syncs fail, as of a disk that cannot be written.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 4096, PATH = 512 };

struct head {
    char kind; // w: written, t: made so long, b: a sync begins, s: it has ended well, f: it has failed
    char pad[3];
    uint32_t thread; // whose
    int64_t offset;
    uint32_t path, bytes; // lengths of what follows
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char paths[FILES][PATH];

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static const char *path_of(int file) { return file >= 0 && file < FILES && paths[file][0] ? paths[file] : NULL; }

static int in_folder(const char *path) {
    const char *folder = getenv("RECORD_FOLDER");
    return path && folder && strncmp(path, folder, strlen(folder)) == 0 && strlen(path) < PATH;
}

static int opened(int file, const char *path) {
    if (file >= 0 && file < FILES) strcpy(paths[file], in_folder(path) ? path : "");
    return file;
}

static void record(char kind, const char *path, int64_t offset, const void *bytes, size_t length) {
    static int file = -1;
    pthread_mutex_lock(&lock);
    if (file < 0) {
        int (*open_it)(const char *, int, ...) = real("open");
        file = open_it(getenv("RECORD_FILE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    struct head head = {kind, {0}, gettid(), offset, strlen(path), length};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)bytes, length}};
    // Half a record would make the rest unreadable.
    if (writev(file, parts, 3) != (ssize_t)(sizeof head + head.path + length)) abort();
    pthread_mutex_unlock(&lock);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        int mode = va_arg(rest, int);                                                                                  \
        va_end(rest);                                                                                                  \
        int (*call)(const char *, int, ...) = real(#name);                                                             \
        return opened(call(path, flags, mode), path);                                                                  \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    int (*call)(int) = real("close");
    if (path_of(file)) paths[file][0] = 0;
    return call(file);
}

#define PWRITE(name)                                                                                                   \
    ssize_t name(int file, const void *bytes, size_t length, off_t offset) {                                           \
        ssize_t (*call)(int, const void *, size_t, off_t) = real(#name);                                               \
        ssize_t written = call(file, bytes, length, offset);                                                           \
        if (written > 0 && path_of(file)) record('w', path_of(file), offset, bytes, written);                          \
        return written;                                                                                                \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int file, const void *bytes, size_t length) {
    ssize_t (*call)(int, const void *, size_t) = real("write");
    off_t offset = path_of(file) ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t written = call(file, bytes, length);
    if (written > 0 && path_of(file)) record('w', path_of(file), offset, bytes, written);
    return written;
}

#define TRUNCATE(name)                                                                                                 \
    int name(int file, off_t length) {                                                                                 \
        int (*call)(int, off_t) = real(#name);                                                                         \
        int failed = call(file, length);                                                                               \
        if (!failed && path_of(file)) record('t', path_of(file), length, "", 0);                                       \
        return failed;                                                                                                 \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

static int is_broken(const char *path) {
    char name[PATH + 8];
    snprintf(name, sizeof name, "%s.broken", path);
    return access(name, F_OK) == 0;
}

#define SYNC(name)                                                                                                     \
    int name(int file) {                                                                                               \
        int (*call)(int) = real(#name);                                                                                \
        if (path_of(file)) record('b', path_of(file), 0, "", 0);                                                       \
        int broken = path_of(file) && is_broken(path_of(file));                                                        \
        int failed = broken ? -1 : call(file);                                                                         \
        if (path_of(file)) record(failed ? 'f' : 's', path_of(file), 0, "", 0);                                        \
        if (broken) errno = EIO;                                                                                       \
        return failed;                                                                                                 \
    }
SYNC(fsync)
SYNC(fdatasync)
