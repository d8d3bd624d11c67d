package millstream.tck;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** A subject that is being played, and the puppets around it. */
final class Case {
    /** How long a thread of the subject's may go on before what it holds counts as kept. */
    private static final long PATIENCE_MS = 10_000;
    /** How many collections in a row, while all threads of the subject's wait, show that something is kept. */
    private static final int COLLECTIONS = 12;
    /** Between two of them, so that a thread that was just woken gets to run. */
    private static final long PAUSE_MS = 30;

    final long id;
    private final Wire wire;
    private final Publisher<Object> publisher;
    private final Subscriber<Object> subscriber;
    private final Map<Long, Held> subscriptions = new HashMap<>();
    /** The puppets, which the subject alone holds. */
    private final Map<Long, WeakReference<Puppet>> puppets = new HashMap<>();
    private long given;
    private volatile boolean over;

    /** A subscription, and whose it is: held weakly when it is looked for what the subject holds. */
    private static final class Held {
        Subscription strong;
        WeakReference<Subscription> weak;
        long subscriber;
        boolean done;
    }

    Case(long id, Wire wire, Publisher<Object> publisher, Subscriber<Object> subscriber) {
        this.id = id;
        this.wire = wire;
        this.publisher = publisher;
        this.subscriber = subscriber;
    }

    Message answer(Message call) {
        switch (call.text("call")) {
            case "subscribe" -> subscribe(call.number("subscriber", 1));
            case "request" -> {
                Subscription its = subscription(call, false);
                if (its != null) {
                    its.request(call.number("n", 0));
                }
            }
            case "cancel" -> {
                Subscription its = subscription(call, true);
                if (its != null) {
                    its.cancel();
                }
            }
            case "settle", "drop" -> { }
            case "collect" -> collect();
            case "on_subscribe" -> subscriber.onSubscribe(new Given(call.number("subscription", 0)));
            case "on_next" -> subscriber.onNext(call.number("item", 0));
            case "on_error" -> subscriber.onError(
                    call.is("ours") ? new DeliberateError() : new IllegalArgumentException("rule 3.9"));
            case "on_complete" -> subscriber.onComplete();
            default -> throw new IllegalArgumentException("no such call: " + call);
        }
        return new Message().with("reply", true);
    }

    void end() {
        over = true;
    }

    private void subscribe(long k) {
        Puppet puppet = new Puppet(k);
        synchronized (this) {
            puppets.put(k, new WeakReference<>(puppet));
        }
        publisher.subscribe(puppet);
    }

    private synchronized Subscription subscription(Message call, boolean ends) {
        Held held = subscriptions.get(call.number("subscription", 0));
        if (held == null) {
            return null;
        }
        held.done |= ends;
        return held.strong != null ? held.strong : held.weak.get();
    }

    synchronized void release(long subscription) {
        subscriptions.remove(subscription);
    }

    private synchronized void done(long k) {
        subscriptions.values().stream().filter(held -> held.subscriber == k).forEach(held -> held.done = true);
    }

    /** Says which puppets of streams that are over nobody holds any more. */
    private void collect() {
        Map<Long, WeakReference<Puppet>> looked = new HashMap<>();
        synchronized (this) {
            for (Held held : subscriptions.values()) {
                if (held.done && held.strong != null) {
                    held.weak = new WeakReference<>(held.strong);
                    held.strong = null;
                }
            }
            puppets.forEach((k, puppet) -> {
                boolean lives = subscriptions.values().stream().anyMatch(h -> h.subscriber == k && !h.done);
                if (!lives) {
                    looked.put(k, puppet);
                }
            });
        }
        int idle = 0;
        for (long end = System.currentTimeMillis() + PATIENCE_MS; !looked.isEmpty();) {
            // Before the collection: what a thread still holds then may be let go of meanwhile.
            idle = othersWait() ? idle + 1 : 0;
            System.gc();
            looked.entrySet().removeIf(entry -> {
                boolean gone = entry.getValue().get() == null;
                if (gone) {
                    synchronized (this) {
                        puppets.remove(entry.getKey());
                    }
                    wire.write(new Message().with("notice", "dropped").with("case", id)
                            .with("subscriber", entry.getKey()));
                }
                return gone;
            });
            if (idle == COLLECTIONS || System.currentTimeMillis() > end) {
                return;
            }
            try {
                Thread.sleep(looked.isEmpty() ? 0 : PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /**
     * Whether no thread but this one does anything. What a puppet is held by is then held by an object, and not by
     * a thread that is about to return.
     */
    private static boolean othersWait() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            boolean isForeign = thread != Thread.currentThread() && !"main".equals(thread.getName())
                    && thread.getThreadGroup() != null && !"system".equals(thread.getThreadGroup().getName());
            Thread.State state = thread.getState();
            if (isForeign && (state == Thread.State.RUNNABLE || state == Thread.State.BLOCKED)) {
                return false;
            }
        }
        return true;
    }

    private Message tell(String call, long k) {
        return new Message().with("call", call).with("case", id).with("subscriber", k);
    }

    /** The TCK's subscriber. */
    private final class Puppet implements Subscriber<Object> {
        private final long k;

        Puppet(long k) {
            this.k = k;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            long number;
            synchronized (Case.this) {
                Held held = new Held();
                held.strong = subscription;
                held.subscriber = k;
                number = ++given;
                subscriptions.put(number, held);
            }
            say(tell("on_subscribe", k).with("subscription", number));
        }

        @Override
        public void onNext(Object item) {
            java.util.Objects.requireNonNull(item);
            Long number = item instanceof Number n && n.longValue() >= 0 ? n.longValue() : null;
            say(tell("on_next", k).with("item", number));
        }

        @Override
        public void onError(Throwable error) {
            java.util.Objects.requireNonNull(error);
            done(k);
            say(tell("on_error", k).with("illegal", error instanceof IllegalArgumentException)
                    .with("ours", DeliberateError.isIn(error)).with("text", error.toString()));
        }

        @Override
        public void onComplete() {
            done(k);
            say(tell("on_complete", k));
        }

        private void say(Message call) {
            if (!over) {
                try {
                    wire.call(call);
                } catch (SubscriberFailure failure) {
                    done(k);
                    throw failure;
                }
            }
            Reference.reachabilityFence(this);
        }
    }

    /** The TCK's subscription. */
    private final class Given implements Subscription {
        private final long number;

        Given(long number) {
            this.number = number;
        }

        @Override
        public void request(long n) {
            say(new Message().with("call", "request").with("n", Math.max(n, 0)));
        }

        @Override
        public void cancel() {
            say(new Message().with("call", "cancel"));
        }

        private void say(Message call) {
            if (!over) {
                wire.call(call.with("case", id).with("subscription", number));
            }
        }
    }
}
