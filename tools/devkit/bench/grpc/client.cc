// Loads server.cc over one connection, and prints what it measured as one JSON document.
//
// Through a completion queue with one thread; the callback API was slower on one core. Calls have no deadline, which
// spares gRPC a timer for each; ours always have one.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench.grpc.pb.h"

namespace gozon::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

// The shortest time between two looks at the clock of an open load, as `gozon bench` has it.
constexpr auto kTick = std::chrono::microseconds(100);
constexpr auto kConnectTimeout = seconds(30);
constexpr int kPieceBytes = 1024;

double SecondsBetween(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::shared_ptr<grpc::Channel> Connect(const std::string& port) {
  grpc::ChannelArguments arguments;
  // A connection of its own for each channel, and no copies of messages kept for retries.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return grpc::CreateCustomChannel("127.0.0.1:" + port, grpc::InsecureChannelCredentials(), arguments);
}

// The request that tools/devkit/bench/rpc.py has `gozon bench` make.
CreateOrderRequest MakeRequest() {
  std::string uuid("\x01\x89\x00\x00\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x01", 16);
  CreateOrderRequest request;
  request.set_user_id(uuid);
  request.set_amount(1000);
  request.set_currency("RUB");
  request.set_description("a text that makes a hundred bytes");
  uuid.back() = '\x02';
  request.set_id(uuid);
  return request;
}

// A load of unary calls: closed without a rate, or open, with latency counted from when each call was due.
class UnaryLoad {
 public:
  UnaryLoad(const std::string& port, int concurrency, seconds duration, int64_t calls_per_second)
      : stub_(Orders::NewStub(Connect(port))), rate_(calls_per_second), duration_(duration), calls_(concurrency) {
    for (Call& call : calls_) idle_.push_back(&call);
  }

  void Run() {
    start_ = Clock::now();
    end_ = start_ + duration_;
    std::thread pacer;
    if (rate_ > 0) {
      pacer = std::thread([this] { Pace(); });
    } else {
      BeginDue(start_);
    }
    void* tag;
    bool ok;
    while (queue_.Next(&tag, &ok)) Answered(static_cast<Call*>(tag));
    if (pacer.joinable()) pacer.join();
    Print(SecondsBetween(start_, Clock::now()));
  }

 private:
  struct Call {
    struct Attempt {
      grpc::ClientContext context;
      std::unique_ptr<grpc::ClientAsyncResponseReader<Order>> reader;
    };
    std::optional<Attempt> attempt;
    Order response;
    grpc::Status status;
    Clock::time_point due;
  };

  void Begin(Call* call, Clock::time_point due) {
    call->due = due;
    call->attempt.emplace();
    call->attempt->reader = stub_->AsyncCreateOrder(&call->attempt->context, request_, &queue_);
    call->attempt->reader->Finish(&call->response, &call->status, call);
  }

  void Answered(Call* call) {
    auto now = Clock::now();
    if (call->status.ok()) {
      latencies_.push_back(std::chrono::nanoseconds(now - call->due).count());
    } else {
      failures_++;
    }
    std::unique_lock lock(mutex_);
    if (auto due = Take(now)) {
      lock.unlock();
      Begin(call, *due);
    } else {
      idle_.push_back(call);
      ShutdownIfDone();
    }
  }

  // Takes the next call; returns when it was due, or nothing when none is.
  std::optional<Clock::time_point> Take(Clock::time_point now) {
    if (rate_ == 0) {
      is_over_ = now >= end_;
      return is_over_ ? std::nullopt : std::optional(now);
    }
    auto due = start_ + std::chrono::nanoseconds(taken_ * 1'000'000'000 / rate_);
    if (due > now || due >= end_) return std::nullopt;
    taken_++;
    return due;
  }

  // Begins what is due while a call is idle.
  void BeginDue(Clock::time_point now) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (idle_.empty()) return;
      auto due = Take(now);
      if (!due) return;
      Call* call = idle_.back();
      idle_.pop_back();
      lock.unlock();
      Begin(call, *due);
    }
  }

  void Pace() {
    auto now = start_;
    for (auto tick = start_; now < end_; now = Clock::now()) {
      BeginDue(now);
      tick = std::max(tick + kTick, now);
      std::this_thread::sleep_until(tick);
    }
    std::lock_guard lock(mutex_);
    is_over_ = true;
    while (Take(end_)) never_begun_++;
    ShutdownIfDone();
  }

  // Ends Run when the last answer is there.
  void ShutdownIfDone() {
    if (is_over_ && idle_.size() == calls_.size()) queue_.Shutdown();
  }

  void Print(double elapsed) {
    std::sort(latencies_.begin(), latencies_.end());
    printf("{\"calls\": %zu, \"failures\": %" PRId64 ", \"neverBegun\": %" PRId64 ", \"callsPerSecond\": %.1f",
           latencies_.size(), failures_, never_begun_, latencies_.size() / elapsed);
    printf(", \"latencyMicroseconds\": {\"p50\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}}\n",
           Quantile(0.5), Quantile(0.99), Quantile(0.999), Quantile(1));
  }

  // In microseconds, of the sorted latencies: exact.
  double Quantile(double fraction) const {
    if (latencies_.empty()) return 0;
    return latencies_[std::min(size_t(fraction * latencies_.size()), latencies_.size() - 1)] / 1e3;
  }

  std::unique_ptr<Orders::Stub> stub_;
  const CreateOrderRequest request_ = MakeRequest();
  const int64_t rate_;
  const seconds duration_;
  grpc::CompletionQueue queue_;
  Clock::time_point start_, end_;
  std::vector<int64_t> latencies_;  // In nanoseconds; of Run's thread, as are the failures.
  int64_t failures_ = 0;

  std::mutex mutex_;  // Of what follows, which the pacer's thread shares.
  std::vector<Call> calls_;
  std::vector<Call*> idle_;
  int64_t taken_ = 0;
  int64_t never_begun_ = 0;
  bool is_over_ = false;
};

