package millstream.tck.others;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.util.concurrent.Flow;
import millstream.tck.Subject;

/** Sources and operators of SmallRye Mutiny. */
public final class Mutiny {
    private Mutiny() { }

    private static Multi<Long> numbers(long n) {
        return Multi.createFrom().range(0, (int) Math.min(n, Integer.MAX_VALUE)).map(Integer::longValue);
    }

    @Subject(failing = "error")
    public static Flow.Publisher<Long> range(long n) {
        return numbers(n);
    }

    public static Flow.Publisher<Long> error() {
        return Multi.createFrom().failure(new IllegalStateException("as asked for"));
    }

    public static Flow.Publisher<Long> concatMap(long n) {
        return numbers(n).onItem().transformToMultiAndConcatenate(i -> Multi.createFrom().item(i));
    }

    @Subject("\"asynchronous\":true")
    public static Flow.Publisher<Long> emitOn(long n) {
        return numbers(n).emitOn(Infrastructure.getDefaultExecutor());
    }
}
