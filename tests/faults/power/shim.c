/* Records what a process does to the files below one folder, so that power.py can rebuild the folder as a power cut
 * would have left it. Loaded with LD_PRELOAD; POWER_FOLDER is the folder, POWER_JOURNAL the file to append to.
 *
 * Every operation and its record are made under one lock (over threads and processes), so the journal has the order of
 * the effects. Files are known by their inode: a name may change while a file is open. A write to standard output is
 * recorded as well: that is how a program acknowledges. fsync and fdatasync are recorded but not performed, since the
 * cut is only played; a synced folder's listing is recorded with it. Some programs rename by a bare system call (those
 * with Rust's rustix, tantivy among them): so before each record, files made here are looked up under their known names.
 *
 * Not seen: writes through a shared mapping, and io_uring. Fast copies and preallocation are refused, so that callers
 * fall back on write(2). A test that compares a full rebuild with the folder itself notices anything that was missed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

struct entry { /* one record; followed by `text` bytes of path and `data` bytes of content; see power.py */
    uint32_t kind, text, data, reserved;
    uint64_t file, offset;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static pid_t journal_owner;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static void die(const char *what) {
    dprintf(2, "power shim: %s: %s\n", what, strerror(errno));
    _exit(120);
}

static void notice_bare_renames(void);

/* POSIX locks belong to a process, so a forked child opens nothing anew but locks for itself. */
static void lock(void) {
    int saved = errno;
    pthread_mutex_lock(&mutex);
    if (journal < 0 || journal_owner != getpid()) {
        const char *watched = getenv("POWER_FOLDER"), *path = getenv("POWER_JOURNAL");
        if (!watched || !path || !realpath(watched, folder)) die("POWER_FOLDER or POWER_JOURNAL");
        folder_length = strlen(folder);
        journal = REAL(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (journal < 0) die(path);
        journal_owner = getpid();
    }
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(journal, F_SETLKW, &whole) != 0)
        if (errno != EINTR) die("lock");
    notice_bare_renames();
    errno = saved;
}

static void unlock(void) {
    int saved = errno;
    struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    fcntl(journal, F_SETLK, &whole);
    pthread_mutex_unlock(&mutex);
    errno = saved;
}

static void record(char kind, uint64_t file, uint64_t offset, const char *text, const void *data, size_t length) {
    int saved = errno;
    struct entry entry = {.kind = (uint32_t)kind, .text = (uint32_t)strlen(text), .data = (uint32_t)length,
                          .file = file, .offset = offset};
    struct iovec parts[3] = {{&entry, sizeof entry}, {(void *)text, entry.text}, {(void *)data, length}};
    if (REAL(writev)(journal, parts, 3) != (ssize_t)(sizeof entry + entry.text + length)) die("journal");
    errno = saved;
}

/* Files made by this process, under the names they were last known by. */
static struct known {
    char *path;
    ino_t file;
} *known;
static size_t known_count;

static void forget(size_t at) {
    free(known[at].path);
    known[at] = known[--known_count];
}

static void remember(const char *path, ino_t file) {
    for (size_t n = 0; n < known_count; n++)
        if (strcmp(known[n].path, path) == 0) forget(n--);
    known = realloc(known, (known_count + 1) * sizeof *known);
    char *copy = strdup(path);
    if (!known || !copy) die("memory");
    known[known_count++] = (struct known){copy, file};
}

static void record_rename(const char *from, const char *to) {
    ino_t file = 0;
    record('R', 0, 0, from, to, strlen(to));
    for (size_t n = 0; n < known_count; n++)
        if (strcmp(known[n].path, from) == 0) {
            file = known[n].file;
            forget(n--);
        }
    if (file) remember(to, file);
}

static void record_unlink(const char *path) {
    record('U', 0, 0, path, "", 0);
    for (size_t n = 0; n < known_count; n++)
        if (strcmp(known[n].path, path) == 0) forget(n--);
}

/* The name of a file in the folder of its former name; 0 when it is not there. */
static int look_up(ino_t file, const char *former, char *path) {
    strcpy(path, former);
    char *name = strrchr(path, '/') + 1;
    *name = 0;
    DIR *entries = opendir(path);
    int found = 0;
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));)
        if (entry->d_ino == file && name + strlen(entry->d_name) < path + PATH_MAX) {
            strcpy(name, entry->d_name);
            found = 1;
        }
    if (entries) closedir(entries);
    return found;
}

