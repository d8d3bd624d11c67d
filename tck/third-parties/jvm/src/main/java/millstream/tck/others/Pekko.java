package millstream.tck.others;

import java.util.stream.LongStream;
import millstream.tck.Subject;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.javadsl.AsPublisher;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.reactivestreams.Publisher;

/** Sources of Pekko Streams. */
public final class Pekko {
    private static final ActorSystem SYSTEM = ActorSystem.create("tck");

    private Pekko() { }

    @Subject(value = "\"asynchronous\":true,\"sharing\":\"single\"", failing = "failed")
    public static Publisher<Long> range(long n) {
        return Source.fromJavaStream(() -> LongStream.range(0, n).boxed())
                .runWith(Sink.asPublisher(AsPublisher.WITHOUT_FANOUT), SYSTEM);
    }

    public static Publisher<Long> failed() {
        return Source.<Long>failed(new IllegalStateException("as asked for"))
                .runWith(Sink.asPublisher(AsPublisher.WITHOUT_FANOUT), SYSTEM);
    }
}
