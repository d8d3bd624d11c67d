package millstream.tck.subjects;

import java.util.concurrent.Executors;
import millstream.tck.Subject;
import millstream.tck.subjects.Numbers.Mistake;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** Subjects with one mistake each, which the TCK has to find. */
public final class Wrong {
    private Wrong() { }

    @Subject("\"max_length\":200")
    public static Publisher<Long> noOnSubscribe(long n) {
        return new Numbers(n, Mistake.NO_ON_SUBSCRIBE);
    }

    public static Publisher<Long> ignoresZero(long n) {
        return new Numbers(n, Mistake.IGNORES_ZERO);
    }

    public static Publisher<Long> oneTooMany(long n) {
        return new Numbers(n, Mistake.ONE_TOO_MANY);
    }

    @Subject("\"max_length\":200")
    public static Publisher<Long> ignoresCancel(long n) {
        return new Numbers(n, Mistake.IGNORES_CANCEL);
    }

    public static Publisher<Long> throwsInCancel(long n) {
        return new Numbers(n, Mistake.THROWS_IN_CANCEL);
    }

    public static Publisher<Long> recurses(long n) {
        return new Numbers(n, Mistake.RECURSES);
    }

    public static Publisher<Long> neverCompletes(long n) {
        return new Numbers(n, Mistake.NEVER_COMPLETES);
    }

    public static Publisher<Long> completesTwice(long n) {
        return new Numbers(n, Mistake.COMPLETES_TWICE);
    }

    public static Publisher<Long> losesAnItem(long n) {
        return new Numbers(n, Mistake.LOSES_AN_ITEM);
    }

    public static Publisher<Long> keepsTheSubscriber(long n) {
        return new Numbers(n, Mistake.KEEPS_THE_SUBSCRIBER);
    }

    public static Publisher<Long> countsIn32Bits(long n) {
        return new Numbers(n, Mistake.COUNTS_IN_32_BITS);
    }

    /** Each item comes from a thread of its own, and none waits for the one before. */
    @Subject("\"asynchronous\":true,\"max_length\":64,\"numbering\":\"any\"")
    public static Publisher<Long> twoAtATime(long n) {
        return subscriber -> subscriber.onSubscribe(new Subscription() {
            private final java.util.concurrent.ExecutorService pool = Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task);
                thread.setDaemon(true);
                return thread;
            });
            private long next;

            @Override
            public synchronized void request(long asked) {
                for (long i = 0; i < asked && next < Math.min(n, 64); i++) {
                    long item = next++;
                    pool.execute(() -> subscriber.onNext(item));
                }
            }

            @Override
            public void cancel() {
                pool.shutdownNow();
            }
        });
    }

    /** Goes over to its second subscription. */
    public static Subscriber<Long> takesTheSecond() {
        return new OneByOne() {
            @Override
            public void onSubscribe(Subscription other) {
                subscription = other;
                other.request(1);
            }
        };
    }

    /** Makes a request when it is told the end. */
    public static Subscriber<Long> requestsAtTheEnd() {
        return new OneByOne() {
            @Override
            public void onComplete() {
                subscription.request(1);
            }
        };
    }
}
