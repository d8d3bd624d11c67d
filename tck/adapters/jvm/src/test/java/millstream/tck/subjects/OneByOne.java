package millstream.tck.subjects;

import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** A subscriber that requests one item after the other. */
class OneByOne implements Subscriber<Long> {
    protected Subscription subscription;

    @Override
    public void onSubscribe(Subscription other) {
        if (subscription != null) {
            other.cancel();
        } else {
            subscription = other;
            other.request(1);
        }
    }

    @Override
    public void onNext(Long item) {
        subscription.request(1);
    }

    @Override
    public void onError(Throwable error) { }

    @Override
    public void onComplete() { }
}
