#include "workers.h"

#include <sys/prctl.h>

#include <algorithm>

namespace addon {

class Workers::Lock {
 public:
  explicit Lock(uv_mutex_t& mutex) : mutex_(mutex) { uv_mutex_lock(&mutex_); }
  ~Lock() { uv_mutex_unlock(&mutex_); }
  Lock(const Lock&) = delete;

 private:
  uv_mutex_t& mutex_;
};

Workers::Workers(uv_async_t& announce) : announce_(announce) {
  uv_mutex_init(&mutex_);
  uv_cond_init(&wake_);
}

Workers::~Workers() {
  uv_cond_destroy(&wake_);
  uv_mutex_destroy(&mutex_);
}

int Workers::submit(Lane& lane, std::unique_ptr<Job>& job) {
  Lock lock(mutex_);
  const size_t available = threads_.size() - active_;
  if (!lane.busy_ && available <= ready_.size() && threads_.size() < most) {
    const int error = startThread();
    if (error != 0 && threads_.empty()) return error;
  }
  lane.waiting_.push_back(std::move(job));
  if (!lane.busy_) {
    lane.busy_ = true;
    ready_.push_back(&lane);
    uv_cond_signal(&wake_);
  }
  return 0;
}

Jobs Workers::cancel(Lane& lane) {
  Lock lock(mutex_);
  const auto queued = std::find(ready_.begin(), ready_.end(), &lane);
  if (queued != ready_.end()) {
    ready_.erase(queued);
    lane.busy_ = false;
  }
  Jobs jobs;
  for (; !lane.waiting_.empty(); lane.waiting_.pop_front()) jobs.push_back(std::move(lane.waiting_.front()));
  return jobs;
}

Jobs Workers::finished() {
  Lock lock(mutex_);
  return std::exchange(finished_, {});
}

void Workers::stop() {
  cancellation_.raise();
  Lock lock(mutex_);
  stopping_ = true;
  uv_cond_broadcast(&wake_);
}

bool Workers::stopped() {
  Lock lock(mutex_);
  return running_ == 0;
}

void Workers::join() {
  for (uv_thread_t& thread : threads_) uv_thread_join(&thread);
  threads_.clear();
}

int Workers::startThread() {
  uv_thread_options_t options{};
  options.flags = UV_THREAD_HAS_STACK_SIZE;
  options.stack_size = stackSize;
  uv_thread_t thread;
  const int error = uv_thread_create_ex(
      &thread, &options, [](void* self) { static_cast<Workers*>(self)->work(); }, this);
  if (error != 0) return -error;
  threads_.push_back(thread);
  running_++;
  return 0;
}

void Workers::work() {
  prctl(PR_SET_NAME, "ts-ipvs");
  Scratch scratch;
  uv_mutex_lock(&mutex_);
  for (;;) {
    while (ready_.empty() && !stopping_) uv_cond_wait(&wake_, &mutex_);
    if (stopping_) break;
    Lane& lane = *ready_.front();
    ready_.pop_front();
    std::unique_ptr<Job> job = std::move(lane.waiting_.front());
    lane.waiting_.pop_front();
    active_++;

    uv_mutex_unlock(&mutex_);
    job->run(lane.socket_, scratch, cancellation_);
    uv_mutex_lock(&mutex_);

    active_--;
    lane.busy_ = !lane.waiting_.empty();
    if (lane.busy_) ready_.push_back(&lane);
    finished_.push_back(std::move(job));
    uv_mutex_unlock(&mutex_);  // from here on the lane may be gone: it lives as long as its jobs are unsettled
    uv_async_send(&announce_);
    uv_mutex_lock(&mutex_);
  }
  running_--;
  uv_mutex_unlock(&mutex_);
  uv_async_send(&announce_);  // the handle outlives the join
}

}  // namespace addon
