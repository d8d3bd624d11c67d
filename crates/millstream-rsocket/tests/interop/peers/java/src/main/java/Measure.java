import io.rsocket.ConnectionSetupPayload;
import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.SocketAcceptor;
import io.rsocket.core.RSocketConnector;
import io.rsocket.core.RSocketServer;
import io.rsocket.frame.decoder.PayloadDecoder;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.transport.netty.server.TcpServerTransport;
import io.rsocket.util.DefaultPayload;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Measures rsocket-java, client and server in one process, without copies of payloads: lines such
 * as {@code stream DEMAND SIZE ITEMS} and {@code respond N PER_SECOND} are answered with times in
 * nanoseconds.
 */
public final class Measure {
  private static final class Items implements RSocket {
    @Override
    public Mono<Payload> requestResponse(Payload payload) {
      return Mono.just(payload);
    }

    @Override
    public Flux<Payload> requestStream(Payload payload) {
      String[] numbers = payload.getDataUtf8().split(" ");
      payload.release();
      byte[] item = new byte[Integer.parseInt(numbers[0])];
      return Flux.range(0, Integer.parseInt(numbers[1])).map(i -> DefaultPayload.create(item));
    }
  }

  private static final class Asking extends BaseSubscriber<Payload> {
    final CountDownLatch done = new CountDownLatch(1);
    final int demand;
    int left;
    long n;

    Asking(int demand) {
      this.demand = demand;
      left = demand;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
      request(demand);
    }

    @Override
    protected void hookOnNext(Payload payload) {
      payload.release();
      n += 1;
      left -= 1;
      if (left == 0) {
        left = demand;
        request(demand);
      }
    }

    @Override
    protected void hookOnComplete() {
      done.countDown();
    }

    @Override
    protected void hookOnError(Throwable error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  private static long stream(RSocket socket, int demand, int size, int n) throws Exception {
    Asking asking = new Asking(demand == 0 ? Integer.MAX_VALUE : demand);
    long start = System.nanoTime();
    socket.requestStream(DefaultPayload.create(size + " " + n)).subscribe(asking);
    asking.done.await();
    long time = System.nanoTime() - start;
    if (asking.n != n) {
      throw new AssertionError(asking.n + " items");
    }
    return time;
  }

  private static long[] respond(RSocket socket, int n, int perSecond) throws Exception {
    long[] times = new long[n];
    byte[] item = new byte[100];
    CountDownLatch done = new CountDownLatch(n);
    long start = System.nanoTime();
    for (int i = 0; i < n; i++) {
      int index = i;
      long due = start + 1_000_000_000L * i / perSecond;
      while (System.nanoTime() < due) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      socket
          .requestResponse(DefaultPayload.create(item))
          .subscribe(
              payload -> {
                payload.release();
                times[index] = System.nanoTime() - due;
                done.countDown();
              });
    }
    done.await();
    return times;
  }

  public static void main(String[] arguments) throws Exception {
    SocketAcceptor acceptor =
        (ConnectionSetupPayload setup, RSocket sending) -> Mono.just(new Items());
    var server =
        RSocketServer.create(acceptor)
            .payloadDecoder(PayloadDecoder.ZERO_COPY)
            .bindNow(TcpServerTransport.create("127.0.0.1", 0));
    RSocket socket =
        RSocketConnector.create()
            .payloadDecoder(PayloadDecoder.ZERO_COPY)
            .connect(TcpClientTransport.create("127.0.0.1", server.address().getPort()))
            .block();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ");
      int[] numbers = Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray();
      if (words[0].equals("stream")) {
        System.out.println(stream(socket, numbers[0], numbers[1], numbers[2]));
      } else {
        long[] times = respond(socket, numbers[0], numbers[1]);
        System.out.println(
            Arrays.stream(times).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
      }
      System.out.flush();
    }
    System.exit(0);
  }
}