static void notice_bare_renames(void) {
    struct stat status;
    char former[PATH_MAX], path[PATH_MAX];
    for (size_t n = 0; n < known_count; n++) {
        int exists = lstat(known[n].path, &status) == 0;
        if (exists && status.st_ino == known[n].file) continue;
        strcpy(former, known[n].path);
        if (look_up(known[n].file, former, path)) record_rename(former, path);
        else if (exists) forget(n); /* another file was renamed over it, which is noticed by its own former name */
        else record_unlink(former);
        n = (size_t)-1; /* the list has changed: begin again */
    }
}

__attribute__((destructor)) static void notice_the_last(void) {
    if (journal < 0 || journal_owner != getpid()) return;
    lock();
    unlock();
}

static int below(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* The path of an open file, its status in *status; 0 unless it lies below the folder. */
static int watched(int fd, char *path, struct stat *status) {
    char link[64];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length > 0) path[length] = 0;
    int yes = length > 0 && below(path) && fstat(fd, status) == 0 && (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode));
    errno = saved;
    return yes;
}

/* The absolute path of a name that may not exist: its folder resolved, its last part as it is. */
static int absolute(int at, const char *name, char *path) {
    char joined[2 * PATH_MAX], link[64], base[PATH_MAX] = ".";
    int saved = errno, yes = 0;
    if (name[0] != '/' && at != AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length <= 0) goto out;
        base[length] = 0;
    }
    snprintf(joined, sizeof joined, name[0] == '/' ? "%.0s%s" : "%s/%s", base, name);
    char *last = strrchr(joined, '/');
    *last = 0;
    if (!realpath(*joined ? joined : "/", path) || strlen(path) + strlen(last + 1) + 2 > PATH_MAX) goto out;
    strcat(path, "/");
    strcat(path, last + 1);
    yes = below(path);
out:
    errno = saved;
    return yes;
}

static void record_write(int fd, const void *data, ssize_t length, off_t offset) {
    char path[PATH_MAX];
    struct stat status;
    if (length <= 0) return;
    if (fd == STDOUT_FILENO)
        record('K', 0, 0, "", data, (size_t)length);
    else if (watched(fd, path, &status) && S_ISREG(status.st_mode)) {
        if (offset < 0) { /* a plain write: it ended where the file position is now */
            offset = lseek(fd, 0, SEEK_CUR) - length;
            if (fcntl(fd, F_GETFL) & O_APPEND) offset = status.st_size - length;
        }
        record('W', status.st_ino, (uint64_t)offset, path, data, (size_t)length);
    }
}

static void *joined(const struct iovec *parts, int count, ssize_t length) {
    char *all = malloc(length > 0 ? (size_t)length : 1), *end = all;
    if (!all) die("memory");
    for (int n = 0; n < count && end < all + length; n++) {
        size_t left = (size_t)(all + length - end), part = parts[n].iov_len < left ? parts[n].iov_len : left;
        memcpy(end, parts[n].iov_base, part);
        end += part;
    }
    return all;
}

ssize_t write(int fd, const void *data, size_t size) {
    lock();
    ssize_t done = REAL(write)(fd, data, size);
    record_write(fd, data, done, -1);
    unlock();
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    lock();
    ssize_t done = REAL(pwrite)(fd, data, size, offset);
    record_write(fd, data, done, offset);
    unlock();
    return done;
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    lock();
    ssize_t done = REAL(writev)(fd, parts, count);
    void *data = joined(parts, count, done);
    record_write(fd, data, done, -1);
    free(data);
    unlock();
    return done;
}

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags) {
    lock();
    ssize_t done = REAL(pwritev2)(fd, parts, count, offset, flags);
    void *data = joined(parts, count, done);
    record_write(fd, data, done, offset);
    free(data);
    unlock();
    return done;
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags) {
    return pwritev2(fd, parts, count, offset, flags);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev2(fd, parts, count, offset, 0); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) { return pwritev2(fd, parts, count, offset, 0); }

