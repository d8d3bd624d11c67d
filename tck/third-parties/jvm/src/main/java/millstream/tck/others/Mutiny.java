package millstream.tck.others;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.util.concurrent.Flow;
import millstream.tck.Subject;

/** Sources and operators of SmallRye Mutiny. */
public final class Mutiny {
    private Mutiny() { }

    private static Multi<Long> numbers(long n) {
        if (n == 0) {
            // There is no empty range.
            return Multi.createFrom().empty();
        }
        return Multi.createFrom().range(0, (int) Math.min(n, Integer.MAX_VALUE)).map(Integer::longValue);
    }

    @Subject(value = "\"rethrows\":true", failing = "error")
    public static Flow.Publisher<Long> range(long n) {
        return numbers(n);
    }

    public static Flow.Publisher<Long> error() {
        return Multi.createFrom().failure(new IllegalStateException("as asked for"));
    }

    @Subject("\"rethrows\":true")
    public static Flow.Publisher<Long> concatMap(long n) {
        return numbers(n).onItem().transformToMultiAndConcatenate(i -> Multi.createFrom().item(i));
    }

    /** What is merged is in no order. */
    @Subject("\"rethrows\":true,\"numbering\":\"any\"")
    public static Flow.Publisher<Long> merge(long n) {
        return numbers(n).onItem().transformToMultiAndMerge(i -> Multi.createFrom().item(i));
    }

    @Subject("\"asynchronous\":true")
    public static Flow.Publisher<Long> emitOn(long n) {
        return numbers(n).emitOn(Infrastructure.getDefaultExecutor());
    }
}
