// Answers what client.cc asks, from the request alone, as bench-server does.
//
// Unary calls go through a completion queue with one thread, streams through callbacks: on one core, the faster API of
// the two. A process serves one of them, because the threads of one API cost the other a tenth. Channel arguments
// (minimal stack, optimization target, no bandwidth probes) changed nothing beyond noise and are left as they are.
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench.grpc.pb.h"

namespace gozon::bench {
namespace {

// Calls that may come before one of them is answered: more than the client has in flight, so that none waits for its
// turn.
constexpr int kPostedCalls = 1024;
constexpr int kPieceBytes = 1024;

// As bench-server's: 113 characters.
const std::string kDescription = [] {
  std::string text;
  for (int i = 0; i < 11; i++) text += "0123456789";
  return text + "abc";
}();

void Answer(const CreateOrderRequest& request, Order* order) {
  order->set_id(request.id());
  order->set_user_id(request.user_id());
  order->set_amount(request.amount());
  order->set_currency(request.currency());
  order->set_description(kDescription);
  order->set_status(NEW);
}

// One call of CreateOrder after the other, in the same memory.
class CreateOrderCall {
 public:
  CreateOrderCall(Orders::AsyncService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue) {
    AwaitRequest();
  }

  // A request has come, or an answer has gone.
  void Proceed(bool ok) {
    if (answered_ || !ok) {
      AwaitRequest();
      return;
    }
    answered_ = true;
    Answer(request_, &response_);
    call_->writer.Finish(response_, grpc::Status::OK, this);
  }

 private:
  struct Call {
    grpc::ServerContext context;
    grpc::ServerAsyncResponseWriter<Order> writer{&context};
  };

  void AwaitRequest() {
    answered_ = false;
    call_.emplace();
    service_->RequestCreateOrder(&call_->context, &request_, &call_->writer, queue_, queue_, this);
  }

  Orders::AsyncService* service_;
  grpc::ServerCompletionQueue* queue_;
  std::optional<Call> call_;
  CreateOrderRequest request_;
  Order response_;
  bool answered_ = false;
};

class Producer : public grpc::ServerWriteReactor<Piece> {
 public:
  explicit Producer(bool buffered) {
    piece_.set_payload(std::string(kPieceBytes, 'x'));
    // Not the first: it takes the headers with it, and both would wait for ever.
    StartWrite(&piece_);
    if (buffered) options_.set_buffer_hint();
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      piece_.set_number(piece_.number() + 1);
      StartWrite(&piece_, options_);
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  Piece piece_;
  grpc::WriteOptions options_;
};

class Consumer : public grpc::ServerReadReactor<Piece> {
 public:
  explicit Consumer(ConsumeResponse* response) : response_(response) { StartRead(&piece_); }

  void OnReadDone(bool ok) override {
    if (ok) {
      count_++;
      StartRead(&piece_);
    } else {
      response_->set_count(count_);
      Finish(grpc::Status::OK);
    }
  }

  void OnDone() override { delete this; }

 private:
  ConsumeResponse* response_;
  Piece piece_;
  uint64_t count_ = 0;
};

class ProbeService : public Probe::CallbackService {
  grpc::ServerWriteReactor<Piece>* Produce(grpc::CallbackServerContext*, const ProduceRequest* request) override {
    return new Producer(request->buffered());
  }

  grpc::ServerReadReactor<Piece>* Consume(grpc::CallbackServerContext*, ConsumeResponse* response) override {
    return new Consumer(response);
  }
};

std::unique_ptr<grpc::Server> Start(grpc::ServerBuilder* builder, grpc::Service* service) {
  int port = 0;
  builder->AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder->RegisterService(service);
  auto server = builder->BuildAndStart();
  if (!server) exit(1);
  printf("{\"bench\": %d}\n", port);
  fflush(stdout);
  return server;
}

void ServeOrders() {
  Orders::AsyncService service;
  grpc::ServerBuilder builder;
  auto queue = builder.AddCompletionQueue();
  auto server = Start(&builder, &service);
  std::vector<std::unique_ptr<CreateOrderCall>> calls;
  for (int i = 0; i < kPostedCalls; i++) calls.push_back(std::make_unique<CreateOrderCall>(&service, queue.get()));
  void* tag;
  bool ok;
  while (queue->Next(&tag, &ok)) static_cast<CreateOrderCall*>(tag)->Proceed(ok);
}

void ServeProbe() {
  ProbeService service;
  grpc::ServerBuilder builder;
  Start(&builder, &service)->Wait();
}

int Run(std::string_view service) {
  if (service == "orders") ServeOrders();
  if (service == "probe") ServeProbe();
  fprintf(stderr, "usage: grpc-server orders|probe\nSays its port on standard output and serves until SIGTERM.\n");
  return 64;
}

}  // namespace
}  // namespace gozon::bench

int main(int argc, char** argv) { return gozon::bench::Run(argc > 1 ? argv[1] : ""); }
