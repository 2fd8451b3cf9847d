// Loaded before the C library by a test: the file whose name ends with $VISSL_TEST_CUT is cut to
// $VISSL_TEST_CUT_BYTES as soon as it was mapped $VISSL_TEST_CUT_MAPPINGS times by all processes
// together, so that touching what is gone raises SIGBUS in each.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// How often `name` was mapped, this time counted: a byte each in a file beside it.
static long mappings(const char* name) {
  char counter[4200];
  snprintf(counter, sizeof counter, "%s.mapped", name);
  const int fd = open(counter, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, "x", 1) != 1) abort();
  const long count = (long)lseek(fd, 0, SEEK_CUR);
  close(fd);
  return count;
}

static void cut(int fd) {
  const char* end = getenv("VISSL_TEST_CUT");
  const char* bytes = getenv("VISSL_TEST_CUT_BYTES");
  const char* times = getenv("VISSL_TEST_CUT_MAPPINGS");
  char link[64], name[4096];
  if (end == NULL || bytes == NULL || times == NULL) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0 || (size_t)length < strlen(end)) return;
  name[length] = '\0';
  if (strcmp(name + length - strlen(end), end) != 0) return;
  if (mappings(name) == atol(times) && truncate(name, atol(bytes)) != 0) abort();
}

__attribute__((visibility("default"))) void* mmap(void* address, size_t size, int protection,
                                                  int flags, int fd, off_t offset) {
  void* at = (void*)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  if (at != MAP_FAILED && fd >= 0) cut(fd);
  return at;
}
