import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.rsocket.ConnectionSetupPayload;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.SocketAcceptor;
import io.rsocket.core.RSocketConnector;
import io.rsocket.core.RSocketServer;
import io.rsocket.core.Resume;
import io.rsocket.lease.Lease;
import io.rsocket.resume.InMemoryResumableFramesStore;
import io.rsocket.transport.ClientTransport;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.transport.netty.client.WebsocketClientTransport;
import io.rsocket.transport.netty.server.CloseableChannel;
import io.rsocket.transport.netty.server.TcpServerTransport;
import io.rsocket.transport.netty.server.WebsocketServerTransport;
import io.rsocket.util.DefaultPayload;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.tcp.TcpClient;
import reactor.netty.tcp.TcpServer;
import reactor.util.retry.Retry;

/**
 * A peer that speaks RSocket by rsocket-java: {@code Peer server TRANSPORT} or {@code Peer client
 * TRANSPORT PORT}, where the transport is {@code tcp}, {@code websocket}, {@code resume}, which is
 * TCP with sessions that outlive their connections, {@code lease}, which is TCP with three requests
 * and no more, or {@code tls}, behind which files follow: the certificate, and for a server its key.
 *
 * <p>As a server it prints its port and answers as the Rust peer does; as a client it plays all
 * interactions against a server and ends with 0 if they went as they should.
 */
public final class Peer {
  private static final int FRAGMENT = 1024;
  private static volatile String heard = "";

  private static final class Service implements RSocket {
    @Override
    public Mono<Void> fireAndForget(Payload payload) {
      heard = payload.getDataUtf8();
      return Mono.empty();
    }

    @Override
    public Mono<Payload> requestResponse(Payload payload) {
      switch (payload.getDataUtf8()) {
        case "fail":
          return Mono.error(new RuntimeException("as asked"));
        case "heard":
          return Mono.just(DefaultPayload.create(heard));
        default:
          return Mono.just(payload);
      }
    }

    @Override
    public Flux<Payload> requestStream(Payload payload) {
      if (payload.getDataUtf8().equals("fail")) {
        return Flux.error(new RuntimeException("as asked"));
      }
      int n = Integer.parseInt(payload.getDataUtf8());
      return Flux.range(0, n).map(i -> DefaultPayload.create(String.valueOf(i)));
    }

    @Override
    public Flux<Payload> requestChannel(Publisher<Payload> payloads) {
      return Flux.from(payloads).map(each -> DefaultPayload.create(each.getDataUtf8()));
    }
  }

  /** Asks for n items at a time, and cancels after a limit. */
  private static final class Collect extends BaseSubscriber<Payload> {
    final List<String> items = new ArrayList<>();
    final CountDownLatch done = new CountDownLatch(1);
    final int n;
    final int limit;
    int left;
    volatile Throwable error;

    Collect(int n, int limit) {
      this.n = n;
      this.limit = limit;
      left = n;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      request(n);
    }

    @Override
    protected void hookOnNext(Payload payload) {
      items.add(payload.getDataUtf8());
      left -= 1;
      if (left < 0) {
        error = new AssertionError("more than was asked for");
      } else if (items.size() == limit) {
        cancel();
        done.countDown();
      } else if (left == 0) {
        left = n;
        request(n);
      }
    }

    @Override
    protected void hookOnComplete() {
      done.countDown();
    }

    @Override
    protected void hookOnError(Throwable throwable) {
      error = throwable;
      done.countDown();
    }
  }

