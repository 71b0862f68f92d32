/* Let one write, fsync or rename under a folder fail, as on a disk that is full or broken. Load it with LD_PRELOAD. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[4096];
static long failing;
static long seen;

/* Let the n-th operation from now on fail; none if n is 0. */
void disk_arm(const char *path, long n)
{
    strncpy(folder, path, sizeof folder - 1);
    failing = n;
    seen = 0;
}

/* Return the number of operations since then, and let none fail. */
long disk_disarm(void)
{
    failing = 0;
    folder[0] = '\0';
    return seen;
}

static int fails(const char *path)
{
    if (!folder[0] || strncmp(path, folder, strlen(folder)))
        return 0;
    if (++seen != failing)
        return 0;
    errno = ENOSPC;
    return 1;
}

static int fails_at(int file)
{
    char link[64], path[4096];
    if (!folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = '\0';
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *data, size_t size)
{
    return fails_at(file) ? -1 : REAL(write)(file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t place)
{
    return fails_at(file) ? -1 : REAL(pwrite)(file, data, size, place);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t place)
{
    return fails_at(file) ? -1 : REAL(pwrite64)(file, data, size, place);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return fails_at(file) ? -1 : REAL(writev)(file, parts, count);
}

ssize_t sendfile(int file, int from, off_t *place, size_t size);
ssize_t sendfile(int file, int from, off_t *place, size_t size)
{
    return fails_at(file) ? -1 : REAL(sendfile)(file, from, place, size);
}

ssize_t sendfile64(int file, int from, off64_t *place, size_t size);
ssize_t sendfile64(int file, int from, off64_t *place, size_t size)
{
    return fails_at(file) ? -1 : REAL(sendfile64)(file, from, place, size);
}

int ftruncate(int file, off_t size)
{
    return fails_at(file) ? -1 : REAL(ftruncate)(file, size);
}

int fsync(int file)
{
    return fails_at(file) ? -1 : REAL(fsync)(file);
}

int fdatasync(int file)
{
    return fails_at(file) ? -1 : REAL(fdatasync)(file);
}

int rename(const char *from, const char *to)
{
    return fails(to) ? -1 : REAL(rename)(from, to);
}