int ftruncate(int fd, off_t length) {
    char path[PATH_MAX];
    struct stat status;
    lock();
    int failed = REAL(ftruncate)(fd, length);
    if (!failed && watched(fd, path, &status)) record('T', status.st_ino, (uint64_t)length, path, "", 0);
    unlock();
    return failed;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int truncate(const char *name, off_t length) {
    int fd = REAL(open)(name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int failed = ftruncate(fd, length), saved = errno;
    close(fd);
    errno = saved;
    return failed;
}
int truncate64(const char *name, off64_t length) { return truncate(name, length); }

/* A folder's listing: "inode name" and a zero byte for each entry. */
static void record_folder(const char *path, const struct stat *status) {
    char *listing = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&listing, &size);
    DIR *entries = opendir(path);
    if (!stream || !entries) die(path);
    for (struct dirent *entry; (entry = readdir(entries));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fprintf(stream, "%llu %s%c", (unsigned long long)entry->d_ino, entry->d_name, 0);
    closedir(entries);
    fclose(stream);
    record('D', status->st_ino, 0, path, listing, size);
    free(listing);
}

static int synced(int fd) {
    char path[PATH_MAX];
    struct stat status;
    lock();
    int known = watched(fd, path, &status);
    if (known && S_ISDIR(status.st_mode)) record_folder(path, &status);
    if (known && S_ISREG(status.st_mode)) record('S', status.st_ino, 0, path, "", 0);
    unlock();
    return known;
}
int fsync(int fd) { return synced(fd) ? 0 : REAL(fsync)(fd); }
int fdatasync(int fd) { return synced(fd) ? 0 : REAL(fdatasync)(fd); }

static int opened(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat before, after;
    lock();
    int ours = (flags & (O_CREAT | O_TRUNC)) && absolute(at, name, path);
    int existed = ours && fstatat(at, name, &before, 0) == 0;
    int fd = REAL(openat)(at, name, flags, mode);
    if (fd >= 0 && ours && fstat(fd, &after) == 0) {
        if (!existed) {
            record('C', after.st_ino, 0, path, "", 0);
            remember(path, after.st_ino);
        } else if (flags & O_TRUNC) record('T', after.st_ino, 0, path, "", 0);
    }
    unlock();
    return fd;
}

#define MODE(flags)                                              \
    mode_t mode = 0;                                             \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest;                                            \
        va_start(rest, flags);                                   \
        mode = va_arg(rest, mode_t);                             \
        va_end(rest);                                            \
    }
int open(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE(flags) return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE(flags) return opened(at, name, flags | O_LARGEFILE, mode); }
int creat(const char *name, mode_t mode) { return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *name, mode_t mode) { return creat(name, mode); }

static int renamed(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char source[PATH_MAX], target[PATH_MAX];
    lock();
    int ours = absolute(from_at, from, source) && absolute(to_at, to, target);
    int failed = flags ? REAL(renameat2)(from_at, from, to_at, to, flags) : REAL(renameat)(from_at, from, to_at, to);
    if (!failed && ours) record_rename(source, target);
    unlock();
    return failed;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return renamed(from_at, from, to_at, to, 0); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return renamed(from_at, from, to_at, to, flags);
}

static int unlinked(int at, const char *name, int flags) {
    char path[PATH_MAX];
    lock();
    int ours = absolute(at, name, path);
    int failed = REAL(unlinkat)(at, name, flags);
    if (!failed && ours) record_unlink(path);
    unlock();
    return failed;
}
int unlink(const char *name) { return unlinked(AT_FDCWD, name, 0); }
int unlinkat(int at, const char *name, int flags) { return unlinked(at, name, flags); }
int remove(const char *name) {
    struct stat status;
    int folder_itself = lstat(name, &status) == 0 && S_ISDIR(status.st_mode);
    return unlinked(AT_FDCWD, name, folder_itself ? AT_REMOVEDIR : 0);
}
int rmdir(const char *name) { return unlinked(AT_FDCWD, name, AT_REMOVEDIR); }

static int made(int at, const char *name, mode_t mode) {
    char path[PATH_MAX];
    struct stat status;
    lock();
    int ours = absolute(at, name, path);
    int failed = REAL(mkdirat)(at, name, mode);
    if (!failed && ours && fstatat(at, name, &status, 0) == 0) record('M', status.st_ino, 0, path, "", 0);
    unlock();
    return failed;
}
int mkdir(const char *name, mode_t mode) { return made(AT_FDCWD, name, mode); }
int mkdirat(int at, const char *name, mode_t mode) { return made(at, name, mode); }

int fallocate(int fd, int mode, off_t offset, off_t length) { errno = EOPNOTSUPP; return -1; }
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { errno = EOPNOTSUPP; return -1; }
int posix_fallocate(int fd, off_t offset, off_t length) { return EOPNOTSUPP; }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return EOPNOTSUPP; }
ssize_t sendfile(int to, int from, off_t *offset, size_t count) { errno = EINVAL; return -1; }
ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) { errno = EINVAL; return -1; }
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    errno = EINVAL;
    return -1;
}
