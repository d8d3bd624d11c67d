package millstream.tck.subjects;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import millstream.tck.Subject;
import millstream.tck.subjects.Numbers.Mistake;
import org.reactivestreams.FlowAdapters;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** Subjects without a mistake: plain ones, and unusual ones that no rule forbids. */
public final class Right {
    private Right() { }

    @Subject(failing = "failed")
    public static Publisher<Long> plain(long n) {
        return new Numbers(n, Mistake.NONE);
    }

    public static Publisher<Long> failed() {
        return subscriber -> {
            subscriber.onSubscribe(new Subscription() {
                @Override
                public void request(long n) { }

                @Override
                public void cancel() { }
            });
            subscriber.onError(new IllegalStateException("as asked for"));
        };
    }

    /** The types of the JDK. */
    public static Flow.Publisher<Long> flow(long n) {
        return FlowAdapters.toFlowPublisher(new Numbers(n, Mistake.NONE));
    }

    /** Each request is served by another thread of two, one after the other. */
    @Subject("\"asynchronous\":true,\"max_length\":500")
    public static Publisher<Long> changesThreads(long n) {
        Executor pool = Executors.newFixedThreadPool(2, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        return subscriber -> new Numbers(n, Mistake.NONE).subscribe(new Subscriber<Long>() {
            @Override
            public void onSubscribe(Subscription inner) {
                subscriber.onSubscribe(new Subscription() {
                    @Override
                    public void request(long asked) {
                        pool.execute(() -> inner.request(asked));
                    }

                    @Override
                    public void cancel() {
                        inner.cancel();
                    }
                });
            }

            @Override
            public void onNext(Long item) {
                subscriber.onNext(item);
            }

            @Override
            public void onError(Throwable error) {
                subscriber.onError(error);
            }

            @Override
            public void onComplete() {
                subscriber.onComplete();
            }
        });
    }

    public static Subscriber<Long> oneByOne() {
        return new OneByOne();
    }

    public static Flow.Subscriber<Long> oneByOneOfTheJdk() {
        return FlowAdapters.toFlowSubscriber(new OneByOne());
    }
}
