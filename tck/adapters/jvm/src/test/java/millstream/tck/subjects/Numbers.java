package millstream.tck.subjects;

import java.util.ArrayList;
import java.util.List;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** A publisher of numbers, right but for the mistake that is named. */
record Numbers(long n, Mistake mistake) implements Publisher<Long> {
    /** What can be wrong with it. */
    enum Mistake {
        NONE, NO_ON_SUBSCRIBE, IGNORES_ZERO, ONE_TOO_MANY, IGNORES_CANCEL, THROWS_IN_CANCEL, RECURSES,
        NEVER_COMPLETES, COMPLETES_TWICE, LOSES_AN_ITEM, KEEPS_THE_SUBSCRIBER, COUNTS_IN_32_BITS
    }

    private static final List<Object> KEPT = new ArrayList<>();

    @Override
    public void subscribe(Subscriber<? super Long> subscriber) {
        if (mistake == Mistake.NO_ON_SUBSCRIBE) {
            subscriber.onComplete();
            return;
        }
        Sending sending = new Sending(subscriber);
        subscriber.onSubscribe(sending);
        sending.begun = true;
        sending.drain();
    }

    /** The subscription; its own lock is never held in a signal. */
    private final class Sending implements Subscription {
        private Subscriber<? super Long> subscriber;
        private long next;
        private long demand;
        private int missed;
        private boolean illegal;
        private volatile boolean begun;

        Sending(Subscriber<? super Long> subscriber) {
            this.subscriber = subscriber;
        }

        @Override
        public void request(long asked) {
            synchronized (this) {
                if (asked < 1) {
                    illegal |= mistake != Mistake.IGNORES_ZERO;
                } else {
                    long sum = demand + asked + (mistake == Mistake.ONE_TOO_MANY ? 1 : 0);
                    demand = mistake == Mistake.COUNTS_IN_32_BITS ? (int) sum : sum < 0 ? Long.MAX_VALUE : sum;
                }
            }
            drain();
        }

        @Override
        public void cancel() {
            if (mistake == Mistake.THROWS_IN_CANCEL) {
                throw new IllegalStateException("no");
            }
            synchronized (this) {
                subscriber = mistake == Mistake.IGNORES_CANCEL ? subscriber : null;
            }
        }

        /** One thread sends at a time; the others leave it a mark. */
        void drain() {
            synchronized (this) {
                if (!begun || missed++ > 0 && mistake != Mistake.RECURSES) {
                    return;
                }
            }
            while (true) {
                int seen = missed;
                while (step()) { }
                synchronized (this) {
                    if (missed == seen) {
                        missed = 0;
                        return;
                    }
                }
            }
        }

        private boolean step() {
            Subscriber<? super Long> to;
            long item;
            synchronized (this) {
                to = subscriber;
                item = next;
                boolean isOver = illegal || item == n && mistake != Mistake.NEVER_COMPLETES;
                if (to == null || !isOver && (demand <= 0 || item == n)) {
                    return false;
                }
                if (isOver) {
                    subscriber = null;
                } else {
                    demand -= demand == Long.MAX_VALUE ? 0 : 1;
                    next += mistake == Mistake.LOSES_AN_ITEM && item == 1 ? 2 : 1;
                }
            }
            try {
                send(to, item);
            } catch (RuntimeException thrown) {
                // A subscriber that throws counts as one that has canceled.
                synchronized (this) {
                    subscriber = null;
                }
            }
            return true;
        }

        private void send(Subscriber<? super Long> to, long item) {
            if (illegal) {
                to.onError(new IllegalArgumentException("a request for less than one item (rule 3.9)"));
            } else if (item == n) {
                if (mistake == Mistake.KEEPS_THE_SUBSCRIBER) {
                    KEPT.add(to);
                }
                to.onComplete();
                if (mistake == Mistake.COMPLETES_TWICE) {
                    to.onComplete();
                }
            } else {
                to.onNext(mistake == Mistake.LOSES_AN_ITEM && item == 1 ? 2 : item);
            }
        }
    }
}
