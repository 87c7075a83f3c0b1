#pragma once

#include <uv.h>

#include <deque>
#include <memory>
#include <vector>

#include "job.h"
#include "socket.h"

namespace addon {

using Jobs = std::vector<std::unique_ptr<Job>>;

/** The jobs of one socket: they run one at a time, in order. */
class Lane {
 public:
  explicit Lane(const Socket& socket) : socket_(socket) {}

 private:
  friend class Workers;
  const Socket& socket_;
  std::deque<std::unique_ptr<Job>> waiting_;
  bool busy_ = false;
};

/**
 * The threads of one environment. They are not libuv's pool: a send that the kernel keeps for seconds must not hold up fs and
 * dns. They start when they are needed and live until `stop`. Everything is called on the JavaScript thread; what is finished is
 * announced through `announce`.
 */
class Workers {
 public:
  explicit Workers(uv_async_t& announce);
  ~Workers();
  Workers(const Workers&) = delete;

  /** Whether there is a handle to wake with: false when the process is out of descriptors. */
  bool usable() const { return cancellation_.fd() >= 0; }
  /** Takes the job. Returns 0, or the errno that kept the first thread from starting (the job stays with the caller). */
  int submit(Lane& lane, std::unique_ptr<Job>& job);
  /** Takes back the jobs of a lane that have not begun. */
  Jobs cancel(Lane& lane);
  /** What has finished since the last call. */
  Jobs finished();

  /** Ends all waiting and drops what has not begun; announces the end of each thread. */
  void stop();
  bool stopped();
  /** Joins the threads: at once, when `stopped`. */
  void join();

 private:
  static constexpr size_t most = 4;
  static constexpr size_t stackSize = 256 * 1024;

  class Lock;
  int startThread();
  void work();

  uv_async_t& announce_;
  Cancellation cancellation_;
  uv_mutex_t mutex_;
  uv_cond_t wake_;
  std::vector<uv_thread_t> threads_;
  std::deque<Lane*> ready_;
  Jobs finished_;
  /** Threads that run a job, and threads that have not ended. */
  size_t active_ = 0;
  size_t running_ = 0;
  bool stopping_ = false;
};

}  // namespace addon
