#include "netns.h"

#include <sched.h>
#include <uv.h>

#include <cerrno>

namespace addon {

namespace {

struct Visit {
  int netns;
  void (*work)(void*);
  void* argument;
  int error;
};

}  // namespace

int inNamespace(int netns, void (*work)(void*), void* argument) {
  Visit visit{netns, work, argument, 0};
  uv_thread_t thread;
  const int started = uv_thread_create(
      &thread,
      [](void* data) {
        Visit& visit = *static_cast<Visit*>(data);
        if (setns(visit.netns, CLONE_NEWNET) != 0)
          visit.error = errno;
        else
          visit.work(visit.argument);
      },
      &visit);
  if (started != 0) return -started;
  uv_thread_join(&thread);
  return visit.error;
}

}  // namespace addon