  private static Collect collect(Flux<Payload> flux, int n, int limit) throws Exception {
    Collect collect = new Collect(n, limit);
    flux.subscribe(collect);
    check(collect.done.await(20, TimeUnit.SECONDS), "a stream that ends");
    return collect;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static List<String> numbers(int n) {
    return IntStream.range(0, n).mapToObj(String::valueOf).collect(Collectors.toList());
  }

  private static Payload text(String text) {
    return DefaultPayload.create(text);
  }

  private static void play(RSocket socket) throws Exception {
    byte[] large = new byte[100_000];
    for (int i = 0; i < large.length; i++) {
      large[i] = (byte) (i % 251);
    }
    byte[] beside = "beside".repeat(500).getBytes(StandardCharsets.UTF_8);
    Payload echoed = socket.requestResponse(DefaultPayload.create(large, beside)).block();
    byte[] back = new byte[echoed.data().readableBytes()];
    echoed.data().readBytes(back);
    check(Arrays.equals(back, large), "fragments");
    check(echoed.getMetadataUtf8().equals("beside".repeat(500)), "metadata in fragments");

    socket.fireAndForget(text("fire")).block();
    check(socket.requestResponse(text("heard")).block().getDataUtf8().equals("fire"), "fire");

    try {
      socket.requestResponse(text("fail")).block();
      throw new IllegalStateException("no error");
    } catch (RuntimeException error) {
      check(error.getMessage().contains("as asked"), "error: " + error);
    }

    for (int n : new int[] {1, 7, Integer.MAX_VALUE}) {
      Collect got = collect(socket.requestStream(text("100")), n, -1);
      check(got.error == null && got.items.equals(numbers(100)), "stream by " + n);
    }
    Collect cut = collect(socket.requestStream(text("1000000")), 1, 3);
    check(cut.items.equals(numbers(3)), "cancel");
    Collect failed = collect(socket.requestStream(text("fail")), 9, -1);
    check(failed.error != null && failed.error.getMessage().contains("as asked"), "failure");

    for (int n : new int[] {1, Integer.MAX_VALUE}) {
      Flux<Payload> out = Flux.range(0, 50).map(i -> text(String.valueOf(i)));
      Collect got = collect(socket.requestChannel(out), n, -1);
      check(got.error == null && got.items.equals(numbers(50)), "channel by " + n);
    }
  }

  private static CloseableChannel serve(RSocketServer server, String[] arguments)
      throws Exception {
    switch (arguments[1]) {
      case "websocket":
        return server.bindNow(WebsocketServerTransport.create("127.0.0.1", 0));
      case "tls":
        SslContext ssl =
            SslContextBuilder.forServer(new File(arguments[2]), new File(arguments[3])).build();
        return server.bindNow(
            TcpServerTransport.create(
                TcpServer.create().host("127.0.0.1").port(0).secure(it -> it.sslContext(ssl))));
      default:
        return server.bindNow(TcpServerTransport.create("127.0.0.1", 0));
    }
  }

  private static ClientTransport to(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[2]);
    switch (arguments[1]) {
      case "websocket":
        return WebsocketClientTransport.create("127.0.0.1", port);
      case "tls":
        SslContext ssl =
            SslContextBuilder.forClient().trustManager(new File(arguments[3])).build();
        return TcpClientTransport.create(
            TcpClient.create().host("127.0.0.1").port(port).secure(it -> it.sslContext(ssl)));
      default:
        return TcpClientTransport.create("127.0.0.1", port);
    }
  }

  /** Three requests are granted, and the fourth is not sent. */
  private static void playLease(RSocket socket) {
    for (int i = 0; i < 3; i++) {
      check(socket.requestResponse(text("x")).block().getDataUtf8().equals("x"), "response " + i);
    }
    try {
      socket.requestResponse(text("x")).timeout(Duration.ofMillis(300)).block();
      throw new AssertionError("more requests than were granted");
    } catch (RuntimeException error) {
      check(error.getCause() instanceof TimeoutException, "waits for a lease: " + error);
    }
  }

  private static Resume resume() {
    return new Resume()
        .cleanupStoreOnKeepAlive()
        .storeFactory(token -> new InMemoryResumableFramesStore("peer", token, 10_000_000))
        .retry(Retry.fixedDelay(1000, Duration.ofMillis(20)));
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("server")) {
      SocketAcceptor acceptor =
          (ConnectionSetupPayload setup, RSocket sending) -> Mono.just(new Service());
      var builder = RSocketServer.create(acceptor).fragment(FRAGMENT);
      if (arguments[1].equals("resume")) {
        builder = builder.resume(resume());
      } else if (arguments[1].equals("lease")) {
        Lease three = Lease.create(Duration.ofSeconds(60), 3);
        builder = builder.lease(lease -> lease.sender(() -> Flux.just(three).concatWith(Flux.never())));
      }
      var server = serve(builder, arguments);
      System.out.println(server.address().getPort());
      System.out.flush();
      server.onClose().block();
      return;
    }
    RSocketConnector connector =
        RSocketConnector.create()
            .fragment(FRAGMENT)
            .keepAlive(Duration.ofMillis(100), Duration.ofSeconds(10));
    if (arguments[1].equals("resume")) {
      connector = connector.resume(resume());
    } else if (arguments[1].equals("lease")) {
      connector = connector.lease();
    }
    RSocket socket = connector.connect(to(arguments)).block();
    if (arguments[1].equals("lease")) {
      playLease(socket);
    } else {
      play(socket);
      Thread.sleep(500);
      check(socket.requestResponse(text("still")).block().getDataUtf8().equals("still"), "life");
    }
    System.out.println("ok");
    System.exit(0);
  }
}
