/* Moves the clocks of one program, and of the programs it starts, from outside.

   Loaded by LD_PRELOAD. The file named in NEWSBELL_TEST_CLOCK holds four numbers of 64 bits:
   nanoseconds by which the wall clock, the clock that counts suspended time, and the monotonic
   clock are ahead of the machine's; and whether waits for sockets look up when these change.
   CLOCK_MONOTONIC_RAW stays the machine's. Limits: waits of threads last as long as they were
   asked for, whatever is moved meanwhile. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WALL, BOOT, STEADY, LEAPS };
static const int64_t SECOND = 1000000000;
static volatile int64_t none[4];
static volatile int64_t *offsets = none;

__attribute__((constructor)) static void map_offsets(void) {
  const char *path = getenv("NEWSBELL_TEST_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) offsets = shared;
}

static int64_t offset(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_TAI: return offsets[WALL];
    case CLOCK_BOOTTIME: return offsets[BOOT];
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: return offsets[STEADY];
    default: return 0;
  }
}

static struct timespec moved(const struct timespec *time, int64_t by) {
  int64_t nanoseconds = time->tv_nsec + by % SECOND;
  struct timespec result = {time->tv_sec + by / SECOND, nanoseconds};
  if (nanoseconds >= SECOND) result.tv_sec++, result.tv_nsec -= SECOND;
  if (nanoseconds < 0) result.tv_sec--, result.tv_nsec += SECOND;
  return result;
}

#define NEXT(name) \
  static __typeof__(&name) next; \
  if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *time) {
  NEXT(clock_gettime);
  int result = next ? next(clock, time) : (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0) *time = moved(time, offset(clock));
  return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec, time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *rest) {
  NEXT(clock_nanosleep);
  struct timespec until = flags & TIMER_ABSTIME ? moved(time, -offset(clock)) : *time;
  return next(clock, flags, &until, rest);
}

int sem_clockwait(sem_t *restrict lock, clockid_t clock, const struct timespec *restrict time) {
  NEXT(sem_clockwait);
  struct timespec until = moved(time, -offset(clock));
  return next(lock, clock, &until);
}

int sem_timedwait(sem_t *restrict lock, const struct timespec *restrict time) {
  NEXT(sem_timedwait);
  struct timespec until = moved(time, -offsets[WALL]);
  return next(lock, &until);
}

/* The clock of a condition cannot be asked for: it is the one that shows about this time. */
int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock,
    const struct timespec *restrict time) {
  static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
#if defined __x86_64__
  if (!next) *(void **)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
#endif
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  struct timespec steady;
  clock_gettime(CLOCK_MONOTONIC, &steady);
  int is_steady = llabs((int64_t)time->tv_sec - steady.tv_sec) < 10000000;
  struct timespec until = moved(time, -offsets[is_steady ? STEADY : WALL]);
  return next(condition, lock, &until);
}

int epoll_pwait(
    int polled, struct epoll_event *events, int most, int timeout, const sigset_t *signals) {
  NEXT(epoll_pwait);
  int64_t before = offsets[STEADY], rest = timeout < 0 ? INT64_MAX : timeout;
  while (offsets[LEAPS] && rest > 5) {
    int count = next(polled, events, most, 5, signals);
    if (count || offsets[STEADY] != before) return count;
    rest -= 5;
  }
  return next(polled, events, most, timeout < 0 && !offsets[LEAPS] ? -1 : (int)rest, signals);
}