// Waits for the one operation that is under way; returns whether it succeeded.
bool Next(grpc::CompletionQueue* queue) {
  void* tag;
  bool ok = false;
  return queue->Next(&tag, &ok) && ok;
}

// `count` messages and how long they took.
void PrintStream(int64_t count, double elapsed) {
  printf("{\"messages\": %" PRId64 ", \"messagesPerSecond\": %.1f}\n", count, count / elapsed);
}

// Reads a stream for so long.
bool Produce(const std::string& port, seconds duration, bool buffered) {
  auto stub = Probe::NewStub(Connect(port));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  ProduceRequest request;
  request.set_buffered(buffered);
  auto reader = stub->AsyncProduce(&context, request, &queue, nullptr);
  bool ok = Next(&queue);
  Piece piece;
  int64_t count = 0;
  auto start = Clock::now(), now = start;
  while (ok && now < start + duration) {
    reader->Read(&piece, nullptr);
    ok = Next(&queue);
    count += ok;
    now = Clock::now();
  }
  if (ok) PrintStream(count, SecondsBetween(start, now));
  context.TryCancel();
  grpc::Status status;
  reader->Finish(&status, nullptr);
  Next(&queue);
  return ok;
}

// Writes a stream for so long; what counts has been read by the server.
bool Consume(const std::string& port, seconds duration, bool buffered) {
  auto stub = Probe::NewStub(Connect(port));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  ConsumeResponse response;
  auto writer = stub->AsyncConsume(&context, &response, &queue, nullptr);
  bool ok = Next(&queue);
  Piece piece;
  piece.set_payload(std::string(kPieceBytes, 'x'));
  grpc::WriteOptions options;
  if (buffered) options.set_buffer_hint();
  auto start = Clock::now();
  for (uint64_t number = 0; ok && Clock::now() < start + duration; number++) {
    piece.set_number(number);
    writer->Write(piece, options, nullptr);
    ok = Next(&queue);
  }
  writer->WritesDone(nullptr);
  Next(&queue);
  grpc::Status status;
  writer->Finish(&status, nullptr);
  Next(&queue);
  if (!status.ok()) return false;
  PrintStream(response.count(), SecondsBetween(start, Clock::now()));
  return true;
}

// Opens connections, says so, and keeps them until its standard input ends.
bool Hold(const std::string& port, int connections) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < connections; i++) {
    channels.push_back(Connect(port));
    channels.back()->GetState(true);
  }
  for (auto& channel : channels) {
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + kConnectTimeout)) return false;
  }
  printf("{\"connections\": %zu}\n", channels.size());
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return true;
}

int Run(const std::vector<std::string>& arguments) {
  auto number = [&](size_t index) { return index < arguments.size() ? atoll(arguments[index].c_str()) : 0; };
  std::string port = arguments.size() > 1 ? arguments[1] : "", what = arguments.size() > 2 ? arguments[2] : "";
  if (what == "unary" && number(3) > 0 && number(4) > 0) {
    UnaryLoad(port, number(3), seconds(number(4)), number(5)).Run();
    return 0;
  }
  if (what == "produce") return Produce(port, seconds(number(3)), number(4)) ? 0 : 1;
  if (what == "consume") return Consume(port, seconds(number(3)), number(4)) ? 0 : 1;
  if (what == "hold") return Hold(port, number(3)) ? 0 : 1;
  fprintf(stderr,
          "usage: grpc-client PORT unary CONCURRENCY SECONDS [CALLS-PER-SECOND]\n"
          "       grpc-client PORT produce|consume SECONDS [BUFFERED: 0 or 1]\n"
          "       grpc-client PORT hold CONNECTIONS\n");
  return 64;
}

}  // namespace
}  // namespace gozon::bench

int main(int argc, char** argv) { return gozon::bench::Run({argv, argv + argc}); }
