package millstream.benches;

import io.reactivex.rxjava3.core.FlowableSubscriber;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;

/**
 * Sums its items and asks for all of them. It is what each library takes its own subscribers to be, so that none
 * puts another one around it.
 */
final class Sum implements FlowableSubscriber<Long>, CoreSubscriber<Long>, Flow.Subscriber<Long> {
    private final CountDownLatch end = new CountDownLatch(1);
    private long sum;
    private Throwable error;

    @Override
    public void onSubscribe(Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(Long item) {
        sum += item;
    }

    @Override
    public void onError(Throwable error) {
        this.error = error;
        end.countDown();
    }

    @Override
    public void onComplete() {
        end.countDown();
    }

    /** The sum, when the flow has ended. */
    long await() {
        try {
            end.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
        if (error != null) {
            throw new IllegalStateException(error);
        }
        return sum;
    }

    /** The sum of the sums. */
    static long await(Sum[] sums) {
        long all = 0;
        for (Sum sum : sums) {
            all += sum.await();
        }
        return all;
    }

    static Sum[] many(int n) {
        Sum[] sums = new Sum[n];
        for (int i = 0; i < n; i++) {
            sums[i] = new Sum();
        }
        return sums;
    }
}
